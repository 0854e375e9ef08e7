"""A run's own log: everything said while it works, whatever is said, and nothing from elsewhere."""

import logging

import django
import pytest
import structlog
from django.db import DataError

from jobs.engine.runlog import LONGEST, RunLogBuffer
from jobs.models import RunLog

pytestmark = pytest.mark.django_db(transaction=True)
log = logging.getLogger("tests.runlog")
events = structlog.stdlib.get_logger("tests.runlog.events")


@pytest.fixture
def buffer(make_run):
    return RunLogBuffer(make_run().pk, 2)


def stored() -> list[tuple[str, str, dict]]:
    return list(RunLog.objects.order_by("pk").values_list("level", "message", "fields"))


def test_plain_and_structured_lines_are_kept_with_their_attempt(buffer):
    with buffer:
        log.warning("%d of %s", 3, "four")
        events.info("a session was closed", session=7, job="left out")
    log.warning("said outside")
    buffer.flush()
    assert stored() == [("warning", "3 of four", {}), ("info", "a session was closed", {"session": 7})]
    assert {line.attempt for line in RunLog.objects.all()} == {2}


def test_debug_lines_are_not_kept(buffer):
    with buffer:
        log.debug("detail")
    buffer.flush()
    assert stored() == []


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (1, 1),
        (True, True),
        (None, None),
        (0.5, 0.5),
        (float("nan"), "nan"),
        ({1}, "{1}"),
        ("\x00", "�"),
        ("\ud800", "?"),
        ("x" * (LONGEST + 1), "x" * LONGEST),
    ],
    ids=lambda value: str(type(value)),
)
def test_whatever_is_given_as_a_field_can_be_stored(buffer, value, kept):
    with buffer:
        events.info("said", value=value, **{"odd\x00name": 1})
    buffer.flush()
    assert stored() == [("info", "said", {"value": kept, "odd�name": 1})]


def test_a_long_line_is_cut(buffer):
    with buffer:
        log.info("x" * 2 * LONGEST)
    buffer.flush()
    assert len(stored()[0][1]) == LONGEST


def test_a_line_that_cannot_be_worded_harms_nobody(buffer, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)
    monkeypatch.setattr(logging.getLogger(), "handlers", [each for each in logging.getLogger().handlers if ours(each)])
    with buffer:
        log.info("%d", "not a number")
        log.info("fine")
    buffer.flush()
    assert [message for _, message, _ in stored()] == ["fine"]


def ours(handler: logging.Handler) -> bool:
    return type(handler).__module__ == "jobs.engine.runlog"


def test_lines_that_could_not_be_stored_are_kept_for_the_next_time(buffer, monkeypatch):
    with buffer:
        log.info("first")
    with monkeypatch.context() as patch:
        patch.setattr(RunLog.objects, "bulk_create", fail)
        with pytest.raises(DataError):
            buffer.flush()
    with buffer:
        log.info("second")
    buffer.flush()
    buffer.flush()
    assert [message for _, message, _ in stored()] == ["first", "second"]


def fail(_lines):
    raise DataError("refused")


def test_setting_django_up_again_does_not_lose_the_log_of_runs(buffer):
    django.setup()  # as Celery does when it imports its tasks
    with buffer:
        log.warning("still here")
    buffer.flush()
    assert stored() == [("warning", "still here", {})]
