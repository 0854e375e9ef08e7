from datetime import UTC, datetime, timedelta
from io import StringIO

from django.core.management import call_command
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from jobs.engine import registry
from jobs.management import table
from jobs.models import Run, Schedule, State


def test_sync_makes_the_schedules_and_the_second_time_changes_nothing(cron):
    slugs = [job.slug for job in registry.all_jobs()]

    assert cron("sync", "--json").data["created"] == slugs
    assert cron("sync", "--json").data["unchanged"] == slugs
    assert not Schedule.objects.filter(dirty=True).exists()


def test_list_has_every_job_with_its_next_tick(cron, synced):
    listed = {each["job"]: each for each in cron("list", "--json").data}

    assert list(listed) == [job.slug for job in registry.all_jobs()]
    cleanup = listed["cleanup-sessions"]
    assert cleanup["words"] == "At 02:00"
    assert cleanup["state"] == "on"
    assert cleanup["timing"] == {"cron": "0 2 * * *", "zone": "Europe/Bucharest"}
    assert datetime.fromisoformat(cleanup["nextTick"]) > datetime.now(UTC)
    assert cleanup["lastRun"] is None


def test_list_says_what_is_missing_off_paused_and_broken(cron, synced):
    PeriodicTask.objects.filter(name="daily-report").delete()
    PeriodicTask.objects.filter(name="backup-data").update(enabled=False)
    CrontabSchedule.objects.filter(periodictask__name="sync-credentials").update(day_of_month="31", month_of_year="2")
    cron("pause", "cleanup-sessions", "--reason", "moving house")

    states = {each["job"]: each["state"] for each in cron("list", "--json").data}

    assert states["daily-report"] == "missing"
    assert states["backup-data"] == "off"
    assert states["sync-credentials"] == "broken"
    assert states["cleanup-sessions"] == "paused"
    assert "never fires" in cron("list").text


def test_list_shows_the_latest_run_and_not_a_tick_that_was_skipped(cron, synced):
    ran = Run.objects.create(job="daily-report", task="jobs.daily-report", queue="cron", state=State.FAILED)
    Run.objects.create(job="daily-report", task="jobs.daily-report", queue="cron", state=State.SKIPPED)

    [report] = [each for each in cron("list", "--json").data if each["job"] == "daily-report"]

    assert report["lastRun"]["id"] == str(ran.pk)
    assert report["lastRun"]["state"] == "failed"


def test_next_follows_the_live_schedule_at_once(cron, synced):
    CrontabSchedule.objects.filter(periodictask__name="backup-data").update(hour="4", minute="15")

    [schedule] = cron("next", "backup-data", "-n", "3", "--json").data

    assert len(schedule["ticks"]) == 3
    assert all(" 04:15 EE" in tick["local"] for tick in schedule["ticks"])
    assert schedule["zone"] == "Europe/Bucharest"


def test_next_knows_every_schedule_of_a_job(cron, synced):
    crontab = CrontabSchedule.objects.create(minute="5", hour="5", timezone="UTC")
    PeriodicTask.objects.create(name="another backup", task="jobs.backup-data", crontab=crontab)

    assert [each["schedule"] for each in cron("next", "backup-data", "--json").data] == [
        "backup-data",
        "another backup",
    ]


def test_next_ends_where_the_schedule_does(cron, synced):
    [[first, second, _]] = [each["ticks"] for each in cron("next", "backup-data", "-n", "3", "--json").data]
    last = datetime.fromisoformat(second["utc"])
    PeriodicTask.objects.filter(name="backup-data").update(expires=last + timedelta(hours=1))

    [schedule] = cron("next", "backup-data", "--json").data

    assert schedule["ticks"] == [first, second]


def test_why_answers_for_both_passes_of_a_repeated_hour(cron, synced):
    answer = cron("why", "check-system-performance", "--at", "2026-10-25 03:30", "--json")

    assert "comes twice" in answer.data["note"]
    assert [each["at"] for each in answer.data["found"]] == ["2026-10-25T00:30:00.000Z", "2026-10-25T01:30:00.000Z"]


def test_why_names_the_run_of_a_tick(cron, synced):
    run = Run.objects.create(
        job="daily-report",
        task="jobs.daily-report",
        queue="cron",
        state=State.SKIPPED,
        reason="overlap: run 1 is still running",
        schedule_name="daily-report",
        tick=datetime(2026, 6, 15, 5, 0, tzinfo=UTC),
    )

    answer = cron("why", "daily-report", "--at", "2026-06-15 08:00", "--json")

    assert answer.data["found"][0]["runId"] == str(run.pk)
    assert answer.data["found"][0]["fate"] == "skipped"
    assert "overlap" in cron("why", "daily-report", "--at", "2026-06-15T05:00Z").text


def test_a_pause_is_remembered_with_reason_and_end(cron):
    call_command("cron", "sync", stdout=StringIO())
    answer = cron("pause", "backup-data", "--reason", "the disk is full", "--until", "2035-01-01 12:00", "--json")

    assert answer.data == {"job": "backup-data", "paused": 1, "until": "2035-01-01T10:00:00.000Z"}
    schedule = Schedule.objects.get(name="backup-data")
    assert (schedule.pause_reason, schedule.paused_until) == ("the disk is full", datetime(2035, 1, 1, 10, tzinfo=UTC))
    assert cron("resume", "backup-data").code == 0
    assert cron("resume", "backup-data").code == 1


def test_a_pause_without_a_schedule_does_nothing_and_says_so(cron):
    answer = cron("pause", "backup-data", "--reason", "x")

    assert (answer.code, "no schedule" in answer.refusal) == (1, True)


def test_reset_gives_up_an_edit(cron, synced):
    CrontabSchedule.objects.filter(periodictask__name="backup-data").update(hour="4")

    assert cron("reset", "backup-data", "--json").data["cron"] == "0 3 * * *"
    assert Schedule.objects.get(name="backup-data").timing["cron"] == "0 3 * * *"


def test_the_table_has_a_line_for_every_job(cron):
    lines = cron("table").text.rstrip("\n").splitlines()

    assert len(lines) == 2 + len(list(registry.all_jobs()))
    words = "At 02:00 | Cleanup resolved sessions daily at 2 AM | cron | 50 min / 55 min"
    assert f"| `cleanup-sessions` | `0 2 * * *` | {words} |" in lines
    assert cron("table", "--json").data == table.rows()
