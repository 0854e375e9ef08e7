"""Announcements reach every listener, and no listener can fail whoever announces."""

from jobs.engine.events import Event


def test_every_listener_is_told_even_behind_one_that_fails(caplog):
    caplog.set_level("ERROR")
    event, told = Event(), []

    def fail(**_):
        raise RuntimeError("a bad listener")

    def hear(*, name, **_):
        told.append(name)

    event.connect(fail)
    event.connect(hear)
    event.send(None, name="a run")
    assert told == ["a run"]
    assert "a bad listener" in caplog.text
