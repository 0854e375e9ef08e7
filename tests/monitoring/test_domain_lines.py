"""What happens to guests and customers has its line, without a name or a number."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.dispatch import Signal
from django.utils import timezone
from structlog.testing import capture_logs

from monitoring import domain_lines
from reservations import events as of_reservations
from sessions_app import events as of_sessions

NOW = timezone.now()
ALL: list[tuple[Any, dict[str, Any], str, dict[str, Any]]] = [
    (
        of_reservations.reminder_parked,
        {"reminder_id": 7, "code": "132001", "detail": "no template", "now": NOW},
        "error",
        {"what": "reminder_parked", "reminder": 7, "code": "132001", "reason": "no template"},
    ),
    (
        of_reservations.reminder_unconfirmed,
        {"reminder_id": 7, "now": NOW},
        "warning",
        {"what": "reminder_unconfirmed", "reminder": 7},
    ),
    (
        of_sessions.sessions_abandoned,
        {"session_ids": [1, 2], "now": NOW},
        "warning",
        {"what": "sessions_abandoned", "sessions": 2},
    ),
    (
        of_sessions.sessions_handed_over,
        {"session_ids": [1, 2], "now": NOW},
        "warning",
        {"what": "sessions_handed_over", "sessions": 2},
    ),
    (
        of_sessions.message_parked,
        {"message_id": 3, "session_id": 1, "why": "ValueError"},
        "error",
        {"what": "message_parked", "message": 3, "session": 1, "reason": "ValueError"},
    ),
    (
        of_sessions.message_undelivered,
        {"message_id": 3, "session_id": 1, "why": "off (code 1)"},
        "warning",
        {"what": "message_undelivered", "message": 3, "session": 1, "reason": "off (code 1)"},
    ),
]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    monkeypatch.setattr(domain_lines, "log", domain_lines.log.new())  # one that is bound to the captured configuration
    with capture_logs() as lines:
        yield lines


@pytest.mark.parametrize(("signal", "given", "level", "fields"), ALL)
def test_the_line_of_an_event(
    lines: list[Any], signal: Signal, given: dict[str, Any], level: str, fields: dict[str, Any]
) -> None:
    signal.send(None, **given)
    [line] = lines
    assert line.pop("event").endswith(".")
    assert line == {"log_level": level, **fields}


def test_no_event_is_without_a_line_or_a_run() -> None:
    announced = [*vars(of_reservations).values(), *vars(of_sessions).values()]
    told = {signal for signal, *_ in ALL} | {of_reservations.reminder_wanted}  # tests/catalog/test_reminders_wanted.py
    assert {each for each in announced if isinstance(each, Signal)} == told
