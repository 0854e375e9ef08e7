"""A run's page: its life, its log, its result, and what can be done about it."""

import html
import json
import re
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import RunLog, State
from monitoring.page.result import MOST, lines
from tests.page.reading import section, shown, text

pytestmark = pytest.mark.django_db


def test_strangers_are_sent_to_the_login_page(make_run):
    address = f"/runs/{make_run().pk}"
    for each in (address, f"{address}/part", f"{address}/result"):
        assert Client().get(each)["Location"] == f"/sign-in?next={each}"


def test_a_run_that_is_not_there_has_no_page(looker):
    assert looker.get(f"/runs/{uuid4()}").status_code == 404


def test_its_life_is_told_in_order(looker, make_ended):
    now = timezone.now()
    run = make_ended(tick=now - timedelta(hours=2), triggered_by="ana", trigger="api", worker="cron@host")
    life = text(section(shown(looker, f"/runs/{run.pk}"), "run-life"))
    assert re.search("due .* started .* succeeded", life)
    assert "over the API · ana" in life
    assert "cron@host" in life


def test_every_attempt_is_told(looker, make_ended):
    run = make_ended(attempt=2, failures=1)
    for attempt in (1, 2):
        RunLog.objects.create(run=run, attempt=attempt, at=timezone.now(), level="info", message="hello")
    life = text(section(shown(looker, f"/runs/{run.pk}"), "run-life"))
    assert "attempt 1 logged its first line" in life
    assert "attempt 2 started" in life


def test_the_result_is_a_table_beside_that_of_the_last_good_run(looker, make_ended):
    now = timezone.now()
    make_ended(ended=now - timedelta(hours=1), took_s=4, result={"deleted": 3, "tables": {"a": 1}})
    run = make_ended(ended=now, result={"deleted": 7, "tables": {"a": 1}})
    page = shown(looker, f"/runs/{run.pk}")
    told = section(page, "run-result")
    assert ("deleted 7 3" in text(told), "tables › a 1 1" in text(told)) == (True, True)
    assert told.count('class="differs"') == 1
    assert "the last good run 4.0 s" in text(section(page, "run-life"))


def test_what_only_the_last_good_run_returned_is_told_too(looker, make_ended):
    now = timezone.now()
    make_ended(ended=now - timedelta(hours=1), result={"deleted": 3, "skipped": 2})
    told = section(shown(looker, f"/runs/{make_ended(ended=now, result={'deleted': 3}).pk}"), "run-result")
    assert ("deleted 3 3" in text(told), "skipped — 2" in text(told)) == (True, True)
    assert told.count('class="differs"') == 1


@pytest.mark.parametrize("result", [{}, [], 0, "text", None, {"a": {"b": {"c": {"d": [1]}}}}, {"<b>": "<i>"}])
def test_whatever_was_returned_can_be_shown(looker, make_ended, result):
    run = make_ended(result=result)
    assert "<i>" not in section(shown(looker, f"/runs/{run.pk}"), "run-result")


def test_a_huge_result_is_cut():
    assert len(lines({str(n): n for n in range(10 * MOST)})) == MOST


def test_an_error_comes_with_its_traceback(looker, make_ended):
    run = make_ended(state=State.FAILED, error="ValueError: no", traceback="Traceback: line 1")
    told = section(shown(looker, f"/runs/{run.pk}"), "run-error")
    assert "ValueError: no" in told
    assert "Traceback: line 1" in told


def test_the_log_is_told_and_can_be_searched(looker, make_ended, log_lines):
    run = make_ended()
    log_lines(run, 3)
    told = section(shown(looker, f"/runs/{run.pk}"), "run-log")
    assert [f"line {n}" in told for n in range(4)] == [True, True, True, False]
    assert 'type="search"' in told


def test_of_a_long_log_the_end_is_shown(looker, make_ended, log_lines):
    run = make_ended()
    log_lines(run, 1001)
    told = section(shown(looker, f"/runs/{run.pk}"), "run-log")
    assert "Only the last thousand lines are shown." in told
    assert ("line 0 " in told, "line 1000 " in told) == (False, True)


def test_progress_is_told_while_it_runs(looker, make_run):
    run = make_run(state=State.RUNNING, started_at=timezone.now(), progress={"done": 2, "total": 5, "note": "guests"})
    assert '<progress value="2" max="5"' in section(shown(looker, f"/runs/{run.pk}/part"), "run-head")


def test_only_what_makes_sense_and_is_allowed_is_offered(operator, looker, make_run, make_ended):
    running, ended = make_run(state=State.RUNNING), make_ended()
    cancel, again = f"/cron/runs/{running.pk}/cancel", f"/cron/runs/{ended.pk}/retry"
    assert f'data-post="{cancel}"' in shown(operator, f"/runs/{running.pk}")
    assert f'data-post="{again}"' in shown(operator, f"/runs/{ended.pk}")
    for run in (running, ended):
        assert "data-post" not in section(shown(looker, f"/runs/{run.pk}"), "run-head")


def test_a_deletion_is_not_repeated_with_one_click(operator, make_ended):
    head = section(shown(operator, f"/runs/{make_ended('cleanup-sessions').pk}"), "run-head")
    assert "data-post" not in head
    assert 'href="/jobs/cleanup-sessions#run-now"' in head


def test_a_run_can_be_asked_for_again_with_other_arguments(operator, looker, make_ended, declared):
    def body(run, *, day: date | None = None, often: int = 3, at: datetime | None = None, names: list[str] = ()):
        """Takes one of each."""

    declared(body)
    given = {"day": "2026-03-01", "often": 5, "at": "2026-03-01T12:00:00Z", "names": ["a"]}
    run = make_ended("probe-job", arguments=given)
    form = section(shown(operator, f"/runs/{run.pk}"), "run-now")
    inputs = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]* (?:value|data-moment)="([^"]*)"', form))
    assert inputs == {
        "day": "2026-03-01",
        "often": "5",
        "at": "2026-03-01T12:00:00Z",
        "names": "[&quot;a&quot;]",
    }
    assert 'data-url="/cron/trigger/probe-job"' in form
    assert 'id="run-now"' not in shown(looker, f"/runs/{run.pk}")


@pytest.mark.parametrize("dry", [True, False])
def test_a_dry_run_is_asked_for_again_as_one(operator, make_ended, dry):
    form = section(shown(operator, f"/runs/{make_ended(dry_run=dry).pk}"), "run-now")
    assert ("data-dry-run checked" in form) == dry


def test_what_takes_no_arguments_has_no_such_form(operator, make_ended, declared):
    declared()
    assert 'id="run-now"' not in shown(operator, f"/runs/{make_ended('probe-job').pk}")


def test_what_the_brake_stopped_can_be_confirmed(operator, make_ended):
    run = make_ended("cleanup-sessions", state=State.FAILED, reason="brake", arguments={"n": 1})
    head = section(shown(operator, f"/runs/{run.pk}"), "run-head")
    assert 'data-post="/cron/trigger/cleanup-sessions"' in head
    body = html.unescape(re.search(r'data-body="([^"]+)"', head)[1])
    assert json.loads(body) == {"confirms": str(run.pk), "arguments": {"n": 1}}


def test_the_run_of_a_task_that_is_not_declared_has_a_page(operator, make_ended):
    page = shown(operator, f"/runs/{make_ended('some.task').pk}")
    assert "some.task" in page
    assert "data-post" not in section(page, "run-head")
