"""The first page: whether everything is all right, and all jobs at a glance."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.engine import registry
from jobs.models import State
from monitoring.models import Alert
from tests.page.conftest import make_alert, make_schedule, make_worker
from tests.page.reading import section, shown, text

PAGES = ("/", "/overview")
HOW_MANY_QUERIES = 25

pytestmark = pytest.mark.django_db


def row(html: str, job: str) -> str:
    return next(each for each in html.split("<tr") if f'/jobs/{job}"' in each).split("</tr>")[0]


@pytest.mark.parametrize("address", PAGES)
def test_strangers_are_sent_to_the_login_page_and_back(address):
    answer = Client().get(address)
    assert (answer.status_code, answer["Location"]) == (302, f"/sign-in?next={address}")


@pytest.mark.parametrize("address", PAGES)
def test_who_may_not_look_is_told_kindly_what_is_lacking(person, address):
    answer = person("jobs.add_run").get(address)
    assert answer.status_code == 403
    assert "jobs.view_run" in answer.content.decode()
    assert "daily-report" not in answer.content.decode()


def test_nothing_is_kept_by_browsers_and_the_csrf_cookie_is_set(looker):
    answer = looker.get("/")
    assert "no-store" in answer["Cache-Control"]
    assert answer.cookies["csrftoken"].value


def test_the_page_can_only_be_looked_at(operator):
    assert operator.post("/").status_code in (403, 405)


def test_nothing_inline_stands_in_the_way_of_a_strict_policy(operator, fleet, make_ended):
    make_ended()
    html = shown(operator)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html)
    assert all(" src=" in script for script in re.findall(r"<script[^>]*>", html))


def test_every_declared_job_has_its_row(looker):
    html = shown(looker)
    assert [job.slug for job in registry.all_jobs() if not row(html, job.slug)] == []
    assert "Cleanup jobs (CleanupJob)" in html


def test_a_complete_fleet_is_all_right_in_one_sentence(looker, fleet):
    state = section(shown(looker), "state")
    assert "Everything is all right." in state
    assert 'class="state healthy"' in state


def test_an_alert_that_nobody_has_looked_at_is_not_all_right(looker, fleet):
    alert = make_alert()
    state = section(shown(looker), "state")
    assert "an alert wants to be looked at" in state
    assert 'class="state attention"' in state
    Alert.objects.filter(pk=alert.pk).update(state="acknowledged", acknowledged_at=timezone.now())
    assert "Everything is all right." in section(shown(looker), "state")


def test_of_very_many_alerts_some_are_shown_and_the_rest_is_a_step_away(looker):
    for n in range(21):
        make_alert(subject=f"thing {n}")
    told = section(shown(looker), "alerts")
    assert told.count("<li") == 20
    assert 'href="/alerts"' in told


def test_what_is_wrong_is_named(looker):
    state = text(section(shown(looker), "state"))
    assert "Some jobs cannot run." in state
    assert "no scheduler is alive" in state


def test_the_page_is_there_while_the_broker_is_not(looker, fleet, no_broker):
    assert "the broker does not answer" in section(shown(looker), "state")


def test_switched_off_schedules_are_said(looker, fleet, settings):
    settings.CRON = replace(settings.CRON, enabled=False)
    assert "CRON_ENABLED is false" in section(shown(looker), "state")


def test_the_last_run_is_told_with_its_length_and_the_usual_one(looker, make_ended):
    now = timezone.now()
    for n in range(3):
        make_ended(ended=now - timedelta(hours=n + 1), took_s=2)
    make_ended(ended=now, took_s=9, state=State.FAILED)
    told = row(shown(looker), "daily-report")
    assert "failed" in told
    assert "9.0 s" in told
    assert "slow" in told
    assert "usually 2.0 s" in text(told)
    assert "The last 4 runs; 1 failed" in told


def test_a_job_that_never_ran_says_so(looker):
    assert "never ran" in row(shown(looker), "daily-report")


def test_a_running_job_shows_how_far_it_is(looker, make_run):
    make_run(state=State.RUNNING, started_at=timezone.now(), progress={"done": 3, "total": 8, "note": "guests"})
    told = row(shown(looker), "daily-report")
    assert '<progress value="3" max="8"' in told
    assert "guests" in told


@pytest.mark.parametrize("address", ["/", "/jobs/daily-report", "/runs/{}"])
def test_what_is_left_of_a_run_is_told_at_its_pace_so_far(looker, make_run, address):
    begun = timezone.now() - timedelta(minutes=10)
    run = make_run(state=State.RUNNING, started_at=begun, progress={"done": 20, "total": 80})
    assert "about 30 min left" in text(shown(looker, address.format(run.pk)))


@pytest.mark.parametrize("progress", [{"done": 0, "total": 8}, {"done": 8, "total": 8}, {"done": 3}, {}, None])
def test_what_cannot_be_told_of_the_rest_is_not_told(looker, make_run, progress):
    make_run(state=State.RUNNING, started_at=timezone.now() - timedelta(minutes=10), progress=progress)
    assert "left" not in row(shown(looker), "daily-report")


def test_a_paused_job_says_so(looker):
    make_schedule("daily-report", paused_at=timezone.now(), pause_reason="new layout")
    assert "paused" in row(shown(looker), "daily-report")


def test_the_schedule_stands_in_words_and_the_next_run_as_a_time(looker):
    make_schedule("daily-report")
    told = row(shown(looker), "daily-report")
    assert "At 08:00" in told
    assert 'datetime="2030-01-01T03:00:00Z"' in told
    assert "Tuesday 1 January 2030 05:00:00 EET (Europe/Bucharest)" in told


def test_queues_and_processes_are_listed(looker, fleet, make_run):
    make_run(state=State.QUEUED)
    html = shown(looker)
    assert "cron 1 0 0" in text(section(html, "queues"))
    assert section(html, "fleet").count("<tr>") == 4


def test_nobody_alive_is_an_empty_state_that_helps(looker):
    assert "No worker and no scheduler is alive" in section(shown(looker), "fleet")


def test_open_alerts_are_told_and_can_be_acknowledged_by_who_may(looker, operator):
    alert = make_alert()
    make_alert(subject="w2", state=Alert.State.CLEARED, cleared_at=timezone.now())
    told = section(shown(operator), "alerts")
    assert ("w1" in told, "w2" in told) == (True, False)
    assert f'data-post="/cron/alerts/{alert.pk}/acknowledgement"' in told
    assert "data-post" not in section(shown(looker), "alerts")


def test_what_is_written_by_others_is_escaped(looker):
    make_alert(summary="<script>alert(1)</script>")
    assert "<script>alert" not in shown(looker)


def test_the_number_of_queries_does_not_grow(looker, fleet, make_ended, make_run, declared):
    make_ended()
    with CaptureQueriesContext(
        connection,
    ) as few:
        shown(looker)
    now = timezone.now()
    for n, job in enumerate([*registry.all_jobs(), declared(), declared(slug="other-job")]):
        make_schedule(job.slug)
        make_worker("worker", "cron")
        make_alert(subject=job.slug)
        make_run(job.slug, state=State.RUNNING, started_at=now, overlap_key=None)
        make_run(job.slug, state=State.QUEUED, overlap_key=None)
        for hour in range(5):
            make_ended(job.slug, ended=now - timedelta(hours=hour, minutes=n))
    with CaptureQueriesContext(connection) as many:
        shown(looker)
    assert len(many) == len(few) <= HOW_MANY_QUERIES
