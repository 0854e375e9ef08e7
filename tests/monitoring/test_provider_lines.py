"""What is announced about the providers has its line, and none of them holds a number."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.dispatch import Signal

from external_apis import events
from external_apis.models import Credential, Sender, WebhookEvent
from tests.monitoring.test_log_lines import lines

__all__ = ["lines"]

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
NUMBER = "+40712345678"
SENDER = Sender(pk=7, provider="twilio", channel="sms", address=NUMBER, label=f"Trattoria {NUMBER}")
CREDENTIAL = Credential(pk=3, provider="meta", label="main")
ABOUT_SENDER = {"sender": 7, "provider": "twilio", "channel": "sms"}
ABOUT_CREDENTIAL = {"credential": "main", "provider": "meta"}
WHY = {"credential": CREDENTIAL, "why": "no", "now": NOW}
TOLD = {"credential": CREDENTIAL, "now": NOW}
OF_META, OF_EVENT = {"provider": "meta", "reason": "no"}, {"webhook_event": 9, "reason": "no"}
SINCE = {"since": NOW.isoformat()}

LINES: list[tuple[Any, Any, dict[str, Any], str, dict[str, Any]]] = [
    (events.sender_paused, SENDER, {"because": "no", "now": NOW}, "error", {**ABOUT_SENDER, "reason": "no"}),
    (events.sender_resumed, SENDER, {"paused_at": NOW, "now": NOW}, "info", {**ABOUT_SENDER, **SINCE}),
    (events.credential_refused, Credential, WHY, "error", {**ABOUT_CREDENTIAL, "reason": "no"}),
    (events.credential_accepted, Credential, TOLD, "info", ABOUT_CREDENTIAL),
    (events.credential_retired, Credential, TOLD, "info", ABOUT_CREDENTIAL),
    (events.credential_kept, Credential, WHY, "warning", {**ABOUT_CREDENTIAL, "reason": "no"}),
    (
        events.webhook_refused,
        WebhookEvent,
        {"provider": "meta", "why": "no"},
        "warning",
        {"provider": "meta", "reason": "no"},
    ),
    (events.webhook_ignored, WebhookEvent, {"provider": "meta", "count": 2}, "info", {"provider": "meta", "count": 2}),
    (
        events.webhook_event_parked,
        WebhookEvent,
        {"event_id": 9, "why": "no"},
        "error",
        {"webhook_event": 9, "reason": "no"},
    ),
]


@pytest.mark.parametrize(("signal", "sender", "given", "level", "fields"), LINES)
def test_it_has_its_line(
    lines: list[Any], signal: Any, sender: Any, given: dict[str, Any], level: str, fields: dict[str, Any]
) -> None:
    signal.send(sender, **given)

    [line] = lines
    what = next(name for name, value in vars(events).items() if value is signal)
    assert line.pop("event").endswith(".")
    assert line == {"log_level": level, "what": what, **fields}
    assert NUMBER not in str(line)


def test_nothing_is_announced_without_a_line() -> None:
    announced = [value for value in vars(events).values() if isinstance(value, Signal)]
    assert {id(signal) for signal in announced} == {id(signal) for signal, *_ in LINES}
