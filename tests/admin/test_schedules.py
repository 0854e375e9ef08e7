from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from jobs.engine.scheduling import run_pass
from jobs.models import Run, Schedule
from tests.admin.conftest import ADD, CHANGE, LIST, NEW, edit, filled_in, problems, read_edits, row


def next_local_time(name):
    schedule = Schedule.objects.get(name=name)
    return schedule.next_tick_at.astimezone(row(name).crontab.timezone).strftime("%H:%M")


def test_saving_marks_the_schedule_and_the_next_pass_knows_the_new_tick(operator, synced):
    assert edit(operator, "backup-data", hour="5", minute="15").status_code == 302

    assert Schedule.objects.get(name="backup-data").dirty
    assert read_edits() == 1
    assert next_local_time("backup-data") == "05:15"


def test_saving_without_a_change_moves_nothing(operator, synced):
    before = Schedule.objects.get(name="backup-data").next_tick_at

    assert edit(operator, "backup-data").status_code == 302
    read_edits()

    assert Schedule.objects.get(name="backup-data").next_tick_at == before
    assert CrontabSchedule.objects.count() == 16


def test_the_own_crontab_is_edited_in_place(operator, synced):
    before = row("backup-data").crontab_id

    edit(operator, "backup-data", hour="5")

    assert row("backup-data").crontab_id == before
    assert CrontabSchedule.objects.count() == 16


def test_a_shared_crontab_is_not_moved_for_the_others(operator, synced):
    shared = row("backup-data").crontab
    PeriodicTask.objects.filter(name="daily-report").update(crontab=shared)

    edit(operator, "backup-data", hour="5")

    assert row("backup-data").crontab.hour == "5"
    assert row("daily-report").crontab.hour == "3"


def test_a_change_of_kind_leaves_no_orphan(operator, synced):
    edit(operator, "backup-data", kind="interval", every="6", period="hours")

    assert row("backup-data").crontab is None
    assert row("backup-data").interval.every == 6
    assert CrontabSchedule.objects.count() == 15


def test_a_moment_is_for_one_time_only(operator):
    soon = datetime.now(UTC) + timedelta(days=1)
    moment = {"kind": "clocked", "clocked_time_0": f"{soon:%Y-%m-%d}", "clocked_time_1": "12:00"}

    operator.post(reverse(ADD), {**NEW, **moment})
    read_edits()

    assert row("my own schedule").one_off
    assert Schedule.objects.get().next_tick_at == soon.replace(hour=12, minute=0, second=0, microsecond=0)


def test_a_broken_row_is_mended_by_saving_it(operator, synced):
    PeriodicTask.objects.filter(name="backup-data").update(priority=3, headers="[1]")
    CrontabSchedule.objects.filter(periodictask__name="backup-data").update(minute="99")
    read_edits()
    assert Schedule.objects.get(name="backup-data").broken

    edit(operator, "backup-data", minute="0", headers="{}")
    read_edits()

    assert Schedule.objects.get(name="backup-data").broken == ""
    assert next_local_time("backup-data") == "03:00"


def test_the_page_of_a_broken_row_opens_and_says_why(operator, synced):
    CrontabSchedule.objects.filter(periodictask__name="backup-data").update(minute="99")
    read_edits()

    page = operator.get(reverse(CHANGE, args=[row("backup-data").pk])).content.decode()

    assert "minute 99 is not in 0-59" in page
    assert "broken: " in operator.get(reverse(LIST)).content.decode()


def test_switching_off_is_never_lost_to_a_scheduler_at_work(operator, synced):
    url = reverse(CHANGE, args=[row("backup-data").pk])
    typed = {name: value for name, value in filled_in(operator, url).items() if name not in ("enabled", "version")}

    for hour in range(20):
        run_pass(Schedule.objects.get(name="backup-data").next_tick_at, enabled=True)
        assert operator.post(url, {**typed, "hour": str(hour)}).status_code == 302
        read_edits()
        run_pass(Schedule.objects.get(name="backup-data").next_tick_at, enabled=True)
        assert row("backup-data").enabled is False

    assert Schedule.objects.get(name="backup-data").enabled is False


def test_a_declared_row_keeps_its_name_and_task(operator, synced):
    edit(operator, "backup-data", name="renamed", task="jobs.cleanup-sessions")

    assert row("backup-data").task == "jobs.backup-data"
    assert not PeriodicTask.objects.filter(name="renamed").exists()


def test_a_declared_row_is_not_deleted_but_an_own_one_is(operator, synced):
    operator.post(reverse(ADD), NEW)
    own, declared = row("my own schedule"), row("backup-data")
    delete = {"action": "delete_selected", "post": "yes"}

    assert operator.post(reverse(LIST), {**delete, "_selected_action": [own.pk, declared.pk]}).status_code == 403
    assert PeriodicTask.objects.count() == 17
    assert operator.post(reverse(LIST), {**delete, "_selected_action": [own.pk]}).status_code == 302
    assert PeriodicTask.objects.count() == 16
    assert CrontabSchedule.objects.count() == 16
    assert operator.post(f"{reverse(CHANGE, args=[declared.pk])[:-7]}delete/", {"post": "yes"}).status_code == 403


def test_the_log_tells_before_and_after(operator, synced):
    edit(operator, "backup-data", hour="5")

    assert "hour: 3 → 5" in LogEntry.objects.latest("pk").get_change_message()


def test_the_list_tells_words_ticks_and_edits(operator, synced):
    edit(operator, "backup-data", hour="5")
    read_edits()

    page = operator.get(reverse(LIST)).content.decode()

    assert "At 05:00, Europe/Bucharest" in page
    assert "edited; declared is 0 3 * * * Europe/Bucharest" in page
    assert "Every 30 minutes, Europe/Bucharest" in page


@pytest.mark.parametrize(
    ("standing", "names"), [("edited", ["backup-data"]), ("paused", []), ("broken", ["daily-report"])]
)
def test_the_list_can_be_narrowed_to_what_needs_a_look(operator, synced, standing, names):
    edit(operator, "backup-data", hour="5")
    CrontabSchedule.objects.filter(periodictask__name="daily-report").update(minute="99")
    read_edits()

    found = operator.get(reverse(LIST), {"standing": standing}).context["cl"].result_list

    assert [each.name for each in found] == names


def test_the_list_costs_the_same_whatever_its_length(operator, synced, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        operator.get(reverse(LIST))


def test_pages_hold_no_script_of_their_own(operator, synced):
    page = operator.get(reverse(CHANGE, args=[row("backup-data").pk])).content.decode()

    assert "jobs/admin/periodic_task.js" in page
    assert "Translation" not in page
    assert all("src=" in tag for tag in page.split("<script")[1:] if "application/json" not in tag)


def test_intervals_are_own_too(operator):
    other = IntervalSchedule.objects.create(every=5, period="minutes")
    PeriodicTask.objects.create(name="other", task="jobs.daily-report", interval=other)

    operator.post(reverse(ADD), {**NEW, "kind": "interval", "every": "5", "period": "minutes"})

    assert row("my own schedule").interval_id != other.pk


def test_a_refused_edit_leaves_the_row_alone(operator, synced):
    assert "hour" in problems(edit(operator, "backup-data", hour="99", enabled=""))

    assert row("backup-data").crontab.hour == "3"
    assert not Schedule.objects.get(name="backup-data").dirty
    assert not Run.objects.exists()


def test_of_two_who_edit_at_once_the_second_is_told(operator, synced):
    url = reverse(CHANGE, args=[row("daily-report").pk])
    seen = filled_in(operator, url)

    assert operator.post(url, {**seen, "hour": "9"}).status_code == 302
    answer = operator.post(url, {**seen, "minute": "30"})

    assert problems(answer) == {"version": ["Somebody has changed this schedule since you opened it. Open it anew."]}
    assert (row("daily-report").crontab.hour, row("daily-report").crontab.minute) == ("9", "0")
