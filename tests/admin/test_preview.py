from datetime import UTC, datetime

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from jobs.engine.preview import preview_of
from jobs.models import Schedule
from tests.admin.conftest import ADD, CHANGE, NEW, filled_in, problems, row

PREVIEW = "admin:periodic_task_preview"
BUCHAREST = "Europe/Bucharest"


pytestmark = pytest.mark.usefixtures("db")  # other schedules are looked at for the warnings


def ticks(cron, now, **how):
    return preview_of({"cron": cron, "zone": BUCHAREST}, now=now, **how).ticks


def test_the_spring_switch_is_seen_before_saving():
    shown = ticks("30 3 * * *", datetime(2026, 3, 27, 12, 0, tzinfo=UTC))

    assert [tick.local for tick in shown[:3]] == [
        "Sat 2026-03-28 03:30 EET",
        "Sun 2026-03-29 04:00 EEST",  # 03:30 does not exist: it runs at the switch
        "Mon 2026-03-30 03:30 EEST",
    ]
    assert [tick.utc for tick in shown[:2]] == ["2026-03-28 01:30 UTC", "2026-03-29 01:00 UTC"]
    assert [tick.switched for tick in shown[:3]] == [False, True, False]


def test_the_autumn_switch_is_seen_before_saving():
    shown = ticks("*/30 * * * *", datetime(2026, 10, 25, 0, 0, tzinfo=UTC))

    assert [tick.local for tick in shown[:4]] == [
        "Sun 2026-10-25 03:30 EEST",
        "Sun 2026-10-25 03:00 EET",
        "Sun 2026-10-25 03:30 EET",
        "Sun 2026-10-25 04:00 EET",
    ]
    assert [tick.switched for tick in shown[:4]] == [False, True, False, False]


def test_a_daily_job_comes_once_on_the_day_of_the_autumn_switch():
    shown = ticks("30 3 * * *", datetime(2026, 10, 24, 12, 0, tzinfo=UTC))

    assert [tick.local for tick in shown[:2]] == ["Sun 2026-10-25 03:30 EEST", "Mon 2026-10-26 03:30 EET"]


def test_there_are_ten_ticks_and_none_at_or_after_the_end():
    now = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

    assert len(ticks("0 3 * * *", now)) == 10
    assert len(ticks("0 3 * * *", now, expires=datetime(2026, 6, 4, 0, 0, tzinfo=UTC))) == 2
    assert len(ticks("0 3 * * *", now, one_off=True)) == 1


def test_the_server_previews_what_is_typed_and_saves_nothing(operator, synced):
    url = reverse(CHANGE, args=[row("backup-data").pk])
    typed = {**filled_in(operator, url), "minute": "15", "hour": "4"}

    shown = operator.post(f"{reverse(PREVIEW)}?row={row('backup-data').pk}", typed).content.decode()

    assert shown.count(" 04:15 EE") == 10
    assert "At 04:15" in shown
    assert row("backup-data").crontab.hour == "3"
    assert not Schedule.objects.get(name="backup-data").dirty


def test_the_preview_says_what_is_wrong(operator):
    shown = operator.post(reverse(PREVIEW), {**NEW, "minute": "61"}).content.decode()

    assert "minute 61 is not in 0-59" in strip_tags(shown).replace("&#x27;", "'")
    assert "<script" not in operator.post(reverse(PREVIEW), {**NEW, "minute": "<script>x</script>"}).content.decode()


def test_a_name_that_is_still_missing_does_not_hide_the_ticks(operator):
    shown = operator.post(reverse(PREVIEW), {**NEW, "name": "", "task": ""}).content.decode()

    assert shown.count("<td>") == 30


def test_the_button_previews_without_javascript_and_saves_nothing(operator):
    answer = operator.post(reverse(ADD), {**NEW, "_preview": "Preview"})

    assert problems(answer) == {}
    assert len(answer.context["preview"].ticks) == 10
    assert not Schedule.objects.exists()


def test_the_page_of_a_row_shows_its_ticks(operator, synced):
    page = operator.get(reverse(CHANGE, args=[row("backup-data").pk]))

    assert len(page.context["preview"].ticks) == 10
    assert page.context["preview"].zone == BUCHAREST


@pytest.mark.parametrize(("permissions", "status"), [([], 403), (["django_celery_beat.change_periodictask"], 200)])
def test_only_who_may_edit_may_preview(staff, synced, permissions, status):
    backup = row("backup-data")

    assert staff(*permissions).post(f"{reverse(PREVIEW)}?row={backup.pk}", NEW).status_code == status


def test_it_is_asked_by_post_only(operator):
    assert operator.get(reverse(PREVIEW)).status_code == 405
