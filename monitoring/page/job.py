"""All that a job's page shows."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.http import QueryDict

from jobs.engine.definition import Job
from jobs.engine.upcoming import FARTHEST, Tick, spelled, ticks_of_job
from jobs.engine.words import cron_in_words
from jobs.models import Run, Schedule, State
from monitoring.overview import JobOverview, overview
from monitoring.page import recent
from monitoring.page.chart import Chart, chart
from monitoring.page.history import History, history

HOW_MANY_TICKS = 10
IN_THE_CHART = 100


@dataclass(frozen=True, kw_only=True)
class JobSeen:
    """One job: its schedule, its coming ticks, its runs."""

    job: Job
    stands: JobOverview
    words: str
    schedules: list[Schedule]
    ticks: list[Tick]
    running: list[Run]
    history: History
    chart: Chart | None

    @property
    def pause(self) -> Schedule | None:
        """The schedule that is paused, with who, why and until when."""
        paused = (each for each in self.schedules if self.stands.paused and each.paused_at)
        return next(paused, None)

    @property
    def switches(self) -> bool:
        """Whether clocks are changed between the ticks that are shown."""
        return any(tick.switched for tick in self.ticks)


def look_at_job(job: Job, asked: QueryDict, *, now: datetime) -> JobSeen:
    """How the job stands; eight queries, whatever it did."""
    enabled, zone = settings.CRON.enabled, settings.CRON.timezone
    [stands] = [each for each in overview(enabled=enabled, now=now).jobs if each.job.slug == job.slug]
    ticks = ticks_of_job(job.slug, after=now, until=now + FARTHEST)[:HOW_MANY_TICKS] if enabled else []
    ended = recent.ended([job.slug], last=IN_THE_CHART)
    return JobSeen(
        job=job,
        stands=stands,
        words=cron_in_words(stands.schedule),
        schedules=list(Schedule.objects.filter(task=job.task).order_by("pk")),
        ticks=spelled(ticks, zone, now),
        running=list(Run.objects.filter(state=State.RUNNING, job=job.slug).order_by("-pk")[:10]),
        history=history(job.slug, asked),
        chart=chart(ended.get(job.slug, [])),
    )
