"""`manage.py audit`: who did what, from a terminal."""

from collections.abc import Callable

import pytest
from django.db import connection, transaction

from access.models import AuditEntry
from jobs.engine import registry, sync
from tests.cli.conftest import Answer, calling

Call = Callable[..., Answer]


@pytest.fixture
def audit(db: None) -> Call:
    """Runs `manage.py audit …`."""
    return calling("audit")


def change(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_a_whole_audit_is_said_to_be_whole(audit: Call, cron: Call, synced: None) -> None:
    assert audit("verify").text == "The audit is whole: 0 entries, the last with the seal -.\n"
    cron("pause", "backup-data", "--reason", "disk")
    head = AuditEntry.objects.get().seal or audit("verify", "--json").data["head"]
    answer = audit("verify", "--expect", head)
    assert (answer.code, answer.text) == (0, f"The audit is whole: 1 entry, the last with the seal {head}.\n")


def test_a_changed_one_fails_with_its_place(audit: Call, cron: Call, synced: None) -> None:
    cron("pause", "backup-data", "--reason", "disk")
    audit("verify")
    change("UPDATE access_auditentry SET actor = 'eve'")
    answer = audit("verify")
    assert answer.code == 1
    assert answer.text.startswith("Entry 1 of the chain")
    assert audit("verify", "--json").data == {"entries": 0, "head": None, "problem": answer.text.strip()}


def test_what_was_done_is_listed_newest_first(audit: Call, cron: Call, synced: None) -> None:
    assert audit("list").text == "Nothing was done yet.\n"
    cron("pause", "backup-data", "--reason", "disk")
    cron("resume", "backup-data")
    cron("pause", "daily-report", "--reason", "holiday")
    assert [each["action"] for each in audit("list", "--json").data] == ["job-paused", "job-resumed", "job-paused"]
    assert len(audit("list", "-n", "1", "--json").data) == 1
    assert len(audit("list", "--action", "job-paused", "--json").data) == 2
    [resumed] = audit("list", "--subject", "job backup-data", "--action", "job-resumed", "--json").data
    assert (resumed["via"], resumed["before"]["pause_reason"]) == ("cli", "disk")
    assert "job daily-report" in audit("list").text


def test_an_edit_is_taken_back(audit: Call, cron: Call, synced: None) -> None:
    row = sync.row_of(registry.get("backup-data"))
    assert row is not None
    row.crontab.hour = "23"
    row.crontab.save()
    cron("reset", "backup-data")
    entry = AuditEntry.objects.get(action="schedule-edited")
    assert "says again what it said before" in audit("revert", str(entry.pk)).text
    row = sync.row_of(registry.get("backup-data"))
    assert row is not None
    assert row.crontab.hour == "23"


@pytest.mark.parametrize("entry", ["1", "9223372036854775807"])
def test_what_is_no_edit_is_not_taken_back(audit: Call, entry: str) -> None:
    answer = audit("revert", entry)
    assert (answer.code, answer.refusal) == (
        2,
        f"The audit's entry {entry} is no edit of a schedule that could be taken back.",
    )
