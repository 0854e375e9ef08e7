"""The brake: a deletion that is implausibly large, or whose clock is, stops before it removes anything."""

from datetime import timedelta

import pytest

from jobs.engine import dispatch, registry
from jobs.models import State, TickGap, Trigger
from tests.engine.conftest import NOON, again

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("held", "removed", "brakes"),
    [(999, 999, False), (1000, 1000, True), (2000, 1000, False), (1999, 1000, True), (4000, 2001, True)],
)
def test_the_brake_stops_more_than_half_of_a_table_from_a_thousand_rows_on(run_body, held, removed, brakes):
    TickGap.objects.bulk_create(
        TickGap(schedule_name="row", job="job", first=NOON, last=NOON, count=n, fate="missed") for n in range(held)
    )

    def body(run) -> int:
        return run.in_batches(TickGap.objects.filter(count__lt=removed), lambda page: page.delete()[0])

    run = run_body(body, destructive=True)
    assert (run.state, run.reason) == ((State.FAILED, "brake") if brakes else (State.SUCCEEDED, ""))
    assert TickGap.objects.count() == (held if brakes else held - removed)
    if brakes:
        assert f"{removed} of {held} tick gaps would be removed" in run.error


def test_a_new_run_that_names_the_stopped_one_releases_the_brake_and_no_other_job_is_braked(run_body):
    TickGap.objects.bulk_create(
        TickGap(schedule_name="row", job="job", first=NOON, last=NOON, count=n, fate="missed") for n in range(1000)
    )

    def body(run) -> int:
        return run.in_batches(TickGap.objects.all(), lambda page: page.update(count=0))

    stopped = run_body(body, destructive=True)
    assert stopped.reason == "brake"
    job = registry.get("probe-job")
    confirming = dispatch.trigger(job, by="ana", via=Trigger.API, publish=lambda _: None, confirms=stopped.pk)
    assert again(confirming).result == 1000
    assert run_body(body, slug="harmless-job").result == 1000


def test_a_resumed_run_counts_what_it_has_removed_already(run_body, make_worker):
    TickGap.objects.bulk_create(
        TickGap(schedule_name="row", job="job", first=NOON, last=NOON, count=n, fate="missed") for n in range(3000)
    )
    make_worker("w", draining_at=NOON)
    rows = TickGap.objects.filter(count__lt=1400)
    run = run_body(lambda run: run.in_batches(rows, lambda page: page.delete()[0], size=700), destructive=True)
    while run.state == State.QUEUED:
        run = again(run)
    assert (run.state, run.result, TickGap.objects.count()) == (State.SUCCEEDED, 1400, 1600)


@pytest.mark.parametrize(
    ("latest", "brakes"),
    [
        (timedelta(days=1), False),
        (timedelta(days=1, seconds=1), True),
        (-timedelta(days=45), False),
        (-timedelta(days=45, seconds=1), True),
    ],
)
def test_the_brake_stops_a_deletion_by_a_clock_that_is_implausible(gaps, run_body, make_run, latest, brakes):
    make_run(state=State.SUCCEEDED, finished_at=NOON + latest)
    run = run_body(lambda run: run.in_batches(TickGap.objects.all(), lambda page: page.delete()[0]), destructive=True)
    assert (run.reason == "brake") is brakes
    assert TickGap.objects.count() == (10 if brakes else 0)
    if brakes:
        assert "The clock says 2026-06-01 12:00 UTC" in run.error
