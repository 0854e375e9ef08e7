"""What the engine remembers: live schedules, runs, gaps in the ledger, workers, coverage and daily totals."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from jobs.ids import new_run_id


class Schedule(models.Model):
    """The scheduler's own view of one periodic task: what it means, and when it is next due.

    Database triggers mark it `dirty` when anything about its periodic task changes; the next pass reads it anew. The
    periodic task is named by id alone, without a foreign key, so that no raw deletion is refused or leaves it behind.
    """

    periodic_task_id = models.IntegerField(unique=True)
    name = models.CharField(max_length=200)
    job = models.CharField(max_length=200, blank=True, help_text="Slug of the declared job; empty for other tasks.")
    task = models.CharField(max_length=200, blank=True)
    queue = models.CharField(max_length=200, blank=True)
    arguments = models.JSONField(default=dict, help_text='{"args": […], "kwargs": {…}}')
    timing = models.JSONField(default=dict, help_text="cron and zone, or every and anchor, or at.")
    enabled = models.BooleanField(default=True)
    one_off = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True)
    next_tick_at = models.DateTimeField(null=True)
    last_tick_at = models.DateTimeField(null=True)
    dirty = models.BooleanField(default=True, db_default=True)
    broken = models.TextField(blank=True, help_text="Why this schedule cannot be understood; empty when it can.")
    synced_default = models.JSONField(null=True, help_text="The declared default that was last written to the row.")
    paused_at = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    paused_by = models.CharField(max_length=200, blank=True)
    pause_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_tick_at"], name="schedule_due", condition=Q(next_tick_at__isnull=False)),
            models.Index(fields=["id"], name="schedule_dirty", condition=Q(dirty=True)),
            models.Index(fields=["job"], name="schedule_job"),
            models.Index(fields=["name"], name="schedule_name"),
        ]

    def __str__(self) -> str:
        return self.name


class State(models.TextChoices):
    """Where a run stands; the last three are fates of ticks that did not run."""

    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    MISSED = "missed"
    DISABLED = "disabled"


WAITING = (State.QUEUED, State.RETRYING)
ACTIVE = (State.QUEUED, State.RUNNING, State.RETRYING)
EXECUTED = (State.SUCCEEDED, State.FAILED)


class Trigger(models.TextChoices):
    """Who asked for a run."""

    SCHEDULE = "schedule"
    API = "api"
    ADMIN = "admin"
    CLI = "cli"
    WEBHOOK = "webhook"


class Run(models.Model):
    """One execution of a job, or the recorded fate of a tick that did not run; the only truth about it."""

    id = models.UUIDField(primary_key=True, default=new_run_id, editable=False)
    job = models.CharField(max_length=200, help_text="Slug of a declared job, or the name of another task.")
    task = models.CharField(max_length=200)
    queue = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    reason = models.CharField(
        max_length=500, blank=True, help_text="Why it ended, waits, did not run or had to be tried again, in words."
    )
    trigger = models.CharField(max_length=10, choices=Trigger, default=Trigger.SCHEDULE)
    triggered_by = models.CharField(max_length=200, blank=True)
    schedule_name = models.CharField(max_length=200, blank=True)
    tick = models.DateTimeField(null=True)
    late = models.BooleanField(default=False)
    arguments = models.JSONField(default=dict)
    dry_run = models.BooleanField(default=False)
    confirms = models.UUIDField(null=True, help_text="The run whose brake this one releases.")
    overlap_key = models.CharField(max_length=220, null=True)  # noqa: DJ001  NULL keeps it out of the unique index
    attempt = models.IntegerField(default=0)
    failures = models.IntegerField(default=0)
    publish_count = models.IntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    available_at = models.DateTimeField(null=True)
    publish_after = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=200, blank=True)
    covers_from = models.DateTimeField(null=True)
    covers_to = models.DateTimeField(null=True)
    progress = models.JSONField(null=True, help_text='{"done", "total", "note"}')
    cursor = models.JSONField(null=True, help_text="Where a drained or lost run resumes.")
    cancel_requested_by = models.CharField(max_length=200, blank=True)
    cancel_requested_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)
    error = models.TextField(blank=True)
    traceback = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["schedule_name", "tick"],
                name="one_fate_per_tick",
                condition=Q(tick__isnull=False) & ~Q(schedule_name=""),
            ),
            models.UniqueConstraint(
                fields=["overlap_key"],
                name="one_running_per_job",
                condition=Q(state=State.RUNNING, overlap_key__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["overlap_key"],
                name="one_waiting_trigger_per_job",
                condition=Q(state=State.QUEUED, attempt=0, overlap_key__isnull=False) & ~Q(trigger=Trigger.SCHEDULE),
            ),
        ]
        indexes = [
            models.Index(
                fields=["overlap_key"], name="run_active", condition=Q(state__in=ACTIVE, overlap_key__isnull=False)
            ),
            models.Index(fields=["publish_after"], name="run_to_publish", condition=Q(state=State.QUEUED)),
            models.Index(fields=["available_at"], name="run_to_retry", condition=Q(state=State.RETRYING)),
            models.Index(fields=["worker"], name="run_on_worker", condition=Q(state=State.RUNNING)),
            models.Index(fields=["job", "-id"], name="run_of_job"),
            models.Index(fields=["state", "-id"], name="run_in_state", condition=~Q(state__in=ACTIVE)),
            models.Index(fields=["trigger", "-id"], name="run_by_hand", condition=~Q(trigger=Trigger.SCHEDULE)),
            models.Index(fields=["job", "-finished_at"], name="run_ended", condition=Q(state__in=EXECUTED)),
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.id}"


class RunLog(models.Model):
    """One line that a run logged."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="log_lines", db_index=False)
    attempt = models.IntegerField()
    at = models.DateTimeField()
    level = models.CharField(max_length=10)
    message = models.TextField()
    fields = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["at"], name="run_log_at"), models.Index(fields=["run", "id"], name="run_lines")]

    def __str__(self) -> str:
        return self.message


class TickGap(models.Model):
    """A long stretch of ticks that share one fate, kept as one row."""

    schedule_name = models.CharField(max_length=200)
    job = models.CharField(max_length=200)
    first = models.DateTimeField()
    last = models.DateTimeField()
    count = models.BigIntegerField()
    fate = models.CharField(max_length=10, choices=State)
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["schedule_name", "first"], name="gap_of_schedule")]

    def __str__(self) -> str:
        return f"{self.schedule_name}: {self.count} {self.fate}"


class Worker(models.Model):
    """A process that beats while it lives; its runs are given away when its lease has run out."""

    class Kind(models.TextChoices):
        WORKER = "worker"
        SCHEDULER = "scheduler"
        FOREGROUND = "foreground"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200, unique=True, help_text="Host, process id and start: never used twice.")
    kind = models.CharField(max_length=10, choices=Kind)
    queues = models.JSONField(default=list)
    slots = models.IntegerField(default=1)
    version = models.CharField(max_length=100, blank=True)
    started_at = models.DateTimeField(db_default=Now())
    beat_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField()
    draining_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    memory_mb = models.FloatField(null=True, help_text="Its largest process, as a median over five minutes.")
    cpu_percent = models.FloatField(null=True, help_text="Its whole machine, as a median over five minutes.")
    disk_percent = models.FloatField(null=True, help_text="How full the disk is that it works on.")

    class Meta:
        indexes = [models.Index(fields=["lease_until"], name="worker_lease", condition=Q(stopped_at__isnull=True))]

    def __str__(self) -> str:
        return self.name


class Coverage(models.Model):
    """The instant up to which a job's successful runs have covered time; it only ever grows."""

    job = models.CharField(max_length=200, primary_key=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.job} until {self.until:%Y-%m-%d %H:%M:%S}"


class DailyTotal(models.Model):
    """How many runs of a job ended on a UTC day, or, after two months, in the month that the day begins.

    Kept when the runs themselves are long gone. A job whose runs may overlap has several rows a day, to be added up:
    its runs must not queue for one.
    """

    day = models.DateField()
    job = models.CharField(max_length=200)
    shard = models.SmallIntegerField(
        default=0, db_default=0, help_text="Runs of one job that end at once count in rows of their own."
    )
    succeeded = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    duration_ms = models.BigIntegerField(default=0, help_text="Sum over runs, from the last start to the end.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "job", "shard"], name="one_total_per_day_and_job")]

    def __str__(self) -> str:
        return f"{self.day} {self.job}"
