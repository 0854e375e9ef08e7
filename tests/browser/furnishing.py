"""What a service looks like that has been at work for some weeks: runs, alerts, reports and backups."""

import json
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from cronsim import CronSim
from psycopg.types.json import Json

from jobs.engine import registry
from tests.integration.stack import Stack, call
from tests.integration.waiting import eventually

WEEKS = timedelta(days=15)
HALF_AN_HOUR = timedelta(minutes=30)
RUN = """
INSERT INTO jobs_run (id, job, task, queue, state, reason, trigger, triggered_by, schedule_name, tick, late, arguments,
                      dry_run, cancel_requested_by, attempt, failures, publish_count, created_at, started_at,
                      finished_at, worker, result, error, traceback)
VALUES (%(id)s, %(job)s, %(task)s, %(queue)s, %(state)s, '', 'schedule', '', %(job)s, %(at)s, false, '{}', false, '',
        1, %(failures)s, 1, %(at)s, %(started)s, %(finished)s, 'worker-1#212-1', %(result)s, %(error)s, %(traceback)s)
"""
LINE = """
INSERT INTO jobs_runlog (run_id, attempt, at, level, message, fields)
VALUES (%s, 1, %s, %s, %s, %s)
"""
NOBODY_LOOKS = """
INSERT INTO monitoring_watch (id, looked_at, pending) VALUES (1, now() + interval '1 day', '[]')
ON CONFLICT (id) DO UPDATE SET looked_at = EXCLUDED.looked_at
"""
ALERT = """
INSERT INTO monitoring_alert (cause, subject, severity, state, summary, raised_at, seen_at, told_at, acknowledged_by,
                              cleared_at)
VALUES (%s, %s, %s, %s, %s, now() - %s::interval, now(), now() - %s::interval, '', %s)
"""
BACKUP = """
INSERT INTO maintenance_backup (id, created_at, location, bytes, sha256, took, proven_at, error)
VALUES (%s, %s, %s, %s, %s, '41 seconds', %s, %s)
"""
ENDED = "SELECT count(*) FROM jobs_run WHERE id = ANY(%s::uuid[]) AND state = 'succeeded'"
ERROR = "ProviderDown: Meta did not answer within 10 s"
TRACEBACK = f"""Traceback (most recent call last):
  File "external_apis/syncing.py", line 41, in sync
    answer = provider.ask(credential)
external_apis.errors.{ERROR}
"""
REAL = ("check-inactive-sessions", "check-system-performance", "daily-report")

_bits = Random(7)


def furnish(stack: Stack) -> UUID:
    """Fill the tables, and run some jobs for real; answers the run that failed, with its log."""
    chance, now = Random(7), datetime.now(UTC)
    failed = _history(stack, chance, now=now)
    _log(stack, failed, now=now)
    _alerts(stack, now=now)
    _backups(stack, now=now)
    asked = [json.loads(call("POST", f"{stack.web}/cron/trigger/{job}")[1])["runId"] for job in REAL]
    eventually(lambda: stack.value(ENDED, [asked]) == len(asked), seconds=20, what="the end of some runs")
    return failed


def _history(stack: Stack, chance: Random, *, now: datetime) -> UUID:
    runs = []
    for job in registry.all_jobs():
        usual, ticks = chance.uniform(0.4, 40), _ticks(job.schedule, since=now - WEEKS, until=now - HALF_AN_HOUR)
        runs += [
            _run(job.slug, job.queue, at, usual * chance.uniform(0.7, 1.4), failed=chance.random() < 0.02)
            for at in ticks
        ]
    failed = _run("sync-credentials", "scheduled", now - timedelta(minutes=29), 10.2, failed=True)
    with stack.connection() as connection, connection.cursor() as cursor:
        cursor.executemany(RUN, [*runs, failed])
    identifier: UUID = failed["id"]
    return identifier


def _ticks(schedule: str, *, since: datetime, until: datetime) -> list[datetime]:
    found = []
    for tick in CronSim(schedule, since):
        if tick >= until:
            return found
        found.append(tick)
    return found


def _run(job: str, queue: str, at: datetime, took_s: float, *, failed: bool) -> dict[str, object]:
    started = at + timedelta(milliseconds=80)
    return {
        "id": UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | _bits.getrandbits(62)),
        "job": job,
        "task": f"jobs.{job}",
        "queue": queue,
        "state": "failed" if failed else "succeeded",
        "failures": int(failed),
        "at": at,
        "started": started,
        "finished": started + timedelta(seconds=took_s),
        "result": None if failed else Json({"done": int(took_s * 17)}),
        "error": ERROR if failed else "",
        "traceback": TRACEBACK if failed else "",
    }


def _log(stack: Stack, run: UUID, *, now: datetime) -> None:
    said = (
        ("info", "run started", {"event": "run_started"}),
        ("warning", "the provider takes long", {"provider": "meta", "seconds": 5}),
        ("error", "run failed", {"error": ERROR}),
    )
    for number, (level, message, fields) in enumerate(said):
        stack.rows(LINE, [run, now - timedelta(minutes=29 - number / 12), level, message, Json(fields)])


def _alerts(stack: Stack, *, now: datetime) -> None:
    stack.rows(NOBODY_LOOKS)  # who looked would clear what is not so
    hour = timedelta(hours=1)
    told = (
        ("disk-full", "worker-1", "critical", "cleared", "93 % of the disk is used.", 99 * hour, 90 * hour),
        ("too-slow", "backup-data", "warning", "cleared", "It took thrice as long as usual.", 50 * hour, 3 * hour),
        ("credential-bad", "Meta access token", "warning", "raised", "It expires in 5 days: renew it.", 7 * hour, None),
        ("job-failing", "sync-credentials", "critical", "raised", f"It failed 3 times in a row. {ERROR}", hour, None),
    )
    for cause, subject, severity, state, summary, ago, cleared in told:
        end = now - cleared if cleared else None
        stack.rows(ALERT, [cause, subject, severity, state, summary, ago, ago, end])


def _backups(stack: Stack, *, now: datetime) -> None:
    for day in range(9):
        at = now - timedelta(days=day, hours=3)
        name = f"{at:%Y%m%dT%H%M%SZ}-{day:04x}"
        if day == 4:
            stack.rows(BACKUP, [name, at, "", None, "", None, "pg_dump: the connection was lost"])
            continue
        place = f"/backups/{name}.dump.zst.age"
        proven = at + timedelta(minutes=2)
        stack.rows(BACKUP, [name, at, place, 48_210_000 - day * 73_000, f"{day:064x}", proven, ""])
