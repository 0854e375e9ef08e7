"""Every event of the islands has its line, and no line holds a number or a secret."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.dispatch import Signal
from structlog.testing import capture_logs

from external_apis import events as external
from external_apis.models import Credential, Sender
from maintenance import events as maintenance
from monitoring import domain_lines
from reservations import events as reservations
from sessions_app import events as sessions

NOW = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
SENDER = Sender(pk=3, provider="meta", channel="whatsapp", address="1001", label="+40 21 000 0000")
CREDENTIAL = Credential(pk=4, provider="meta", label="the token", secret="a-secret")
OF_SENDER = {"provider": "meta", "channel": "whatsapp", "sender": 3}
OF_CREDENTIAL = {"provider": "meta", "credential": 4, "label": "the token"}
PAUSED = {"sender": SENDER, "because": "three failed", "now": NOW}
RESUMED = {"sender": SENDER, "paused_at": NOW - timedelta(minutes=3), "now": NOW}
REFUSED = {"credential": CREDENTIAL, "why": "revoked", "now": NOW}
MESSAGE = {"message_id": 5, "session_id": 6, "why": "no"}
MESSAGE_TOLD = {"message": 5, "session": 6, "reason": "no"}
PARKED = {"reminder_id": 7, "code": "132001", "detail": "no template", "now": NOW}
PARKED_TOLD = {"reminder": 7, "code": "132001", "reason": "no template"}
EVENTS: list[tuple[Signal, dict[str, Any], str, dict[str, Any]]] = [
    (external.webhook_refused, {"provider": "meta", "why": "x"}, "warning", {"provider": "meta", "reason": "x"}),
    (external.webhook_ignored, {"provider": "meta", "count": 2}, "info", {"provider": "meta", "count": 2}),
    (external.webhook_event_parked, {"event_id": 8, "why": "x"}, "error", {"webhook_event": 8, "reason": "x"}),
    (external.sender_paused, PAUSED, "error", {**OF_SENDER, "reason": "three failed"}),
    (external.sender_resumed, RESUMED, "warning", {**OF_SENDER, "paused_s": 180}),
    (external.credential_refused, REFUSED, "error", {**OF_CREDENTIAL, "reason": "revoked"}),
    (external.credential_accepted, {"credential": CREDENTIAL, "now": NOW}, "warning", OF_CREDENTIAL),
    (external.credential_retired, {"credential": CREDENTIAL, "now": NOW}, "info", OF_CREDENTIAL),
    (external.credential_kept, REFUSED, "error", {**OF_CREDENTIAL, "reason": "revoked"}),
    (sessions.sessions_abandoned, {"session_ids": [1, 2], "now": NOW}, "warning", {"sessions": 2}),
    (sessions.sessions_handed_over, {"session_ids": [1], "now": NOW}, "warning", {"sessions": 1}),
    (sessions.message_parked, MESSAGE, "error", MESSAGE_TOLD),
    (sessions.message_undelivered, MESSAGE, "error", MESSAGE_TOLD),
    (reservations.reminder_parked, PARKED, "error", PARKED_TOLD),
    (maintenance.backup_failed, {"backup_id": "a", "why": "no"}, "error", {"backup": "a", "reason": "no"}),
    (maintenance.backup_unproven, {"backup_id": "a", "why": "no"}, "error", {"backup": "a", "reason": "no"}),
    (maintenance.proof_overdue, {"why": "it is old"}, "error", {"reason": "it is old"}),
    (reservations.reminder_unconfirmed, {"reminder_id": 7, "now": NOW}, "error", {"reminder": 7}),
]
# It also asks for a run, which tests/catalog/test_reminders_wanted.py looks at.
WANTED = reservations.reminder_wanted


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    monkeypatch.setattr(domain_lines, "log", domain_lines.log.new())  # bound to the captured configuration
    with capture_logs() as lines:
        yield lines


def signals() -> dict[int, str]:
    """Every signal of the islands, by identity, with its name."""
    of_all = {**vars(external), **vars(reservations), **vars(sessions), **vars(maintenance)}
    return {id(value): name for name, value in of_all.items() if isinstance(value, Signal)}


@pytest.mark.parametrize(("signal", "given", "level", "fields"), EVENTS)
def test_each_has_its_line(
    lines: list[Any], signal: Signal, given: dict[str, Any], level: str, fields: dict[str, Any]
) -> None:
    signal.send(**{"sender": None, **given})
    [line] = lines
    assert line.pop("event").endswith(".")
    assert line == {"log_level": level, "what": signals()[id(signal)], **fields}
    assert "+40" not in str(line)
    assert "a-secret" not in str(line)


@pytest.mark.django_db(transaction=True)
def test_what_is_wanted_has_one_too(lines: list[Any]) -> None:
    WANTED.send(None, reminder_ids=[7], by="")
    assert {"what": "reminder_wanted", "reminders": [7]}.items() <= lines[0].items()


def test_no_event_is_without_a_line() -> None:
    assert set(signals()) == {id(WANTED), *(id(signal) for signal, *_ in EVENTS)}
