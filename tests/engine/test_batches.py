"""Database work page by page: one commit a page, the filter applied anew, resumed where it stopped."""

from uuid import UUID

import pytest
from django_celery_results.models import TaskResult

from jobs.engine import batches, runs
from jobs.models import Coverage, Run, State, TickGap
from tests.engine.conftest import NOON, again

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_row_is_worked_on_once_in_pages_of_the_given_size(gaps, run_body):
    pages = []

    def act(page) -> int:
        pages.append(list(page.order_by("pk").values_list("schedule_name", flat=True)))
        return page.update(count=1)

    run = run_body(lambda run: run.in_batches(TickGap.objects.all(), act, size=4))
    assert (run.state, run.result) == (State.SUCCEEDED, 10)
    assert [len(page) for page in pages] == [4, 4, 2]
    assert [name for page in pages for name in page] == [f"row {n}" for n in range(10)]
    assert run.progress == {"done": 10, "total": 10, "note": "tick gaps"}


@pytest.mark.parametrize(("rows", "pages"), [(0, 0), (1, 1), (4, 1), (5, 2), (8, 2)])
def test_there_is_no_page_too_many_or_too_few(gaps, run_body, rows, pages):
    seen = []
    TickGap.objects.filter(schedule_name__gte=f"row {rows}").delete()
    run = run_body(
        lambda run: run.in_batches(TickGap.objects.all(), lambda page: seen.append(1) or page.count(), size=4)
    )
    assert (run.result, len(seen)) == (rows, pages)


def test_deleting_page_by_page_deletes_everything(gaps, run_body):
    run = run_body(lambda run: run.in_batches(TickGap.objects.all(), lambda page: page.delete()[0], size=3))
    assert (run.result, TickGap.objects.count()) == (10, 0)


def test_a_row_that_stopped_matching_between_looking_and_acting_is_left_alone(gaps, run_body):
    seen = []

    def act(page) -> int:
        seen.extend(page.values_list("schedule_name", flat=True))
        TickGap.objects.filter(schedule_name="row 5").update(count=1)  # somebody else was first
        return page.update(count=1)

    run_body(lambda run: run.in_batches(TickGap.objects.filter(count=0), act, size=4))
    assert "row 5" not in seen
    assert len(seen) == 9


def test_an_error_leaves_whole_pages_done_and_the_next_attempt_goes_on_behind_them(gaps, run_body):
    worked_on, failing = [], [True]

    def act(page) -> int:
        names = list(page.order_by("pk").values_list("schedule_name", flat=True))
        page.update(count=7)
        if "row 4" in names and failing:
            failing.pop()
            raise ValueError("in the middle of a page")
        worked_on.extend(names)
        return len(names)

    run = run_body(lambda run: run.in_batches(TickGap.objects.all(), act, size=4))
    assert (run.state, run.progress["done"]) == (State.RETRYING, 4)
    assert TickGap.objects.filter(count=7).count() == 4
    run = again(run)
    assert (run.state, run.result) == (State.SUCCEEDED, 10)
    assert worked_on == [f"row {n}" for n in range(10)]


def test_a_drain_stops_between_pages_and_nothing_is_done_twice_afterwards(gaps, run_body, make_worker):
    worker, worked_on = make_worker("w"), []

    def act(page) -> int:
        worked_on.extend(page.order_by("pk").values_list("schedule_name", flat=True))
        worker.draining_at = NOON
        worker.save()
        return page.count()

    def body(run) -> list[int]:
        return [run.in_batches(TickGap.objects.all(), act, size=4) for _ in range(2)]

    run = run_body(body)
    assert (run.state, run.failures, len(worked_on)) == (State.QUEUED, 0, 4)
    run = again(run)
    assert run.progress == {"done": 8, "total": 10, "note": "tick gaps"}
    while run.state == State.QUEUED:
        run = again(run)
    assert (run.state, run.result) == (State.SUCCEEDED, [10, 10])
    assert worked_on == [f"row {n}" for n in range(10)] * 2


def test_a_cancel_stops_behind_a_committed_page(gaps, run_body):
    def body(run) -> int:
        def act(page) -> int:
            runs.cancel(run.id, by="ana")
            return page.update(count=1)

        return run.in_batches(TickGap.objects.all(), act, size=4)

    run = run_body(body)
    assert (run.state, run.progress["done"]) == (State.CANCELLED, 4)
    assert TickGap.objects.filter(count=1).count() == 4


def test_an_attempt_that_lost_its_run_rolls_its_page_back(gaps, run_body):
    def body(run) -> int:
        def act(page) -> int:
            return page.update(count=1)

        run.in_batches(TickGap.objects.filter(schedule_name__lt="row 2"), act)
        runs.give_back(Run.objects.get(pk=run.id), reason="lease", counts=True)
        return run.in_batches(TickGap.objects.all(), act, size=4)

    run = run_body(body)
    assert run.state == State.QUEUED
    assert TickGap.objects.filter(count=1).count() == 2


def test_keys_may_be_uuids_or_texts_as_well_as_numbers(run_body, make_run):
    for n in range(7):
        make_run(f"job-{n}", state=State.MISSED, overlap_key=None, id=UUID(int=n))
        Coverage.objects.create(job=f"job-{n}", until=NOON)
        TaskResult.objects.create(task_id=str(n))
    bodies = [Run.objects.filter(state=State.MISSED), Coverage.objects.all(), TaskResult.objects.all()]
    run = run_body(lambda run: [run.in_batches(rows, lambda page: page.delete()[0], size=3) for rows in bodies])
    assert run.result == [7, 7, 7]


def test_a_dry_run_only_counts_and_shows_a_sample(gaps, run_body):
    run = run_body(lambda run: {"deleted": run.in_batches(TickGap.objects.all(), fail)}, dry_run=True)
    keys = [str(key) for key in TickGap.objects.order_by("pk").values_list("pk", flat=True)[:5]]
    assert run.result == {"dryRun": True, "sample": {"jobs.TickGap": keys}, "deleted": 10}


def fail(_page) -> int:
    raise AssertionError("nothing is touched in a dry run")


def test_keywords_reach_the_action(gaps, run_body):
    def act(page, *, count: int) -> int:
        return page.update(count=count)

    run_body(lambda run: run.in_batches(TickGap.objects.all(), act, count=9))
    assert set(TickGap.objects.values_list("count", flat=True)) == {9}


def test_the_filter_may_refer_to_rows_that_the_pages_change(gaps, run_body):
    rows = TickGap.objects.filter(count=0).order_by("-schedule_name")
    assert run_body(lambda run: run.in_batches(rows, lambda page: page.update(count=1), size=3)).result == 10


def test_a_page_is_a_few_statements(gaps, run_body, django_assert_max_num_queries):
    def body(run) -> None:
        with django_assert_max_num_queries(
            3 * 6 + 2
        ):  # end, begin, patience, act, progress, commit; count and progress
            run.in_batches(TickGap.objects.all(), lambda page: page.update(count=1), size=4)

    run_body(body)


def test_rows_that_come_to_match_while_it_works_are_for_the_next_run(gaps, run_body):
    def act(page) -> int:
        TickGap.objects.create(schedule_name="new", job="job", first=NOON, last=NOON, count=0, fate="missed")
        return page.delete()[0]

    run = run_body(lambda run: run.in_batches(TickGap.objects.all(), act, size=4))
    assert (run.state, run.result) == (State.SUCCEEDED, 10)
    assert set(TickGap.objects.values_list("schedule_name", flat=True)) == {"new"}


def test_a_dry_run_shows_a_sample_of_every_step_on_a_table(gaps, run_body):
    first, second = TickGap.objects.filter(schedule_name="row 1"), TickGap.objects.filter(schedule_name="row 2")
    run = run_body(lambda run: run.in_batches(first, fail) + run.in_batches(second, fail), dry_run=True)
    assert run.result["sample"] == {"jobs.TickGap": [str(first.get().pk), str(second.get().pk)]}


@pytest.mark.parametrize(
    ("rows", "took", "following"),
    [
        (1000, batches.PAGE_S, 1000),
        (1000, batches.PAGE_S / 1.5, 1500),
        (1000, batches.PAGE_S / 10, 2000),
        (1000, batches.PAGE_S * 1.25, 800),
        (1000, batches.PAGE_S * 10, 500),
        (150, batches.PAGE_S * 10, 100),
        (20_000, 0.0, 25_000),
    ],
)
def test_a_page_is_as_large_as_its_time_allows_and_changes_by_no_more_than_a_factor_of_two(rows, took, following):
    assert batches._next_size(rows, took=took) == following
