from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from django_celery_results.models import TaskResult

from jobs.models import DailyTotal, Run, RunLog, State, TickGap, Worker
from monitoring.models import LogEntry

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
RUNS = "admin:jobs_run_changelist"


def make_run(**values):
    defaults = {"job": "daily-report", "task": "jobs.daily-report", "queue": "cron", "state": State.SUCCEEDED}
    return Run.objects.create(**{**defaults, **values})


def page_of(client, run):
    return client.get(reverse("admin:jobs_run_change", args=[run.pk]))


def make_one_of_each():
    lease = {"lease_until": NOW, "name": "a worker", "kind": Worker.Kind.WORKER}
    return [
        make_run(),
        TickGap.objects.create(schedule_name="x", job="x", first=NOW, last=NOW, count=500, fate=State.MISSED),
        Worker.objects.create(**lease),
        DailyTotal.objects.create(day=date(2026, 6, 15), job="x", succeeded=2, duration_ms=300),
        TaskResult.objects.create(task_id="x", task_name="jobs.x", status="SUCCESS"),
        LogEntry.objects.create(at=NOW, level="info", logger="x", message="x", process="x"),
    ]


def test_what_the_engine_owns_can_be_seen_and_not_touched(operator):
    for row in make_one_of_each():
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        assert operator.get(reverse(f"{name}_changelist")).status_code == 200
        assert operator.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200
        assert operator.get(reverse(f"{name}_add")).status_code == 403
        assert operator.post(reverse(f"{name}_change", args=[row.pk]), {}).status_code == 403
        assert operator.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
        assert type(row).objects.filter(pk=row.pk).exists()


def test_a_run_is_told_with_its_result_progress_and_log(operator):
    run = make_run(result={"sent": 3}, progress={"done": 2, "total": 5, "note": "guests"}, error="")
    RunLog.objects.create(run=run, attempt=1, at=NOW, level="warning", message="<b>bold</b>", fields={"guest": 7})

    page = page_of(operator, run).content.decode()

    assert "&quot;sent&quot;: 3" in page
    assert "2 of 5 (guests)" in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "guest=7" in page
    assert "<td>12:00:00</td>" in page  # in Bucharest


def test_of_a_long_log_the_last_lines_are_shown_in_order(operator):
    run = make_run()
    line = {"run": run, "attempt": 1, "at": NOW, "level": "info"}
    RunLog.objects.bulk_create(RunLog(**line, message=f"line {n:04}") for n in range(502))

    page = page_of(operator, run).content.decode()

    assert "Only the last 500 lines" in page
    assert "line 0001" not in page
    assert page.index("line 0002") < page.index("line 0501")


def test_a_run_is_found_by_its_id(operator):
    run, _ = make_run(), make_run()

    found = operator.get(reverse(RUNS), {"q": str(run.pk)}).context["cl"].result_list

    assert [each.pk for each in found] == [run.pk]


def test_runs_can_be_narrowed_to_a_job(operator):
    make_run()
    backup = make_run(job="backup-data")

    found = operator.get(reverse(RUNS), {"job": "backup-data"}).context["cl"].result_list

    assert [each.pk for each in found] == [backup.pk]


def test_a_waiting_run_is_cancelled_and_a_running_one_is_asked(operator):
    waiting = make_run(state=State.QUEUED, overlap_key="a")
    running = make_run(state=State.RUNNING, attempt=1, overlap_key="b")
    ended = make_run()

    chosen = [waiting.pk, running.pk, ended.pk]
    answer = operator.post(reverse(RUNS), {"action": "cancel", "_selected_action": chosen}, follow=True)

    said = " ".join(str(message) for message in answer.context["messages"])
    assert "is cancelled" in said
    assert "is asked to stop" in said
    assert "has already ended" in said
    waiting.refresh_from_db()
    running.refresh_from_db()
    assert (waiting.state, running.cancel_requested_by) == (State.CANCELLED, "operator")


def test_the_page_of_an_active_run_has_a_cancel_button(operator):
    waiting, ended = make_run(state=State.QUEUED), make_run()

    assert b'name="_cancel"' in page_of(operator, waiting).content
    assert b'name="_cancel"' not in page_of(operator, ended).content
    operator.post(reverse("admin:jobs_run_change", args=[waiting.pk]), {"_cancel": "1"})
    waiting.refresh_from_db()
    assert waiting.state == State.CANCELLED


@pytest.mark.parametrize(("permissions", "state"), [([], State.QUEUED), (["jobs.change_run"], State.CANCELLED)])
def test_cancelling_needs_a_permission(staff, permissions, state):
    run = make_run(state=State.QUEUED)

    staff("jobs.view_run", *permissions).post(reverse("admin:jobs_run_change", args=[run.pk]), {"_cancel": "1"})

    run.refresh_from_db()
    assert run.state == state


def test_a_worker_is_alive_while_its_lease_lasts(operator):
    Worker.objects.create(name="gone", kind="worker", lease_until=NOW - timedelta(days=3650))
    Worker.objects.create(name="here", kind="worker", lease_until=NOW + timedelta(days=3650))

    found = operator.get(reverse("admin:jobs_worker_changelist")).context["cl"].result_list

    assert {each.name: each.alive for each in found} == {"gone": False, "here": True}
