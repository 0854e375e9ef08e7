"""F1, F2, F3: any number of schedulers, killed and frozen at any moment: every tick has one run, and none has two."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from local.programs import wait_until
from tests.faults.conftest import LONG
from tests.faults.probes import Probes, Wanted
from tests.integration.waiting import eventually

pytestmark = pytest.mark.faults

SEED = 20260329
UNREAD = "cleanup"  # no worker listens there in these tests


def wait_for(moment: datetime) -> None:
    """Return at a moment of the clock."""
    wait_until(lambda: datetime.now(UTC) >= moment, seconds=max(0.0, (moment - datetime.now(UTC)).total_seconds()) + 1)


def fates(probes: Probes) -> dict[tuple[str, datetime], list[str]]:
    """The states of the runs of each tick."""
    found: dict[tuple[str, datetime], list[str]] = {}
    for name, tick, state in probes.stack.rows("SELECT schedule_name, tick, state FROM jobs_run"):
        found.setdefault((name, tick), []).append(state)
    return found


def expected(wanted: list[Wanted]) -> list[tuple[str, datetime]]:
    """Every tick of every schedule."""
    return [(each.name, tick) for each in wanted for tick in each.ticks]


def everything_decided(probes: Probes, *, seconds: float) -> None:
    """Wait until no schedule has a tick ahead of it."""
    left = "SELECT count(*) FROM jobs_schedule WHERE next_tick_at IS NOT NULL OR dirty"
    eventually(
        lambda: probes.stack.value(left) == 0, seconds=seconds, what="the last tick", told=lambda: probes.told("%")
    )


def every_few_seconds(number: int, period: int, start: datetime, ticks: int) -> Wanted:
    return Wanted(
        name=f"row {number}",
        job="probe-cron" if number < READ else "probe-cleanup",
        every=period,
        start=start + timedelta(seconds=number % period),
        end=start + timedelta(seconds=number % period + ticks * period),
    )


@pytest.mark.timeout(1800)
def test_ten_thousand_ticks_of_schedulers_that_are_killed_around_due_moments(probes: Probes) -> None:
    """F1 and F2: two of them, then three; ten of the rows are executed, the others wait in a queue nobody reads."""
    stack, period, rows = probes.stack, 4, 2000
    ticks = 5 if not LONG else 100
    chance = random.Random(SEED)
    beats = [stack.start_beat(wait=False), stack.start_beat(wait=False)]
    stack.start_worker("cron", slots=2)
    probes.when_alive("scheduler", count=2)
    start = probes.now() + timedelta(seconds=5)
    wanted = [every_few_seconds(number, period, start, ticks) for number in range(rows)]
    probes.schedule(wanted)
    offsets = [chance.choice(OFFSETS) for _ in range(1000)]
    end = start + timedelta(seconds=(ticks - 1) * period)
    kills = 0
    while (due := datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)) < end:
        wait_for(max(start, due) + timedelta(seconds=offsets[kills]))
        victim = chance.randrange(2)
        beats[victim].kill()
        kills += 1
        beats[victim] = stack.start_beat()
    stack.start_beat(wait=False)
    probes.when_alive("scheduler", count=3)
    everything_decided(probes, seconds=30)
    probes.when("probe-cron", "succeeded", count=READ * ticks)

    found = fates(probes)
    assert kills >= 2
    assert sorted(found) == sorted(expected(wanted))
    assert len(found) == rows * ticks >= 10_000
    states = Counter(state for states in found.values() for state in states)
    assert states == {"queued": (rows - READ) * ticks, "succeeded": READ * ticks}
    runs = sorted(run["id"] for run in probes.runs("probe-cron"))
    assert sorted(trace.run for trace in probes.traces()) == runs
    assert sorted(trace.run for trace in probes.effects()) == runs


READ = 12
OFFSETS = (-1.0, 0.0, 0.05, 0.2, 1.0)


@pytest.mark.skipif(not LONG, reason="long; test_catch_up.py has it on a virtual clock")
def test_the_only_scheduler_settles_after_its_death_what_fell_due_meanwhile(probes: Probes) -> None:
    beat = probes.stack.start_beat()
    start = probes.now() + timedelta(seconds=2)
    wanted = [
        Wanted(name=f"row {n}", job="probe-cron", every=1, start=start, end=start + timedelta(seconds=5))
        for n in range(5)
    ]
    probes.schedule(wanted)
    wait_for(start + timedelta(seconds=1.05))
    beat.kill()
    wait_for(start + timedelta(seconds=5))
    probes.stack.start_beat()
    everything_decided(probes, seconds=20)

    found = fates(probes)
    assert sorted(found) == sorted(expected(wanted))
    for each in wanted:
        in_order = [found[each.name, tick] for tick in each.ticks]
        assert in_order[0] == ["queued"]
        assert in_order[-1] == ["queued"]  # the latest that nobody served is run after all
        assert ["missed"] in in_order


def test_a_scheduler_frozen_in_the_middle_of_a_pass_holds_nobody_up(probes: Probes) -> None:
    stack = probes.stack
    frozen = stack.start_beat()
    start = probes.now() + timedelta(seconds=2)
    end = start + timedelta(seconds=1000)
    wanted = [Wanted(name=f"row {n}", job="probe-cron", every=2, start=start, end=end) for n in range(20)]
    probes.schedule(wanted)
    with stack.connection() as rival:
        rival.execute(TAKE_TICK, [wanted[0].name, start])  # its pass begins, and waits for the fate of this tick
        eventually(lambda: stack.rows(BLOCKED), seconds=20, what="a pass that waits")
        frozen.pause()
        rival.rollback()
    assert stack.value(LOCKED) == len(wanted)  # it holds the rows, and does nothing with them
    other = stack.start_beat()
    served = "SELECT count(DISTINCT schedule_name) FROM jobs_run WHERE state = 'queued'"
    eventually(
        lambda: stack.value(served) == len(wanted), seconds=20, what="every row served", told=lambda: probes.told("%")
    )
    frozen.resume()
    decided = "SELECT count(*) FROM jobs_run"
    before = stack.value(decided)
    eventually(lambda: stack.value(decided) >= before + 2 * len(wanted), seconds=20, what="further ticks")
    assert frozen.alive
    assert other.alive
    assert all(len(states) == 1 for states in fates(probes).values())


LOCKED = """
SELECT count(*) FROM jobs_schedule
 WHERE next_tick_at IS NOT NULL AND id NOT IN (SELECT id FROM jobs_schedule FOR UPDATE SKIP LOCKED)
"""
TAKE_TICK = """
INSERT INTO jobs_run (id, job, task, queue, state, reason, trigger, triggered_by, schedule_name, tick, late, arguments,
       dry_run, attempt, failures, publish_count, worker, cancel_requested_by, error, traceback)
VALUES (gen_random_uuid(), 'rival', 'rival', 'cron', 'missed', '', 'schedule', '', %s, %s, false, '{}',
       false, 0, 0, 0, '', '', '', '')
"""
BLOCKED = """
SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'
"""
