"""F6: no scheduler for minutes, hours or days over 03:00, on a virtual clock: what runs late, and what is only told."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from jobs.engine import registry
from jobs.engine.dispatch import Waiting
from jobs.engine.outcome import finish
from jobs.engine.pulse import Pulse
from jobs.engine.runs import claim
from jobs.engine.sync import sync
from jobs.fleet import tasks
from jobs.models import Run, State, TickGap
from tests.engine import oracle
from tests.faults.conftest import LONG

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

ZONE = "Europe/Bucharest"
BUCHAREST = ZoneInfo(ZONE)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Which jobs may be run how late; every other one for 25 hours.
WINDOWS = {
    "cleanup-old-messages": 7 * DAY,
    "optimize-database": 7 * DAY,
    "cleanup-old-logs": 31 * DAY,
    "cleanup-old-sessions": 31 * DAY,
}

Executed = list[tuple[str, datetime, datetime]]


class Workers:
    """The broker and the workers in one: every message is executed at once, and noted without any constraint."""

    def __init__(self) -> None:
        self.now = datetime.max.replace(tzinfo=UTC)
        self.executed: Executed = []

    def publish(self, runs: list[Waiting], **_: Any) -> None:
        for each in runs:
            claimed = claim(UUID(str(each.id)), worker="simulated", task=each.task, now=self.now)
            if claimed is not None and claimed.tick is not None:
                self.executed.append((claimed.job, claimed.tick, self.now))
                finish(Run.objects.get(pk=each.id), state=State.SUCCEEDED, now=self.now)

    def forgot(self) -> bool:
        return False

    def remember(self) -> None: ...


def all_ticks(start: datetime, end: datetime) -> dict[str, list[datetime]]:
    """Every tick of the sixteen jobs with start < tick <= end, by the independent oracle."""
    minutes = oracle.wakeups(ZONE, start, end)
    return {job.slug: oracle.ticks(oracle.rule(job.schedule), minutes) for job in registry.all_jobs()}


def live_through(ticks: dict[str, list[datetime]], *, start: datetime, down: datetime, back: datetime) -> Executed:
    """Let one scheduler work, be away, and another one work from then on; what was executed, and when."""
    sync()
    workers = Workers()
    moments = sorted({start, back, *(tick for each in ticks.values() for tick in each)})
    pulse = Pulse(broker=workers, known=tasks.known(), enabled=True)
    for now in moments:
        if down < now < back:
            continue
        if now == back:
            pulse = Pulse(broker=workers, known=tasks.known(), enabled=True)
        workers.now = now
        pulse.step(now)
    return workers.executed


def settled_late(ticks: list[datetime], *, job: str, down: datetime, back: datetime) -> datetime | None:
    """The tick that is run after the outage: the latest of those it hid, if that still makes sense."""
    hidden = [tick for tick in ticks if down < tick <= back]
    return hidden[-1] if hidden and back - hidden[-1] <= WINDOWS.get(job, 25 * HOUR) else None


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BUCHAREST).astimezone(UTC)


OUTAGES = {
    "ten minutes": ("2026-06-10 02:55", "2026-06-10 03:05"),
    "26 hours": ("2026-06-10 02:55", "2026-06-11 04:55"),
    "eight days": ("2026-06-10 02:55", "2026-06-18 02:55"),
    "over the hour that comes twice": ("2026-10-25 02:55", "2026-10-25 07:55"),
    "five hours": ("2026-06-10 02:55", "2026-06-10 07:55"),
    "over the hour that is left out": ("2026-03-29 02:55", "2026-03-29 07:55"),
    "over the first of a month": ("2026-05-20 02:55", "2026-06-02 12:00"),
}
CHOSEN = list(OUTAGES) if LONG else list(OUTAGES)[:4]


@pytest.mark.parametrize(("down", "back"), [OUTAGES[name] for name in CHOSEN], ids=CHOSEN)
def test_after_an_outage_the_latest_tick_is_run_late_and_the_others_are_missed(down: str, back: str) -> None:
    gone, again = local(down), local(back)
    start, end = gone - 2 * HOUR, again + (26 * HOUR if LONG else 5 * HOUR)
    ticks = all_ticks(start, end)
    executed = live_through(ticks, start=start, down=gone, back=again)

    expected: Executed = []
    missed: dict[str, list[datetime]] = {}
    for job, moments in ticks.items():
        late = settled_late(moments, job=job, down=gone, back=again)
        missed[job] = [tick for tick in moments if gone < tick <= again and tick != late]
        for tick in moments:
            if not gone < tick <= again:
                expected.append((job, tick, tick))
        if late is not None:
            expected.append((job, late, again))
    assert Counter(executed) == Counter(expected)
    assert daily_once(executed, "backup-data", gone, again)
    for job in ticks:
        rows = dict(Run.objects.filter(job=job).values_list("tick", "state"))
        gaps = list(TickGap.objects.filter(job=job))
        told = [tick for tick, state in rows.items() if state == State.MISSED]
        assert sum(gap.count for gap in gaps) + len(told) == len(missed[job])
        assert all(tick in told or any(gap.first <= tick <= gap.last for gap in gaps) for tick in missed[job])
        assert {tick for tick, state in rows.items() if state == State.SUCCEEDED} == {
            tick for slug, tick, _ in expected if slug == job
        }
    flagged = set(Run.objects.filter(late=True, state=State.SUCCEEDED).values_list("job", "tick"))
    assert flagged == {(job, tick) for job, tick, at in expected if at - tick > MINUTE}


def daily_once(executed: Executed, job: str, gone: datetime, again: datetime) -> bool:
    """Whether a daily job ran at most once for every local day, and for the day of the return."""
    days = [tick.astimezone(BUCHAREST).date() for slug, tick, _ in executed if slug == job]
    return len(days) == len(set(days)) and again.astimezone(BUCHAREST).date() in days


def test_without_an_outage_nothing_is_late_or_missed() -> None:
    """The control: the same hours, with a scheduler at work."""
    start = local("2026-06-10 02:00")
    end = start + 5 * HOUR
    ticks = all_ticks(start, end)
    executed = live_through(ticks, start=start, down=end, back=end)
    assert Counter(executed) == Counter((job, tick, tick) for job, moments in ticks.items() for tick in moments)
    assert not Run.objects.filter(late=True).exists()
    assert not Run.objects.filter(state=State.MISSED).exists()
