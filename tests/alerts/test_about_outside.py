"""When something is wrong with credentials, senders and backups."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from external_apis.models import Sender
from jobs.engine import sql
from maintenance.backup.standing import OVERDUE_AFTER
from maintenance.models import Backup
from monitoring.alerts import about_outside
from tests.alerts.conftest import make_backup

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({"status": "valid"}, None),
        ({"status": "unchecked"}, None),
        ({"status": "invalid"}, "critical"),
        ({"status": "insufficient", "why": "may not send"}, "critical"),
        ({"status": "insufficient", "why": "may not read", "still_sends": True}, "warning"),
        ({"status": "expiring"}, "warning"),
    ],
    ids=str,
)
def test_a_credential(fields: dict[str, Any], severity: str | None, make_credential: Callable[..., Any]) -> None:
    if fields["status"] == "invalid":
        fields = {**fields, "invalid_since": sql.now()}
    make_credential(in_use=True, label="main", secret="never-told", **fields)
    make_credential(in_use=False, label="old", secret="never-told", **fields)
    found = about_outside.find_credentials()
    assert [(each.subject, str(each.severity)) for each in found] == ([("Meta main", severity)] if severity else [])
    assert "never-told" not in str(found)


@pytest.mark.parametrize(
    ("pause", "severity"), [("outage", "warning"), ("config", "critical"), ("refused", "critical")]
)
def test_a_paused_sender(pause: str, severity: str) -> None:
    Sender.objects.create(
        provider="meta", channel="whatsapp", address="1", paused_at=sql.now(), pause=pause, paused_because="locked"
    )
    Sender.objects.create(
        provider="meta",
        channel="whatsapp",
        address="2",
        in_use=False,
        paused_at=sql.now(),
        pause=pause,
        paused_because="locked",
    )
    [found] = about_outside.find_senders()
    assert (str(found.severity), "locked" in found.summary) == (severity, True)


SECOND = timedelta(seconds=3)


@pytest.mark.parametrize(
    ("age", "severity"),
    [
        (OVERDUE_AFTER - SECOND, None),
        (OVERDUE_AFTER + SECOND, "warning"),
        (2 * OVERDUE_AFTER - SECOND, "warning"),
        (2 * OVERDUE_AFTER + SECOND, "critical"),
    ],
)
def test_a_backup(age: timedelta, severity: str | None) -> None:
    make_backup(proven_at=sql.now())
    Backup.objects.update(created_at=sql.now() - age)
    assert [str(each.severity) for each in about_outside.find_backups(enabled=True)] == ([severity] if severity else [])
    assert about_outside.find_backups(enabled=False) == []
