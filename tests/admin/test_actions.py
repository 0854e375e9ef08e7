import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from jobs.models import Run, Schedule, Trigger
from tests.admin.conftest import ADD, CHANGE, LIST, NEW, edit, read_edits, row


@pytest.fixture
def sent(monkeypatch):
    """What is handed to the broker: the outer edge, kept in a list."""
    runs = []
    monkeypatch.setattr("jobs.admin.actions.publish", runs.extend)
    return runs


def act(client, action, *names, **more):
    rows = [row(name).pk for name in names]
    return client.post(reverse(LIST), {"action": action, "_selected_action": rows, **more}, follow=True)


def said(answer):
    return " ".join(str(message) for message in answer.context["messages"])


def test_run_now_triggers_the_job_in_the_name_of_the_person(operator, synced, sent):
    answer = act(operator, "run_now", "daily-report", "backup-data")

    runs = {run.job: run for run in Run.objects.all()}
    assert runs.keys() == {"daily-report", "backup-data"}
    assert {(run.trigger, run.triggered_by) for run in runs.values()} == {(Trigger.ADMIN, "operator")}
    assert len(sent) == 2
    assert "daily-report is queued" in said(answer)
    assert "Run now" in LogEntry.objects.latest("pk").get_change_message()


def test_a_second_run_now_says_which_run_waits_already(operator, synced, sent):
    act(operator, "run_now", "daily-report")

    assert str(Run.objects.get().pk) in said(act(operator, "run_now", "daily-report"))
    assert Run.objects.count() == 1


def test_a_pause_asks_why_first(operator, synced):
    asked = act(operator, "pause", "backup-data")
    assert "Every tick that is skipped says so." in asked.content.decode()
    refused = act(operator, "pause", "backup-data", apply="Pause", reason="")
    assert "required" in refused.content.decode()
    assert not Schedule.objects.exclude(paused_at=None).exists()

    act(operator, "pause", "backup-data", apply="Pause", reason="the disk is full")

    schedule = Schedule.objects.get(name="backup-data")
    assert (schedule.pause_reason, schedule.paused_by) == ("the disk is full", "operator")
    assert "the disk is full" in operator.get(reverse(LIST)).content.decode()


def test_resume_ends_a_pause(operator, synced):
    act(operator, "pause", "backup-data", apply="Pause", reason="x")

    assert "no longer paused" in said(act(operator, "resume", "backup-data"))
    assert "was not paused" in said(act(operator, "resume", "backup-data"))
    assert Schedule.objects.get(name="backup-data").paused_at is None


def test_disable_and_enable_reach_the_scheduler(operator, synced):
    act(operator, "disable", "backup-data", "daily-report")
    read_edits()
    assert Schedule.objects.filter(enabled=False).count() == 2

    act(operator, "enable", "backup-data")
    read_edits()
    assert PeriodicTask.objects.get(enabled=False).name == "daily-report"


def test_reset_gives_up_an_edit(operator, synced):
    edit(operator, "backup-data", hour="5")

    assert "follows its declaration again" in said(act(operator, "reset", "backup-data"))
    assert row("backup-data").crontab.hour == "3"


def test_an_own_row_has_no_default(operator, synced):
    operator.post(reverse(ADD), NEW)

    assert "no default" in said(act(operator, "reset", "my own schedule"))


LOOK, CHANGE_IT, RUN = (
    "django_celery_beat.view_periodictask",
    "django_celery_beat.change_periodictask",
    "jobs.add_run",
)


@pytest.mark.parametrize(
    ("permissions", "offered"),
    [
        ([LOOK], set()),
        ([LOOK, RUN], {"run_now"}),
        ([LOOK, CHANGE_IT], {"pause", "resume", "enable", "disable", "reset"}),
    ],
)
def test_each_action_needs_its_permission(staff, synced, sent, permissions, offered):
    client = staff(*permissions)

    form = client.get(reverse(LIST)).context["action_form"]
    choices = {value for value, _ in form.fields["action"].choices if value} if form else set()
    act(client, "run_now", "daily-report")
    act(client, "disable", "daily-report")

    assert choices == offered
    assert Run.objects.exists() == (RUN in permissions)
    assert row("daily-report").enabled == (CHANGE_IT not in permissions)


def test_without_any_permission_there_is_nothing_to_see(staff, synced):
    assert staff().get(reverse(LIST)).status_code == 403


def test_who_may_look_sees_the_ticks_and_can_save_nothing(staff, synced):
    client, url = staff(LOOK), reverse(CHANGE, args=[row("backup-data").pk])

    page = client.get(url)

    assert "At 03:00, Europe/Bucharest" in page.content.decode()
    assert len(page.context["preview"].ticks) == 10
    assert client.post(url, NEW).status_code == 403


def test_who_may_change_moves_the_time_but_not_what_is_run(staff, operator, synced):
    operator.post(reverse(ADD), NEW)

    assert edit(
        staff(LOOK, CHANGE_IT), "my own schedule", hour="7", task="jobs.backup-data", queue="cleanup"
    ).status_code
    changed = row("my own schedule")

    assert (changed.crontab.hour, changed.task, changed.queue) == ("7", "jobs.daily-report", None)


def test_only_superusers_add_rows(staff, operator):
    assert staff("django_celery_beat.add_periodictask").get(reverse(ADD)).status_code == 403
    assert operator.get(reverse(ADD)).status_code == 200
