"""A job's page: when it runs, how it ran, and what can be done about it."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.engine import registry
from jobs.ids import new_run_id
from jobs.models import State
from monitoring.page.chart import chart
from monitoring.page.job import look_at_job
from monitoring.page.recent import Ended
from tests.page.conftest import LOOK, TRIGGER, make_schedule
from tests.page.reading import section, shown, text

JOB = "/jobs/daily-report"
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", [JOB, f"{JOB}/part"])
def test_strangers_are_sent_to_the_login_page(address):
    assert Client().get(address)["Location"] == f"/sign-in?next={address}"


@pytest.mark.parametrize("address", ["/jobs/nothing", "/jobs/nothing/part"])
def test_a_job_that_is_not_declared_has_no_page(looker, address):
    answer = looker.get(address)
    assert answer.status_code == 404
    assert "Back to the overview" in answer.content.decode()


def test_it_says_what_the_job_does_and_when(looker):
    make_schedule("daily-report")
    head = text(section(shown(looker, JOB), "job-head"))
    assert "Generate and send the daily activity report" in head
    assert "At 08:00 0 8 * * *" in head


def test_the_next_ten_ticks_are_local_and_in_utc(looker):
    make_schedule("daily-report")
    ticks = section(shown(looker, JOB), "ticks")
    assert len(re.findall(r"\d\d:00 EES?T", ticks)) == 10
    assert len(re.findall(r"\d\d:00 UTC", ticks)) == 10


def test_a_clock_change_is_noted():
    make_schedule("daily-report")
    seen = look_at_job(registry.get("daily-report"), QueryDict(), now=datetime(2027, 3, 26, 12, tzinfo=UTC))
    assert [tick.local for tick in seen.ticks if tick.switched] == ["Sun 2027-03-28 08:00 EEST"]
    assert "clocks were changed" in render_to_string("monitoring/page/parts/ticks.html", {"ticks": seen.ticks})


def test_while_no_tick_is_to_come_the_page_says_why(looker):
    make_schedule("daily-report", enabled=False)
    assert "No time is to come" in section(shown(looker, JOB), "ticks")


def test_the_history_is_paged_and_every_run_comes_once(looker, make_ended):
    made = {str(make_ended().pk) for _ in range(60)}
    seen, address = [], JOB
    while address:
        page = section(shown(looker, address), "history")
        seen += re.findall(r'href="/runs/([0-9a-f-]+)"', page)
        older = re.search(r'rel="next" href="(\?[^"#]+)', page)
        address = JOB + older[1].replace("&amp;", "&") if older else None
    assert (len(seen), set(seen)) == (60, made)
    assert seen == sorted(seen, reverse=True)


def test_the_history_can_be_narrowed_to_a_state(looker, make_ended):
    failed = make_ended(state=State.FAILED, error="ValueError: no")
    make_ended()
    page = section(shown(looker, f"{JOB}?state=failed"), "history")
    assert re.findall(r'href="/runs/([0-9a-f-]+)"', page) == [str(failed.pk)]
    assert "ValueError: no" in page


@pytest.mark.parametrize("query", ["state=nonsense", "before=nonsense", "before=1&state=%00"])
def test_nonsense_in_the_address_is_as_if_it_were_not_there(looker, make_ended, query):
    assert str(make_ended().pk) in shown(looker, f"{JOB}?{query}")


def test_a_job_without_runs_has_an_empty_state_that_helps(looker):
    assert "The job has never run" in section(shown(looker, JOB), "history")
    assert "No run of this job is in that state" in section(shown(looker, f"{JOB}?state=failed"), "history")


def test_the_chart_has_a_dot_for_each_run_and_says_it_in_words(looker, make_ended):
    now = timezone.now()
    for n in range(1, 12):
        make_ended(ended=now - timedelta(hours=n), took_s=n)
    make_ended(ended=now, took_s=1, state=State.FAILED)
    told = section(shown(looker, JOB), "chart")
    assert told.count('class="spot succeeded"') == 11
    assert told.count('class="spot failed"') == 1
    assert "the median is 6.0 s, most took from 2.0 s to 10.0 s, the longest 11.0 s" in told


def make_dots(*seconds, **fields):
    at = datetime(2026, 1, 1, tzinfo=UTC)
    given = {"state": State.SUCCEEDED, "dry_run": False, **fields}
    return [Ended(new_run_id(), given["state"], at, at + timedelta(seconds=each), given["dry_run"]) for each in seconds]


def test_dry_and_failed_runs_do_not_change_what_is_usual():
    seen = chart([*make_dots(10), *make_dots(90, dry_run=True), *make_dots(50, state=State.FAILED)])
    assert (seen.median, seen.longest, len(seen.dots)) == (timedelta(seconds=10), timedelta(seconds=50), 2)
    assert chart(make_dots(90, dry_run=True)) is None


def test_runs_that_took_no_time_at_all_can_be_drawn():
    seen = chart(make_dots(0, 0))
    assert [dot.y for dot in seen.dots] == [seen.median_y] * 2


def test_the_form_is_made_from_the_typed_arguments(operator, declared):
    def body(run, *, day: date | None = None, often: int = 3, share: float, word: str = "a<b", sure: bool = True):
        """Takes one of each."""

    declared(body)
    form = section(shown(operator, "/jobs/probe-job"), "run-now")
    inputs = {each[1]: each[0] for each in re.findall(r'(<input[^>]*name="(\w+)"[^>]*>)', form)}
    assert ['type="date"' in inputs["day"], 'step="1" value="3"' in inputs["often"]] == [True, True]
    assert ['step="any"' in inputs["share"], "required" in inputs["share"]] == [True, True]
    assert ['value="a&lt;b"' in inputs["word"], " checked" in inputs["sure"]] == [True, True]
    assert "data-dry-run" in form


def test_a_destructive_job_cannot_be_run_for_real_before_its_dry_run(operator):
    form = section(shown(operator, "/jobs/cleanup-sessions"), "run-now")
    assert re.search(r'<button[^>]*value="real" disabled>', form)
    assert "data-destructive" in form
    assert "data-dry-run" not in form


def test_only_what_a_person_may_do_is_offered(person, operator):
    sections = ("run-now", "pause", "why", "schedule")
    for client, offered in (
        (person(LOOK), {"why"}),
        (person(LOOK, TRIGGER), {"run-now", "why"}),
        (operator, set(sections)),
    ):
        html = shown(client, JOB)
        assert {each for each in sections if f'<section id="{each}"' in html} == offered


def test_the_editor_knows_where_to_look_preview_save_and_reset(operator):
    make_schedule("daily-report")
    editor = section(shown(operator, JOB), "schedule")
    address = "/cron/jobs/daily-report/schedule"
    assert f'data-url="{address}" data-preview="{address}/preview" data-reset="{address}/reset"' in editor
    names = re.findall(r'<(?:input|select)[^>]* name="(\w+)"', editor)
    assert names == ["kind", "kind", "cron", "timezone", "every", "period", "enabled"]


def test_a_pause_says_who_and_why_and_can_be_ended(operator, looker):
    make_schedule("daily-report", paused_at=timezone.now(), paused_by="ana", pause_reason="new layout")
    head = section(shown(operator, JOB), "job-head")
    assert "Paused by ana: new layout." in text(head)
    assert 'data-post="/cron/jobs/daily-report/resume"' in head
    assert "data-post" not in section(shown(looker, JOB), "job-head")


def test_people_of_the_admin_find_the_schedule_there(person):
    row = make_schedule("daily-report")
    client = person(LOOK, "jobs.change_schedule", is_staff=True)
    link = f"/admin/django_celery_beat/periodictask/{row.periodic_task_id}/change/"
    assert link in section(shown(client, JOB), "job-head")


def test_the_number_of_queries_does_not_grow(looker, make_ended):
    with CaptureQueriesContext(connection) as few:
        shown(looker, JOB)
    for _ in range(30):
        make_ended()
    make_schedule("daily-report", name="another", synced_default=None)
    with CaptureQueriesContext(connection) as many:
        shown(looker, JOB)
    assert len(many) == len(few)
