"""What is wrong with jobs: they fail, are late, never ran, take too long, or were stopped by the brake."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, takewhile
from operator import itemgetter
from statistics import quantiles

from jobs.engine import registry, sql
from jobs.engine.definition import Job
from jobs.models import Run, Schedule, State
from monitoring.alerts.finding import Finding
from monitoring.models import Cause, Severity

REPEATEDLY, VERY_OFTEN = 3, 10  # failed attempts since the last success
LATE_AFTER, VERY_LATE_AFTER = timedelta(minutes=5), timedelta(minutes=30)
NEVER_AFTER = timedelta(hours=1)
LIMIT_SHARE = 0.8
TIMES_BASELINE, FROM_S = 3, 60.0
BASELINE, LEAST_BASELINE = 20, 5
NEWS = timedelta(days=1)
SECOND = timedelta(seconds=1)

RECENT = """
SELECT known.job, recent.* FROM unnest(%(jobs)s::text[]) AS known (job), LATERAL (
       SELECT state, reason, failures, left(error, 300), finished_at,
              COALESCE(extract(epoch FROM finished_at - started_at), 0)::float
         FROM jobs_run WHERE job = known.job AND state IN ('succeeded', 'failed') AND NOT dry_run
        ORDER BY finished_at DESC LIMIT %(many)s) recent
"""

# A run that waits for another of its job to end is not late, and one that waits for its retry is not due.
LATE = """
SELECT job, min(queue), count(*), min(COALESCE(available_at, created_at)) FROM jobs_run waiting
 WHERE state = 'queued' AND COALESCE(available_at, created_at) < %(before)s
   AND NOT EXISTS (SELECT 1 FROM jobs_run busy WHERE busy.state = 'running' AND busy.overlap_key = waiting.overlap_key)
 GROUP BY job
"""

NEVER = """
SELECT DISTINCT s.job FROM jobs_schedule s
 WHERE s.job = ANY(%(jobs)s) AND s.enabled AND s.broken = '' AND s.paused_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM jobs_dailytotal t WHERE t.job = s.job)
   AND NOT EXISTS (SELECT 1 FROM jobs_run a WHERE a.job = s.job AND a.state IN ('queued', 'running', 'retrying'))
   AND (SELECT created_at FROM jobs_run r WHERE r.job = s.job AND r.state <> 'disabled' ORDER BY r.id LIMIT 1)
       < %(before)s
"""


@dataclass(frozen=True)
class Ended:
    """A run that was executed, as much of it as matters here."""

    job: str
    state: str
    reason: str
    failures: int
    error: str
    finished_at: datetime
    seconds: float


def find(*, now: datetime, enabled: bool) -> list[Finding]:
    """All of it, in five statements; `enabled` is CRON_ENABLED."""
    declared = {job.slug: job for job in registry.all_jobs()}
    return [
        *_about_ended(declared, now),
        *_running_long(declared, now),
        *_late(now),
        *(_never(declared, now) if enabled else ()),
        *_broken(),
    ]


def _about_ended(declared: dict[str, Job], now: datetime) -> Iterator[Finding]:
    rows = sql.rows(RECENT, {"jobs": list(declared), "many": BASELINE + 1})
    for slug, group in groupby(rows, key=itemgetter(0)):
        recent = [Ended(*row) for row in group]
        yield from _failing(slug, recent)
        yield from _stopped_by_brake(slug, recent[0])
        if now - recent[0].finished_at < NEWS:
            yield from _slow(declared[slug], recent[0].seconds, baseline=recent[1:], verb="took")


def _failing(slug: str, recent: Sequence[Ended]) -> Iterator[Finding]:
    row = list(takewhile(lambda ended: ended.state == State.FAILED, recent))
    failed = [ended for ended in row if ended.reason != "brake"]
    attempts = sum(max(1, ended.failures) for ended in failed)
    if attempts < REPEATEDLY:
        return
    since = f"{len(failed)} runs in a row failed" if len(failed) > 1 else "its last run failed"
    last = failed[0].error or failed[0].reason
    yield Finding(
        cause=Cause.JOB_FAILING,
        subject=slug,
        severity=Severity.CRITICAL if attempts >= VERY_OFTEN else Severity.WARNING,
        summary=f"{slug} fails: {since}, {attempts} attempts in all. The last error: {last} "
        "Read the log of that run, mend what it names, and trigger the job by hand.",
    )


def _stopped_by_brake(slug: str, last: Ended) -> Iterator[Finding]:
    if last.state == State.FAILED and last.reason == "brake":
        yield Finding(
            cause=Cause.BRAKE_PULLED,
            subject=slug,
            severity=Severity.CRITICAL,
            summary=f"{slug} deleted nothing more, since it would have removed too much: {last.error} "
            "Look at a dry run; if it is right, start a run that confirms the stopped one.",
        )


def _slow(job: Job, seconds: float, *, baseline: Sequence[Ended], verb: str) -> Iterator[Finding]:
    why = _against_limit(job, seconds) or _against_baseline(seconds, baseline)
    if why:
        yield Finding(
            cause=Cause.TOO_SLOW,
            subject=job.slug,
            summary=f"{job.slug} {verb} {seconds:.0f} s: {why}. Compare what it works on and what else ran with "
            "earlier runs; a longer time limit is declared with the job.",
        )


def _against_limit(job: Job, seconds: float) -> str:
    limit = job.soft_limit.total_seconds()
    return f"its soft time limit is {limit:.0f} s" if seconds > LIMIT_SHARE * limit else ""


def _against_baseline(seconds: float, baseline: Sequence[Ended]) -> str:
    usual = [ended.seconds for ended in baseline if ended.state == State.SUCCEEDED]
    if seconds <= FROM_S or len(usual) < LEAST_BASELINE:
        return ""
    slowest = quantiles(usual, n=20, method="inclusive")[-1]
    times = seconds / slowest if slowest else float("inf")
    return f"19 of 20 runs before took {slowest:.1f} s at the most" if times > TIMES_BASELINE else ""


def _running_long(declared: dict[str, Job], now: datetime) -> Iterator[Finding]:
    running = Run.objects.filter(state=State.RUNNING, job__in=declared)
    longest: dict[str, datetime] = {}
    for slug, started in running.values_list("job", "started_at"):
        if started is not None:
            longest[slug] = min(started, longest.get(slug, started))
    for slug, started in longest.items():
        yield from _slow(declared[slug], (now - started) / SECOND, baseline=(), verb="has been running for")


def _late(now: datetime) -> Iterator[Finding]:
    for slug, queue, count, since in sql.rows(LATE, {"before": now - LATE_AFTER}):
        runs = "A run" if count == 1 else f"{count} runs"
        yield Finding(
            cause=Cause.JOB_LATE,
            subject=slug,
            severity=Severity.CRITICAL if now - since > VERY_LATE_AFTER else Severity.WARNING,
            summary=f"{runs} of {slug} should have begun {(now - since) // timedelta(minutes=1)} min ago. "
            f"See whether workers of queue {queue!r} are alive, and what keeps them busy.",
        )


def _never(declared: dict[str, Job], now: datetime) -> Iterator[Finding]:
    for [slug] in sql.rows(NEVER, {"jobs": list(declared), "before": now - NEVER_AFTER}):
        yield Finding(
            cause=Cause.NEVER_RAN,
            subject=slug,
            summary=f"{slug} is scheduled, and no run of it was ever executed. "
            f"`manage.py cron why {slug} --at TIME` tells what became of its ticks.",
        )


def _broken() -> Iterator[Finding]:
    for name, why in Schedule.objects.exclude(broken="").values_list("name", "broken"):
        yield Finding(
            cause=Cause.SCHEDULE_BROKEN,
            subject=name,
            severity=Severity.CRITICAL,
            summary=f"The schedule {name} cannot be understood and does not run: {why} Correct it in the admin.",
        )
