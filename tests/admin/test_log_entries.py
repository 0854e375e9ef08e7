from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from jobs.admin import log_entries
from jobs.models import Run
from monitoring.models import LogEntry

LIST = reverse("admin:monitoring_logentry_changelist")


@pytest.fixture
def make_entry(db):
    def make(message, *, ago=timedelta(), **values):
        defaults = {"level": "info", "logger": "jobs.tests", "process": "web@host#1"}
        return LogEntry.objects.create(at=timezone.now() - ago, message=message, **{**defaults, **values})

    return make


def shown(client, **asked):
    return [entry.message for entry in client.get(LIST, asked).context["cl"].result_list]


def test_lines_are_shown_newest_first(operator, make_entry):
    make_entry("older", ago=timedelta(hours=1))
    make_entry("newest")
    make_entry("oldest", ago=timedelta(days=1))

    assert shown(operator) == ["newest", "older", "oldest"]


def test_lines_are_found_by_level_job_run_and_time(operator, make_entry):
    run = uuid4()
    make_entry("bad", level="error")
    make_entry("of a job", job="daily-report")
    make_entry("of a run", run_id=run)
    make_entry("long ago", ago=timedelta(days=20))

    assert shown(operator, level="error") == ["bad"]
    assert shown(operator, job="daily-report") == ["of a job"]
    assert shown(operator, run_id=str(run)) == ["of a run"]
    assert "long ago" not in shown(operator, at__gte=str(timezone.now() - timedelta(days=19)))


def test_a_search_finds_words_and_loggers_of_the_last_seven_days(operator, make_entry):
    make_entry("a Needle", ago=timedelta(days=6))
    make_entry("a needle", ago=timedelta(days=8))
    make_entry("hay", logger="needle.of.code")
    make_entry("hay")

    assert shown(operator, q="needle") == ["hay", "a Needle"]


def test_a_search_for_a_very_long_text_looks_for_its_beginning(operator, make_entry):
    make_entry("x" * log_entries.LONGEST_TERM)

    assert len(shown(operator, q="x" * 5000)) == 1


def test_what_was_logged_is_shown_as_text(operator, make_entry):
    entry = make_entry("<b>bold</b>", fields={"guest": "<i>"}, run_id=uuid4())

    page = operator.get(reverse("admin:monitoring_logentry_change", args=[entry.pk])).content.decode()

    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "&lt;i&gt;" in page
    assert reverse("admin:jobs_run_change", args=[entry.run_id]) in page


def test_the_page_of_a_run_leads_to_its_lines(operator, make_entry):
    run = Run.objects.create(job="daily-report", task="jobs.daily-report", queue="cron", state="succeeded")
    make_entry("of the run", run_id=run.pk)

    page = operator.get(reverse("admin:jobs_run_change", args=[run.pk])).content.decode()

    assert f"{LIST}?run_id={run.pk}" in page
    assert shown(operator, run_id=str(run.pk)) == ["of the run"]


def test_they_are_only_for_those_who_may_see_them(staff):
    assert staff().get(LIST).status_code == 403
    assert staff("monitoring.view_logentry").get(LIST).status_code == 200
    assert staff("monitoring.view_logentry", "monitoring.add_logentry").get(f"{LIST}add/").status_code == 403


def test_no_more_than_ten_thousand_lines_are_counted(operator, db):
    now = timezone.now()
    lines = [LogEntry(at=now, level="info", logger="x", message="x", process="p") for _ in range(10_001)]
    LogEntry.objects.bulk_create(lines)

    assert operator.get(LIST).context["cl"].result_count == log_entries.MOST_COUNTED
