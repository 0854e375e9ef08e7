"""Sessions from a table."""

from datetime import UTC, datetime

import pytest

from sessions_app.models import Session
from tests.imports.conftest import run_command

HEADER = "reference,phone,name,channel,status,started_at,last_activity_at,resolved_at,closed_at"
BEGAN, SPOKE, ENDED = (f"2026-11-20T{hour}:00+02:00" for hour in ("09", "10", "11"))


def row(status="open", *, reference="S-1", phone="+40712345678", last=SPOKE, resolved="", closed=""):
    return f"{reference},{phone},Ana Pop,whatsapp,{status},{BEGAN},{last},{resolved},{closed}"


@pytest.fixture
def sessions(db, write):
    """Imports a table of sessions of these lines."""

    def load(*lines, options=()):
        return run_command("import_sessions", write(*lines), "--json", *options)

    return load


def test_every_column_reaches_its_field(sessions):
    assert sessions(HEADER, row("resolved", resolved=ENDED)).code == 0

    found = Session.objects.get()
    assert (found.reference, str(found.customer_phone), found.customer_name) == ("S-1", "+40712345678", "Ana Pop")
    assert (found.channel, found.status, found.closed_at) == ("whatsapp", "resolved", None)
    assert found.started_at == datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
    assert found.last_activity_at == datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    assert found.resolved_at == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def test_only_four_columns_are_needed(sessions):
    assert sessions("reference,phone,channel,started_at", f"S-1,+40712345678,sms,{BEGAN}").code == 0

    found = Session.objects.get()
    assert (found.status, found.customer_name, found.last_activity_at) == ("open", "", found.started_at)


def test_the_last_activity_is_the_end_where_it_is_not_given(sessions):
    sessions(HEADER, row("closed", last="", closed=ENDED))

    assert Session.objects.get().last_activity_at == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        (row("resolved"), "resolved_at", "a session that is resolved needs this time"),
        (row("closed"), "closed_at", "a session that is closed needs this time"),
        (row("abandoned", resolved=ENDED), "closed_at", "a session that is abandoned needs this time"),
        (row("error"), "status", "which a file cannot give"),
        (row(last="2026-11-20T08:59+02:00"), "last_activity_at", "It lies before started_at."),
        (row("closed", closed="2026-11-19T09:00+02:00"), "closed_at", "It lies before started_at."),
        (row("open", last="10:00"), "last_activity_at", "It is not a time."),
        (row(reference=""), "reference", "It is empty."),
        (row(reference="S" * 65), "reference", "at most 64 characters"),
        (row(phone="+4071"), "phone", "is not valid"),
        (row("solved"), "status", "Did you mean 'resolved'?"),
    ],
)
def test_a_session_that_cannot_be_is_refused(sessions, line, column, said):
    answer = sessions(HEADER, line)

    assert answer.code == 1
    [(at, where, reason)] = answer.reasons
    assert (at, where) == (2, column)
    assert said in reason
    assert not Session.objects.exists()


def test_a_last_activity_at_the_very_beginning_is_taken(sessions):
    assert sessions(HEADER, row(last=BEGAN)).code == 0


def test_a_second_import_changes_nothing_and_one_that_differs_updates(sessions):
    assert sessions(HEADER, row()).data["created"] == 1
    assert sessions(HEADER, row()).data["unchanged"] == 1
    assert sessions(HEADER, row("resolved", resolved=ENDED)).data["updated"] == 1
    assert Session.objects.get().status == "resolved"


def test_a_move_that_the_database_refuses_is_told_in_its_words(sessions):
    sessions(HEADER, row("closed", closed=ENDED), row(reference="S-2"))
    answer = sessions(
        HEADER,
        row("resolved", resolved=ENDED, closed=ENDED),
        row("waiting", reference="S-2"),
        options=("--skip-refused",),
    )

    assert answer.reasons == [(2, "", "The database refuses it: a session cannot go from closed to resolved.")]
    assert (answer.code, answer.data["updated"]) == (3, 1)
    assert Session.objects.get(reference="S-2").status == "waiting"


def test_what_was_noted_about_an_error_goes_with_it(sessions, make_session):
    now = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    make_session("error", reference="S-1", last_activity_at=now, next_try_at=now, tries=3, reason="no answer")
    sessions(HEADER, row("open"))

    found = Session.objects.get()
    assert (found.status, found.error_cause, found.error, found.tries, found.next_try_at) == ("open", "", "", 0, None)
    assert (found.reason, found.moved_by) == ("as the imported file says", "import")


def test_a_session_that_stays_where_it_is_keeps_what_was_noted(sessions, make_session):
    now = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    make_session(reference="S-1", last_activity_at=now, reason="opened again", moved_by="ana")
    sessions(HEADER, row("open"))

    found = Session.objects.get()
    assert (found.customer_name, found.reason, found.moved_by) == ("Ana Pop", "opened again", "ana")


def test_sessions_without_a_reference_are_left_alone(sessions, make_session):
    now = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    make_session(last_activity_at=now)
    make_session(last_activity_at=now)

    assert sessions(HEADER, row()).data["created"] == 1
    assert Session.objects.count() == 3
