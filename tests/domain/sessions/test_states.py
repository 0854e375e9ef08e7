from itertools import permutations

import pytest
from django.db import IntegrityError, connection, transaction

from sessions_app import states
from sessions_app.models import Session
from tests.domain.sessions.conversing import NOW

pytestmark = pytest.mark.django_db

PAIRS = list(permutations(states.Status.values, 2))
ALLOWED = [(old, new) for old, targets in states.MOVES.items() for new in targets]


def put_into(session: Session, status: str) -> None:
    """As somebody would with raw SQL who fills in whatever else the state demands."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sessions_app_session SET status = %s, resolved_at = %s, closed_at = %s, next_try_at = %s,"
            " error_cause = 'provider' WHERE id = %s",
            [status, NOW, NOW, NOW, session.pk],
        )


@pytest.fixture
def session_in(make_session):
    def make(status):
        return make_session(status, last_activity_at=NOW, next_try_at=NOW)

    return make


@pytest.mark.parametrize(("old", "new"), [pair for pair in PAIRS if pair in ALLOWED])
def test_the_database_lets_every_allowed_move_pass(session_in, old, new):
    session = session_in(old)

    put_into(session, new)

    session.refresh_from_db()
    assert session.status == new


@pytest.mark.parametrize(("old", "new"), [pair for pair in PAIRS if pair not in ALLOWED])
def test_the_database_refuses_every_other_move_and_names_both_states(session_in, old, new):
    session = session_in(old)

    with pytest.raises(IntegrityError, match=f"a session cannot go from {old} to {new}"):
        put_into(session, new)

    session.refresh_from_db()
    assert session.status == old


@pytest.mark.parametrize("status", states.Status.values)
def test_staying_where_it_is_is_no_move(session_in, status):
    put_into(session_in(status), status)


@pytest.mark.parametrize("status", states.Status.values)
def test_a_session_may_come_in_any_state_from_elsewhere(session_in, status):
    assert session_in(status).status == status


def test_every_state_stands_in_the_table_and_is_either_current_or_ended():
    assert list(states.MOVES) == states.Status.values
    assert {*states.CURRENT, *states.ENDED} == set(states.Status)
    assert not {*states.CURRENT} & {*states.ENDED}


def test_the_trigger_can_be_taken_away_and_made_anew(session_in):
    [guard] = [each for each in Session._meta.constraints if isinstance(each, states.AllowedMoves)]
    narrower = states.AllowedMoves(field="status", moves=["open>closed"], name=guard.name)

    with connection.schema_editor() as editor:
        editor.remove_constraint(Session, guard)
        editor.add_constraint(Session, narrower)

    with pytest.raises(IntegrityError, match="cannot go from open to waiting"):
        put_into(session_in("open"), "waiting")


def test_two_sessions_cannot_come_from_the_same_place_elsewhere(make_session):
    make_session(reference="A-1")
    make_session()
    make_session()

    with pytest.raises(IntegrityError, match="session_reference_is_unique"), transaction.atomic():
        make_session(reference="A-1")
