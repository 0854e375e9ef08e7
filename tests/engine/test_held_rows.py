"""Rows that others hold: a page passes them by and says so, and the next run does what was left."""

from uuid import UUID

import psycopg
import pytest
from django.db import OperationalError, connection

from jobs.engine import batches
from jobs.engine import retention as past
from jobs.models import Run, RunLog, State, TickGap
from tests.engine.conftest import NOON

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other():
    """A connection of somebody else, in a transaction that is undone in the end."""
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.ClientCursor}) as other:
        yield other
        other.rollback()


def test_a_row_that_somebody_holds_is_left_and_the_others_are_done(gaps, run_body, other):
    other.execute("SELECT 1 FROM jobs_tickgap WHERE schedule_name = 'row 5' FOR UPDATE")
    run = run_body(lambda run: run.in_batches(TickGap.objects.all(), lambda page: page.delete()[0], size=4))
    assert (run.state, run.failures, run.result) == (State.SUCCEEDED, 0, 9)
    assert TickGap.objects.get().schedule_name == "row 5"


def test_the_next_run_does_what_was_left(gaps, run_body, other):
    other.execute("SELECT 1 FROM jobs_tickgap WHERE schedule_name = 'row 5' FOR UPDATE")
    run_body(lambda run: run.in_batches(TickGap.objects.all(), lambda page: page.delete()[0]))
    other.rollback()
    assert run_body(lambda run: run.in_batches(TickGap.objects.all(), past.delete), slug="next-job").result == 1


def test_a_page_that_waits_for_what_belongs_to_it_is_left_and_said_so(gaps, run_body, make_run, other):
    runs_of = [make_run(f"job-{n}", state=State.MISSED, overlap_key=None, id=UUID(int=n)) for n in range(3)]
    lines = [RunLog.objects.create(run=run, attempt=1, at=NOON, level="info", message="x") for run in runs_of]
    other.execute("SELECT 1 FROM jobs_runlog WHERE id = %s FOR UPDATE", [lines[1].pk])
    rows = Run.objects.filter(state=State.MISSED)
    run = run_body(lambda run: run.in_batches(rows, past.delete_runs, size=1))
    assert (run.state, run.result) == (State.SUCCEEDED, 2)
    assert list(rows) == [runs_of[1]]
    assert run.log_lines.get(message=batches.LEFT).level == "warning"


def test_an_error_of_another_kind_is_raised(gaps, run_body):
    def act(page) -> int:
        raise OperationalError("the disk is full")

    run = run_body(lambda run: run.in_batches(TickGap.objects.all(), act), retry={"attempts": 1})
    assert (run.state, run.error) == (State.FAILED, "OperationalError: the disk is full")
