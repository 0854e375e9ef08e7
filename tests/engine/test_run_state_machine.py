"""Whatever two workers, an impatient person and a scheduler do to the runs of one job, and in whatever order."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from jobs.engine import recovery, runs
from jobs.engine.dispatch import trigger
from jobs.engine.errors import AlreadyWaiting, Cancelled, Fenced, NotCancellable
from jobs.engine.outcome import finish
from jobs.engine.registry import get
from jobs.models import EXECUTED, Coverage, DailyTotal, Run, State, Trigger
from tests.engine.conftest import NOON

JOB = "daily-report"
WORKERS = st.sampled_from(["left", "right"])
CHOICE = st.integers(min_value=0, max_value=9)


class Machine(RuleBasedStateMachine):
    """Each worker remembers every attempt it ever held, as one that was frozen would, and may act on any of them."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.held: dict[str, list[Run]] = {"left": [], "right": []}
        self.effects: Counter[tuple[Any, int]] = Counter()
        self.covered: list[Any] = []
        for model in (Run, DailyTotal, Coverage):
            model.objects.all().delete()

    @rule()
    def ask(self) -> None:
        before = Run.objects.filter(state__in=(State.QUEUED, State.RETRYING)).exists()
        try:
            trigger(get(JOB), by="ana", via=Trigger.API, publish=lambda _: None)
        except AlreadyWaiting:
            assert before
        else:
            assert not before

    @rule(number=st.integers(min_value=0, max_value=2))
    def tick(self, number: int) -> None:
        Run.objects.get_or_create(
            schedule_name=JOB,
            tick=NOON + timedelta(hours=number),
            defaults={"job": JOB, "task": f"jobs.{JOB}", "queue": "cron", "overlap_key": JOB},
        )

    @rule(worker=WORKERS, which=CHOICE)
    def claim(self, worker: str, which: int) -> None:
        for run in self._some(Run.objects.all(), which):
            self.now += timedelta(seconds=1)
            taken = runs.claim(run.pk, worker=worker, now=self.now)
            if taken is None:
                assert run.state != State.QUEUED or Run.objects.filter(state=State.RUNNING).exists()
            else:
                assert run.state == State.QUEUED
                self.held[worker].append(Run.objects.get(pk=run.pk))

    @precondition(lambda self: any(self.held.values()))
    @rule(worker=WORKERS, which=CHOICE, how=st.sampled_from([State.SUCCEEDED, State.FAILED, State.CANCELLED]))
    def end(self, worker: str, which: int, how: State) -> None:
        for run in self._attempt(worker, which):
            with transaction.atomic():
                if finish(run, state=how, now=self.now) and how == State.SUCCEEDED:
                    self.effects[run.pk, run.attempt] += 1
                    self.covered.append(Run.objects.get(pk=run.pk).covers_to)

    @precondition(lambda self: any(self.held.values()))
    @rule(worker=WORKERS, which=CHOICE)
    def go_on(self, worker: str, which: int) -> None:
        for run in self._attempt(worker, which):
            try:
                runs.write_progress(run.pk, run.attempt, worker=run.worker, progress={"done": 1}, cursor=None)
            except Fenced:
                assert not self._holds(run)
            except Cancelled:
                assert self._holds(run)

    @precondition(lambda self: any(self.held.values()))
    @rule(worker=WORKERS, which=CHOICE, counts=st.booleans())
    def give_back(self, worker: str, which: int, counts: bool) -> None:
        for run in self._attempt(worker, which):
            holds = self._holds(run)
            assert runs.give_back(run, reason="drained", counts=counts) == holds

    @precondition(lambda self: any(self.held.values()))
    @rule(worker=WORKERS, which=CHOICE)
    def fail(self, worker: str, which: int) -> None:
        for run in self._attempt(worker, which):
            runs.retry_later(run, wait=timedelta(seconds=30), error="E", traceback="", now=self.now)

    @precondition(lambda self: any(self.held.values()))
    @rule(worker=WORKERS, which=CHOICE)
    def postpone(self, worker: str, which: int) -> None:
        for run in self._attempt(worker, which):
            holds = self._holds(run)
            later = runs.go_on_later(run, after=timedelta(seconds=30), reason="not done", result={}, now=self.now)
            assert later == holds

    @rule()
    def queue_retries(self) -> None:
        self.now += timedelta(seconds=30)
        runs.queue_due_retries(self.now)

    @rule(which=CHOICE)
    def lose(self, which: int) -> None:
        for run in self._some(Run.objects.filter(state=State.RUNNING), which):
            assert recovery.lose(run, reason="it fell silent")

    @rule(which=CHOICE)
    def cancel(self, which: int) -> None:
        for run in self._some(Run.objects.all(), which):
            try:
                runs.cancel(run.pk, by="dan")
            except NotCancellable:
                assert run.state not in (State.QUEUED, State.RUNNING, State.RETRYING)

    @invariant()
    def at_most_one_runs(self) -> None:
        assert Run.objects.filter(state=State.RUNNING).count() <= 1

    @invariant()
    def totals_count_the_runs_that_ended(self) -> None:
        ended = Counter(Run.objects.filter(state__in=EXECUTED).values_list("state", flat=True))
        counted = list(DailyTotal.objects.values_list("succeeded", "failed"))
        assert (sum(row[0] for row in counted), sum(row[1] for row in counted)) == (ended["succeeded"], ended["failed"])

    @invariant()
    def no_attempt_has_two_effects_and_no_run_two_successes(self) -> None:
        assert all(count == 1 for count in self.effects.values())
        assert len({run for run, _ in self.effects}) == len(self.effects)
        assert len(self.effects) == Run.objects.filter(state=State.SUCCEEDED).count()

    @invariant()
    def coverage_is_the_latest_covered_instant(self) -> None:
        found = [each.until for each in Coverage.objects.all()]
        assert found == ([max(self.covered)] if self.covered else [])

    @invariant()
    def only_the_waiting_are_to_be_published(self) -> None:
        ended = Run.objects.exclude(state__in=(State.QUEUED, State.RETRYING))
        assert not ended.exclude(publish_after=None).exists()

    def _some(self, found: Any, which: int) -> list[Run]:
        found = list(found.order_by("pk"))
        return [found[which % len(found)]] if found else []

    def _attempt(self, worker: str, which: int) -> list[Run]:
        held = self.held[worker]
        if not held:
            return []
        kept = held[which % len(held)]
        # What a worker believes: its run runs, and its attempt is the one it was given.
        return [
            Run(
                id=kept.pk,
                job=kept.job,
                attempt=kept.attempt,
                failures=kept.failures,
                worker=worker,
                state=State.RUNNING,
            )
        ]

    def _holds(self, run: Run) -> bool:
        return Run.objects.filter(pk=run.pk, attempt=run.attempt, state=State.RUNNING).exists()


@pytest.mark.django_db(transaction=True)
def test_no_order_of_events_breaks_the_rules():
    how = settings(
        max_examples=12,
        stateful_step_count=20,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=how)
