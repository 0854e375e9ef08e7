"""The audit: who did what, from where; append-only, chained, and checked from end to end."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from access import audit, origin
from access.models import Action, AuditEntry
from access.origin import Origin, Via

pytestmark = pytest.mark.django_db


def write(*subjects: str) -> list[AuditEntry]:
    for subject in subjects:
        audit.note(Action.JOB_PAUSED, subject, by="ana", before={"n": 1}, after={"n": 2, "text": "ășț"})
    return list(AuditEntry.objects.order_by("pk"))


def past_the_trigger(statement: str, *values: Any) -> None:
    """What somebody with the database's own powers could do."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_an_entry_tells_who_did_what_and_from_where() -> None:
    come = origin.current.set(Origin(via=Via.API, address="192.0.2.7"))
    try:
        [entry] = write("job a")
    finally:
        origin.current.reset(come)
    assert (entry.actor, entry.via, entry.address) == ("ana", "api", "192.0.2.7")
    assert (entry.action, entry.subject) == ("job-paused", "job a")
    assert (entry.before, entry.after) == ({"n": 1}, {"n": 2, "text": "ășț"})


def test_what_is_too_long_is_cut_and_nothing_is_refused() -> None:
    audit.note(Action.JOB_PAUSED, "s" * 300, by="b" * 300)
    entry = AuditEntry.objects.get()
    assert (len(entry.subject), len(entry.actor)) == (255, 200)
    assert audit.verify().problem == ""


def test_entries_are_chained_in_their_order() -> None:
    write("a", "b", "c")
    assert audit.seal() == 3
    assert audit.seal() == 0
    entries = list(AuditEntry.objects.order_by("position"))
    assert [entry.subject for entry in entries] == ["a", "b", "c"]
    assert [entry.position for entry in entries] == [1, 2, 3]
    assert len({entry.seal for entry in entries}) == 3
    assert audit.verify() == audit.Verified(entries=3, head=entries[-1].seal)


def test_an_entry_that_was_committed_late_comes_at_the_end() -> None:
    first, second = write("begun first", "committed first")
    past_the_trigger("UPDATE access_auditentry SET id = %s WHERE id = %s", second.pk + 10, first.pk)
    audit.seal()
    past_the_trigger("UPDATE access_auditentry SET id = %s WHERE id = %s", first.pk, second.pk + 10)
    late = AuditEntry.objects.get(subject="begun first")
    assert late.position == 2


def test_more_than_fit_into_one_round_are_sealed_in_several() -> None:
    write(*"abcde")
    assert audit.seal(limit=2) == 2
    assert audit.verify().entries == 5


def test_an_empty_audit_is_whole() -> None:
    assert audit.verify() == audit.Verified(entries=0, head="")


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'eve'",
        "subject = 'x'",
        "before = '{}'",
        "after = NULL",
        "address = '::1'",
        "at = at - interval '1 day'",
    ],
)
def test_a_changed_entry_shows(change: str) -> None:
    write("a", "b", "c")
    audit.seal()
    past_the_trigger(f"UPDATE access_auditentry SET {change} WHERE position = 2")  # noqa: S608
    told = audit.verify()
    assert told.entries == 1
    assert "Entry 2" in told.problem


def test_a_missing_entry_shows() -> None:
    write("a", "b", "c")
    audit.seal()
    past_the_trigger("DELETE FROM access_auditentry WHERE position = 2")
    assert audit.verify().problem == "After entry 1 of the chain 1 are missing."


def test_a_chain_cut_at_its_end_shows_by_a_seal_that_was_noted() -> None:
    write("a", "b", "c")
    head = audit.verify().head
    assert audit.verify(expected=head).problem == ""
    past_the_trigger("DELETE FROM access_auditentry WHERE position = 3")
    assert audit.verify().problem == ""
    assert f"No entry has the seal {head}" in audit.verify(expected=head).problem


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access_auditentry SET actor = 'eve'",
        "UPDATE access_auditentry SET position = 7, seal = 'x', actor = 'eve'",
        "DELETE FROM access_auditentry",
        "TRUNCATE access_auditentry",
    ],
)
@pytest.mark.parametrize("sealed", [True, False])
def test_the_database_refuses_to_change_the_past(statement: str, sealed: bool) -> None:
    write("a")
    if sealed:
        audit.seal()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEntry.objects.get().actor == "ana"


def test_a_sealed_entry_keeps_its_place() -> None:
    write("a")
    audit.seal()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.update(position=2)


def test_what_was_not_done_is_not_written_down() -> None:
    with transaction.atomic():
        write("a")
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


def test_a_person_who_signs_in_is_written_down_with_their_address(make_user: Callable[..., Any]) -> None:
    make_user("ana", password="a long password", is_staff=True)
    Client(REMOTE_ADDR="192.0.2.9").post("/admin/login/", {"username": "ana", "password": "a long password"})
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.address, entry.via) == ("signed-in", "ana", "192.0.2.9", "page")


def test_changes_in_the_admin_are_written_down_without_values(admin_client: Client, admin_user: Any) -> None:
    added = {
        "username": "bob",
        "password1": "a long password",
        "password2": "a long password",
        "usable_password": "true",
    }
    assert admin_client.post("/admin/auth/user/add/", added).status_code == 302
    entry = AuditEntry.objects.exclude(action="signed-in").get()
    assert (entry.action, entry.actor) == ("record-added", admin_user.username)
    assert entry.subject.startswith("auth.user ")
    assert "a long password" not in str(entry.after)


@pytest.mark.parametrize("by_action", [True, False])
def test_deletions_in_the_admin_are_written_down(
    admin_client: Client, make_user: Callable[..., Any], by_action: bool
) -> None:
    gone = make_user("gone").pk
    if by_action:
        chosen = {"action": "delete_selected", "post": "yes", "_selected_action": [gone]}
        admin_client.post("/admin/auth/user/", chosen)
    else:
        admin_client.post(f"/admin/auth/user/{gone}/delete/", {"post": "yes"})
    entry = AuditEntry.objects.exclude(action="signed-in").get()
    assert (entry.action, entry.subject) == ("record-deleted", f"auth.user {gone}")
