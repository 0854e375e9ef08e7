"""Every row that would kill a stock scheduler, or silently never run, is refused where it is typed, with its reason."""

import pytest
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from tests.admin.conftest import ADD, NEW, problems

INTERVAL = {"kind": "interval", "every": "5", "period": "minutes"}


@pytest.mark.parametrize(
    ("typed", "field", "reason"),
    [
        ({"headers": "[1, 2]"}, "headers", "must be a JSON object"),
        ({"headers": '"abc"'}, "headers", "must be a JSON object"),
        ({"headers": "null"}, "headers", "must be a JSON object"),
        ({"headers": "{"}, "headers", "not JSON"),
        ({"args": '{"a": 1}'}, "args", "must be a JSON list"),
        ({"args": "[1]"}, "args", "takes keyword arguments only"),
        ({"args": "["}, "args", "not JSON"),
        ({"kwargs": "[1]"}, "kwargs", "must be a JSON object"),
        ({"kwargs": "7"}, "kwargs", "must be a JSON object"),
        ({"kwargs": '{"days": NaN}'}, "kwargs", "leave out NaN"),
        ({"kwargs": '{"days": 1}'}, "kwargs", "Extra inputs are not permitted"),
        ({"kwargs": '{"\\u0000": 1}'}, "kwargs", "NUL characters"),
        ({"kwargs": '{"a": "' + "x" * 1_000_000 + '"}'}, "kwargs", "at most 10000 characters"),
        ({"kwargs": "[" * 9_000}, "kwargs", "not JSON"),
        ({"task": "os.system"}, "task", "not a task of this service"),
        ({"task": "celery.backend_cleanup"}, "task", "not a task of this service"),
        ({"task": ""}, "task", "required"),
        ({"queue": "nowhere"}, "queue", "consumed by no worker"),
        ({"minute": "61"}, "minute", "minute 61 is not in 0-59"),
        ({"minute": ""}, "minute", "* stands for every one"),
        ({"minute": "*/0"}, "minute", "step 0"),
        ({"hour": "24"}, "hour", "hour 24 is not in 0-23"),
        ({"hour": "five"}, "hour", "is not a number"),
        ({"day_of_week": "8"}, "day_of_week", "day of week 8 is not in 0-7"),
        ({"day_of_month": "31", "month_of_year": "2"}, "day_of_month", "never fires"),
        ({"timezone": "Europe/Bucarest"}, "timezone", "did you mean 'Europe/Bucharest'?"),
        ({"timezone": "UTC+2"}, "timezone", "is not a time zone"),
        ({"timezone": ""}, "timezone", "Needed"),
        ({"timezone": "../etc/passwd"}, "timezone", "is not a time zone"),
        ({**INTERVAL, "every": "1", "period": "microseconds"}, "period", "choose days, hours, minutes or seconds"),
        ({**INTERVAL, "every": "2147483647", "period": "days"}, "every", "too long"),
        ({**INTERVAL, "every": "2147483648", "period": "days"}, "every", "too long"),
        ({**INTERVAL, "every": "0"}, "every", "not allowed"),
        ({**INTERVAL, "every": "-5"}, "every", "not allowed"),
        ({**INTERVAL, "every": ""}, "every", "Needed"),
        ({"kind": "clocked"}, "clocked_time", "Needed"),
        ({"kind": "clocked", "clocked_time_0": "2020-01-01", "clocked_time_1": "00:00"}, "clocked_time", "has passed"),
        ({"kind": "solar"}, "kind", "not one of the available choices"),
        ({"name": "two\nlines"}, "name", "U+000A"),
        ({"name": "turned \u202e around"}, "name", "U+202E"),
        ({"name": "x" * 201}, "name", "at most 200 characters"),
        ({"name": ""}, "name", "required"),
    ],
)
def test_it_is_refused_beside_its_field_and_nothing_is_saved(operator, typed, field, reason):
    found = problems(operator.post(reverse(ADD), {**NEW, **typed}))

    assert reason in " ".join(found.get(field, [])), found
    assert not PeriodicTask.objects.exists()
    assert not CrontabSchedule.objects.exists()
    assert not IntervalSchedule.objects.exists()


def test_each_problem_is_told_at_once(operator):
    found = problems(operator.post(reverse(ADD), {**NEW, "minute": "61", "hour": "25", "headers": "[1]"}))

    assert {"minute", "hour", "headers"} <= found.keys()


def test_a_name_that_is_taken_is_refused(operator, synced):
    assert "already exists" in problems(operator.post(reverse(ADD), {**NEW, "name": "backup-data"}))["name"][0]


@pytest.mark.parametrize("name", ["programare târzie 📅", "تقرير", "a" * 200])
def test_names_in_any_script_are_welcome(operator, name):
    assert operator.post(reverse(ADD), {**NEW, "name": name}).status_code == 302
    assert PeriodicTask.objects.filter(name=name).exists()


def test_sunday_may_be_written_as_7(operator):
    assert operator.post(reverse(ADD), {**NEW, "day_of_week": "7"}).status_code == 302


def test_of_two_kinds_only_the_chosen_one_is_kept(operator):
    operator.post(reverse(ADD), {**NEW, **INTERVAL})

    made = PeriodicTask.objects.get()
    assert (made.crontab, made.interval.every) == (None, 5)


def test_timings_have_no_pages_of_their_own(operator):
    for model in ("crontabschedule", "intervalschedule", "clockedschedule", "solarschedule", "periodictasks"):
        assert operator.get(f"/admin/django_celery_beat/{model}/").status_code == 404
