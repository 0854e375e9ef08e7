"""Schedules and runs of the probe jobs, entered and read as plain SQL, and the traces they leave."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.integration.stack import Stack
from tests.integration.waiting import eventually

TABLE = """
CREATE TABLE fault_probe (
    job text NOT NULL, run uuid NOT NULL, tick timestamptz, attempt int NOT NULL,
    at timestamptz DEFAULT clock_timestamp())
"""
FORGET = """
TRUNCATE jobs_run, jobs_runlog, jobs_schedule, jobs_tickgap, jobs_coverage, jobs_dailytotal, fault_probe,
         monitoring_alert, monitoring_notice, monitoring_watch, django_celery_beat_periodictask,
         django_celery_beat_intervalschedule, django_celery_results_taskresult
"""
SCHEDULE = """
INSERT INTO django_celery_beat_periodictask (name, task, args, kwargs, headers, enabled, total_run_count, date_changed,
       description, one_off, interval_id, start_time, expires)
SELECT name, task, '[]', %(kwargs)s, '{}', true, 0, now(), '', %(one_off)s, %(interval)s, start, expires
  FROM unnest(%(names)s::text[], %(tasks)s::text[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
       AS new (name, task, start, expires)
"""
INTERVAL = """
WITH kept AS (SELECT id FROM django_celery_beat_intervalschedule WHERE every = %(every)s AND period = 'seconds'),
     made AS (INSERT INTO django_celery_beat_intervalschedule (every, period)
              SELECT %(every)s, 'seconds' WHERE NOT EXISTS (SELECT 1 FROM kept) RETURNING id)
SELECT id FROM kept UNION ALL SELECT id FROM made
"""
ENDED = ("succeeded", "failed", "cancelled", "skipped", "missed", "disabled")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One schedule: a tick at `start`, then every so many seconds, and none from `end` on."""

    name: str
    job: str
    every: int
    start: datetime
    end: datetime

    @property
    def ticks(self) -> list[datetime]:
        """When it is due: arithmetic of the tests' own."""
        count = -((self.start - self.end) // timedelta(seconds=self.every))
        return [self.start + number * timedelta(seconds=self.every) for number in range(count)]


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What one attempt left behind."""

    job: str
    run: str
    tick: datetime | None
    attempt: int


class Probes:
    """The probes of one stack."""

    def __init__(self, stack: Stack, *, effects: Path, gate: Path) -> None:
        self.stack = stack
        self._effects = effects
        self._gate = gate

    def prepare(self) -> None:
        """Make the probes' own tables."""
        self.stack.rows(TABLE)

    def forget(self) -> None:
        """Begin anew: no schedules, no runs, no messages, no traces."""
        self.stack.rows(FORGET)
        if not self.stack.processes:
            self.stack.rows("TRUNCATE jobs_worker")
        with self.stack.valkey() as client:
            client.flushall()
        self._effects.write_bytes(b"")
        self._gate.unlink(missing_ok=True)

    def now(self) -> datetime:
        """The database's clock, on a whole second."""
        return self.stack.value("SELECT date_trunc('second', clock_timestamp())")

    def schedule(self, wanted: Iterable[Wanted]) -> None:
        """Enter schedules, as an operator's bulk import would."""
        by_period: dict[int, list[Wanted]] = {}
        for each in wanted:
            by_period.setdefault(each.every, []).append(each)
        for every, rows in by_period.items():
            self._enter(rows, every=every, one_off=False, kwargs={})

    def ask(self, job: str, *, count: int = 1, **arguments: Any) -> None:
        """Enter schedules that are due once, with the next second."""
        already = self.stack.value("SELECT count(*) FROM django_celery_beat_periodictask")
        start = datetime(2020, 1, 1, tzinfo=UTC)
        names = [f"{job} once {already + number}" for number in range(count)]
        rows = [
            Wanted(name=name, job=job, every=1, start=start, end=datetime.max.replace(tzinfo=UTC)) for name in names
        ]
        self._enter(rows, every=1, one_off=True, kwargs=arguments)

    def runs(self, job: str = "%") -> list[dict[str, Any]]:
        """Every run of the jobs whose slug is like the given one, oldest first."""
        return [
            row for (row,) in self.stack.rows("SELECT to_jsonb(r) FROM jobs_run r WHERE job LIKE %s ORDER BY id", [job])
        ]

    def states(self, job: str = "%") -> Counter[str]:
        """How many runs are in which state."""
        rows = self.stack.rows("SELECT state, count(*) FROM jobs_run WHERE job LIKE %s GROUP BY state", [job])
        return Counter(dict(rows))

    def when(self, job: str, state: str, *, count: int = 1, seconds: float = 30) -> list[dict[str, Any]]:
        """Wait until so many runs of a job are in a state; all runs of the job."""
        what = f"{count} {state} run(s) of {job}"
        eventually(lambda: self.states(job)[state] >= count, seconds=seconds, what=what, told=lambda: self.told(job))
        return self.runs(job)

    def when_all_ended(self, *, count: int, seconds: float) -> None:
        """Wait until so many runs have come to an end, and no other is left."""

        def all_ended() -> bool:
            states = self.states()
            return sum(states[state] for state in ENDED) == sum(states.values()) >= count

        eventually(all_ended, seconds=seconds, what=f"{count} ended runs", told=lambda: self.told("%"))

    def traces(self, job: str = "%") -> list[Trace]:
        """What was left in the database."""
        rows = self.stack.rows(
            "SELECT job, run::text, tick, attempt FROM fault_probe WHERE job LIKE %s ORDER BY at", [job]
        )
        return [Trace(job=row[0], run=row[1], tick=row[2], attempt=row[3]) for row in rows]

    def effects(self) -> list[Trace]:
        """What was left outside of it."""
        found = map(json.loads, self._effects.read_text().splitlines())
        return [Trace(**{**each, "tick": each["tick"] and datetime.fromisoformat(each["tick"])}) for each in found]

    def when_alive(self, kind: str, *, count: int) -> None:
        """Wait until so many schedulers or workers have a lease that lasts."""
        alive = "SELECT count(*) FROM jobs_worker WHERE kind = %s AND stopped_at IS NULL AND lease_until > now()"
        eventually(
            lambda: self.stack.value(alive, [kind]) >= count,
            seconds=30,
            what=f"{count} of kind {kind}",
            told=lambda: self.told("%"),
        )

    def occupy(self, slots: int) -> None:
        """Keep so many slots of the first queue's worker busy until the gate is opened."""
        self.ask("probe-gate", count=slots)
        self.when("probe-gate", "running", count=slots)

    def open_gate(self) -> None:
        """Let the gate's runs end."""
        self._gate.touch()

    def told(self, job: str) -> str:
        """For the message of a failing test: the runs, and the end of every log."""
        columns = ("job", "state", "attempt", "failures", "reason", "error", "worker", "publish_after")
        runs = [" ".join(f"{name}={run[name]}" for name in columns) for run in self.runs(job)[-10:]]
        logs = [f"--- {process.name}\n" + "\n".join(process.log.splitlines()[-15:]) for process in self.stack.processes]
        return "\n".join([f"{dict(self.states(job))}", *runs, *logs])

    def _enter(self, rows: list[Wanted], *, every: int, one_off: bool, kwargs: dict[str, Any]) -> None:
        values = {
            "interval": self.stack.value(INTERVAL, {"every": every}),
            "one_off": one_off,
            "kwargs": json.dumps(kwargs),
            "names": [row.name for row in rows],
            "tasks": [f"jobs.{row.job}" for row in rows],
            "starts": [row.start for row in rows],
            "ends": [None if one_off else row.end for row in rows],
        }
        self.stack.rows(SCHEDULE, values)
