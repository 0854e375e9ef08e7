"""Each cause injected once: one notice, one recovery, and none repeated, however often somebody looks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from external_apis.models import Credential, Sender
from jobs.engine import sql
from jobs.models import Run, Schedule, State, Worker
from maintenance.models import Backup
from monitoring.alerts.outbox import LEASE
from monitoring.models import Alert, Cause, Notice
from tests.alerts.conftest import Watch, ended, make_run, make_schedule, make_worker

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CHILD = {"worker": "worker@here#2"}


def fail_thrice() -> None:
    ended(ago=MINUTE, state=State.FAILED, failures=3, error="ValueError: no recipients")


def succeed() -> None:
    ended(ago=timedelta(seconds=1))


def let_wait() -> None:
    make_run(state=State.QUEUED, created_at=sql.now() - 6 * MINUTE, attempt=0)
    occupy()


def occupy() -> None:
    for number in range(2):
        make_run(f"other-{number}", state=State.RUNNING, started_at=sql.now() - HOUR, **CHILD)


def never_run() -> None:
    make_schedule()
    make_run(state=State.SKIPPED, created_at=sql.now() - 2 * HOUR, tick=sql.now() - 2 * HOUR)


def run_long() -> None:
    make_run(state=State.RUNNING, started_at=sql.now() - timedelta(minutes=9), **CHILD)


def end() -> None:
    waiting = Run.objects.filter(state__in=[State.QUEUED, State.RUNNING])
    waiting.update(state=State.SUCCEEDED, started_at=Now() - MINUTE, finished_at=Now())


def pull_brake() -> None:
    ended("cleanup-sessions", ago=MINUTE, state=State.FAILED, reason="brake", failures=1, error="It would remove 60 %.")


def confirm() -> None:
    ended("cleanup-sessions", ago=timedelta(seconds=1))


def break_schedule() -> None:
    make_schedule(broken="There is no 31st of February.", next_tick_at=None)


def mend_schedule() -> None:
    Schedule.objects.update(broken="")


def kill_schedulers() -> None:
    Worker.objects.filter(kind="scheduler").update(lease_until=Now())


def start_scheduler() -> None:
    make_worker("beat@here#3", kind="scheduler", age=timedelta())


def be_deaf() -> None:
    make_run(state=State.QUEUED, created_at=sql.now() - timedelta(seconds=61), attempt=0)


def grow() -> None:
    Worker.objects.filter(kind="worker").update(memory_mb=501)


def shrink() -> None:
    Worker.objects.update(memory_mb=499)


def toil() -> None:
    Worker.objects.filter(kind="worker").update(cpu_percent=81)


def rest() -> None:
    Worker.objects.update(cpu_percent=79)


def fill_disk() -> None:
    Worker.objects.update(disk_percent=90)


def clear_disk() -> None:
    Worker.objects.update(disk_percent=89)


def refuse_credential() -> None:
    Credential.objects.create(
        provider="meta", kind="access_token", label="main", secret="s", in_use=True,
        status="invalid", why="the provider refuses it", invalid_since=sql.now(),
    )  # fmt: skip


def accept_credential() -> None:
    Credential.objects.update(status="valid", why="", invalid_since=None)


def pause_sender() -> None:
    Sender.objects.create(
        provider="meta", channel="whatsapp", address="1", paused_at=sql.now(), pause="refused", paused_because="locked"
    )


def resume_sender() -> None:
    Sender.objects.update(paused_at=None, pause="", paused_because="")


def age_backup() -> None:
    Backup.objects.update(created_at=sql.now() - 37 * HOUR)


def prove_backup() -> None:
    Backup.objects.update(created_at=sql.now())


def fail_channel() -> None:
    about = Alert.objects.create(
        cause=Cause.CPU_HIGH, subject="elsewhere", summary="-", severity="warning", state="cleared",
        raised_at=sql.now() - DAY, seen_at=sql.now() - DAY, told_at=sql.now() - DAY, cleared_at=sql.now() - HOUR,
    )  # fmt: skip
    Notice.objects.create(
        alert=about, kind="cleared", channel="mail", created_at=sql.now(), next_try_at=sql.now() + LEASE,
        attempts=3, tried_at=sql.now(), error="it answered 500",
    )  # fmt: skip


def mend_channel() -> None:
    Notice.objects.filter(attempts=3).update(sent_at=Now())


Steps = tuple[Callable[[], None], Callable[[], None]]
INJECTED: dict[Cause, Steps] = {
    Cause.JOB_FAILING: (fail_thrice, succeed),
    Cause.JOB_LATE: (let_wait, end),
    Cause.NEVER_RAN: (never_run, succeed),
    Cause.TOO_SLOW: (run_long, end),
    Cause.BRAKE_PULLED: (pull_brake, confirm),
    Cause.SCHEDULE_BROKEN: (break_schedule, mend_schedule),
    Cause.SCHEDULER_SILENT: (kill_schedulers, start_scheduler),
    Cause.QUEUE_DEAF: (be_deaf, end),
    Cause.MEMORY_HIGH: (grow, shrink),
    Cause.CPU_HIGH: (toil, rest),
    Cause.DISK_FULL: (fill_disk, clear_disk),
    Cause.CREDENTIAL_BAD: (refuse_credential, accept_credential),
    Cause.SENDER_PAUSED: (pause_sender, resume_sender),
    Cause.BACKUP_UNPROVEN: (age_backup, prove_backup),
    Cause.CHANNEL_FAILING: (fail_channel, mend_channel),
}
IN_TESTS_OF_THEIR_OWN = {Cause.BROKER_AWAY, Cause.BROKER_UNSAFE, Cause.DATABASE_CROWDED}


def test_every_cause_is_injected() -> None:
    assert set(INJECTED) | IN_TESTS_OF_THEIR_OWN == set(Cause)


def test_a_healthy_service_raises_nothing(watch: Watch) -> None:
    make_schedule()
    ended(ago=HOUR)
    watch.look(10)
    assert not Alert.objects.exists()


@pytest.mark.parametrize("cause", INJECTED, ids=str)
def test_one_notice_and_one_recovery(cause: Cause, watch: Watch) -> None:
    inject, mend = INJECTED[cause]
    watch.look(3)
    assert not Alert.objects.exists()
    inject()
    watch.look(4)
    assert [found[0] for found in watch.open] == [cause]
    assert watch.told(cause) == ["raised"]
    watch.look(20)
    assert watch.told(cause) == ["raised"]
    mend()
    watch.look(7)
    assert watch.told(cause) == ["raised", "cleared"]
    watch.look(20)
    assert watch.told(cause) == ["raised", "cleared"]
    assert not watch.open


def test_the_broker_away_and_back(watch: Watch, no_broker: Any) -> None:
    no_broker()
    watch.look(2)
    assert not watch.open
    watch.look(1)
    assert watch.open == [("broker-away", "", "critical")]
    no_broker()
    watch.look(7)
    assert watch.told(Cause.BROKER_AWAY) == ["raised", "cleared"]
