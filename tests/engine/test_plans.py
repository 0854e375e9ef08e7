"""The statements of every second find their rows by their partial indexes, with ten thousand schedules and fifty
thousand runs that have ended."""

import re
from datetime import timedelta

import pytest

from jobs.engine import dispatch, ledger, pulse, runs, schedules
from jobs.models import Run, Schedule, State
from tests.engine.conftest import HOUR, NOON, known
from tests.plans import plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("filled")]

FILL = """
INSERT INTO jobs_schedule (periodic_task_id, name, job, task, queue, arguments, timing, enabled, one_off, dirty, broken,
                           paused_by, pause_reason, next_tick_at)
SELECT n, 'row ' || n, '', 'tests.probe', 'cron', '{}', '{}', true, false, false, '', '', '',
       '2026-06-01 12:00Z'::timestamptz + n * interval '1 second'
  FROM generate_series(1, 10000) n;
INSERT INTO jobs_run (id, job, task, queue, state, reason, trigger, triggered_by, schedule_name, late, arguments,
                      dry_run, overlap_key, attempt, failures, publish_count, worker, cancel_requested_by, error,
                      traceback, finished_at)
SELECT md5(n::text)::uuid, 'job ' || n % 16, 't', 'cron', 'succeeded', '', 'api', '', '', false, '{}', false,
       'job ' || n % 16, 1, 0, 1, 'w', '', '', '', '2026-06-01 12:00Z'::timestamptz - n * interval '1 second'
  FROM generate_series(1, 50000) n;
ANALYZE jobs_schedule, jobs_run;
"""


def indexes(statement: str, values=()) -> set[str]:
    return set(re.findall(r'"Index Name": "([^"]+)"', plan(statement, values)))


def scanned_whole(statement: str, values=()) -> bool:
    """Whether one of the two tables that grow is read from end to end; small ones may be."""
    return bool(
        re.search(r'"Node Type": "Seq Scan"[^{}]*"Relation Name": "jobs_(run|schedule)"', plan(statement, values))
    )


@pytest.mark.parametrize("now", [NOON, NOON + timedelta(seconds=30), NOON + HOUR])
def test_due_schedules_are_found_by_their_next_tick(now):
    values = {"now": now, "limit": 1000}
    assert "schedule_due" in indexes(ledger.TAKE_DUE, values)
    assert not scanned_whole(ledger.TAKE_DUE, values)


def test_the_next_moment_is_found_without_looking_at_every_row():
    assert {"schedule_due", "run_to_retry", "run_to_publish"} <= indexes(pulse.NEXT)
    assert not scanned_whole(pulse.NEXT)


def test_the_outbox_is_found_by_when_it_is_due():
    values = {
        "now": NOON,
        "base": dispatch.PUBLISH_AGAIN,
        "jitter": dispatch.PUBLISH_JITTER,
        "cap": dispatch.PUBLISH_LONGEST,
        "limit": 1000,
    }
    assert "run_to_publish" in indexes(dispatch.OUTBOX, values)
    assert not scanned_whole(dispatch.OUTBOX, values)


def sql_of(queryset) -> tuple[str, tuple]:
    return queryset.query.sql_with_params()


def test_retries_and_edits_are_found_by_their_own_small_indexes():
    due = Run.objects.filter(state=State.RETRYING, available_at__lte=NOON)
    assert "run_to_retry" in indexes(*sql_of(due))
    dirty = Schedule.objects.filter(dirty=True).order_by("id")[:500]
    assert "schedule_dirty" in indexes(*sql_of(dirty))


def test_active_runs_of_a_job_are_found_without_the_ended_ones():
    active = Run.objects.filter(overlap_key__in=["job 1", "job 2"], state__in=("queued", "running", "retrying"))
    assert "run_active" in indexes(*sql_of(active))


def test_a_claim_looks_at_one_run_and_at_the_running_ones():
    values = {"id": "00000000-0000-0000-0000-000000000001", "worker": "w", "task": "t", "now": None}
    assert not scanned_whole(runs.CLAIM, values)


def test_a_step_of_an_idle_scheduler_takes_few_statements_however_many_schedules_there_are(django_assert_num_queries):
    with django_assert_num_queries(3):  # savepoint, look, release
        assert schedules.refresh(NOON, known()) == 0
