"""/cron/jobs/<job>/schedule: seen, previewed, edited without overwriting each other, reset and taken back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django_celery_beat.models import CrontabSchedule

from access.models import AuditEntry
from jobs.engine import registry, sync
from jobs.models import Schedule
from tests.api.test_jobs import JSON, kind

URL = "/cron/jobs/daily-report/schedule"


@pytest.fixture(autouse=True)
def synced(db: None) -> None:
    """The schedules of all declared jobs, as after a deploy."""
    sync.sync()


def edit(client: Client, version: str | None = "*", **body: Any) -> Any:
    headers = {} if version is None else {"If-Match": version}
    return client.patch(URL, body, content_type=JSON, headers=headers)


def preview(client: Client, **body: Any) -> Any:
    return client.post(f"{URL}/preview", body, content_type=JSON)


def live() -> Schedule:
    return Schedule.objects.get(name="daily-report")


def test_it_is_told_in_words_with_its_version(caller: Callable[..., Client]) -> None:
    answer = caller("read").get(URL)
    assert answer["ETag"].strip('"').isalnum()
    assert answer.json() == {
        "job": "daily-report",
        "kind": "crontab",
        "cron": "0 8 * * *",
        "timezone": "Europe/Bucharest",
        "every": None,
        "period": None,
        "enabled": True,
        "startsAt": None,
        "expiresAt": None,
        "words": "At 08:00",
        "declaredCron": "0 8 * * *",
        "declaredTimezone": "Europe/Bucharest",
        "drift": False,
    }


def test_an_edit_works_at_once_and_is_kept_with_before_and_after(caller: Callable[..., Client]) -> None:
    client = caller(name="laptop")
    seen = client.get(URL)
    answer = edit(client, seen["ETag"], cron="30 7 * * 1-5")
    assert answer.status_code == 200
    assert (answer.json()["cron"], answer.json()["drift"]) == ("30 7 * * 1-5", True)
    assert answer["ETag"] == client.get(URL)["ETag"] != seen["ETag"]
    assert live().timing == {"cron": "30 7 * * 1-5", "zone": "Europe/Bucharest"}
    entry = AuditEntry.objects.get(action="schedule-edited")
    assert (entry.actor, entry.subject, entry.via) == ("laptop", "schedule daily-report", "api")
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["hour"], entry.after["hour"], entry.after["day_of_week"]) == ("8", "7", "1-5")


def test_of_two_who_edit_at_once_the_second_is_told(caller: Callable[..., Client]) -> None:
    client = caller()
    seen = client.get(URL)["ETag"]
    assert edit(client, seen, enabled=False).status_code == 200
    answer = edit(client, seen, cron="0 9 * * *")
    assert (answer.status_code, kind(answer)) == (412, "changed-meanwhile")
    assert client.get(URL).json()["cron"] == "0 8 * * *"
    assert client.post(f"{URL}/reset", headers={"If-Match": seen}).status_code == 412


@pytest.mark.parametrize("listed", ['"other", {}', "{}", "*", " {} "])
def test_any_of_several_versions_will_do(caller: Callable[..., Client], listed: str) -> None:
    client = caller()
    assert edit(client, listed.format(client.get(URL)["ETag"]), enabled=False).status_code == 200


def test_without_a_version_nothing_is_changed(caller: Callable[..., Client]) -> None:
    client = caller()
    for answer in (edit(client, None, enabled=False), client.post(f"{URL}/reset")):
        assert (answer.status_code, kind(answer)) == (428, "version-needed")
    assert client.get(URL).json()["enabled"] is True


def test_it_becomes_an_interval_and_a_crontab_again(caller: Callable[..., Client]) -> None:
    client = caller()
    told = edit(client, every=10, period="minutes").json()
    assert (told["kind"], told["cron"], told["timezone"], told["words"]) == ("interval", None, None, "Every 10 minutes")
    assert edit(client, every=20).json()["period"] == "minutes"
    assert edit(client, cron="0 8 * * *").json()["drift"] is False
    assert CrontabSchedule.objects.count() == len(list(registry.all_jobs()))


def test_only_its_zone_moves(caller: Callable[..., Client]) -> None:
    told = edit(caller(), timezone="America/New_York").json()
    assert (told["cron"], told["timezone"]) == ("0 8 * * *", "America/New_York")


def test_an_edit_that_changes_nothing_is_not_kept(caller: Callable[..., Client]) -> None:
    client = caller()
    before = client.get(URL)["ETag"]
    assert edit(client, cron="0 8 * * *", enabled=True)["ETag"] == before
    assert not AuditEntry.objects.filter(action="schedule-edited").exists()


@pytest.mark.parametrize("asking", [edit, preview])
@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        ({"cron": "0 8 * *"}, "cron", "five fields are needed"),
        ({"cron": ""}, "cron", "five fields"),
        ({"cron": "61 8 * * *"}, "cron", "61"),
        ({"cron": "0 8 31 2 *"}, "cron", "31"),
        ({"cron": "0 8 * * *; DROP"}, "cron", "five fields"),
        ({"cron": "x" * 201}, "cron", "at most 200"),
        ({"cron": "0 8\x00 * * *"}, "", "NUL"),
        ({"timezone": "Europe/Bukarest"}, "timezone", "Europe/Bucharest"),
        ({"timezone": "../../etc/passwd"}, "timezone", "etc/passwd"),
        ({"every": 0, "period": "minutes"}, "every", "greater than or equal to 1"),
        ({"every": 10}, "period", "needed"),
        ({"period": "hours"}, "every", "needed"),
        ({"every": 10, "period": "weeks"}, "period", "'days'"),
        ({"every": 2**31, "period": "days"}, "every", "less than or equal"),
        ({"every": 2**31 - 1, "period": "days"}, "every", "too long"),
        ({"every": "10", "period": "days"}, "every", "integer"),
        ({"every": 1, "period": "days", "cron": "0 8 * * *"}, "every", "not both"),
        ({"enabled": "yes"}, "enabled", "boolean"),
        ({"crontab": "0 8 * * *"}, "crontab", "not permitted"),
    ],
)
def test_what_cannot_be_understood_is_named_and_changes_nothing(
    caller: Callable[..., Client], asking: Any, body: dict[str, Any], field: str, reason: str
) -> None:
    client = caller()
    before = client.get(URL)["ETag"]
    answer = asking(client, **body)
    assert answer.status_code == 400, answer.content
    assert reason in answer.json()["detail"]
    assert not field or answer.json()["errors"][0]["field"] == field
    assert client.get(URL)["ETag"] == before


def test_a_preview_tells_words_and_ticks_and_saves_nothing(caller: Callable[..., Client]) -> None:
    client = caller("read")
    told = preview(client, cron="30 9 * * *").json()
    assert (told["words"], told["timezone"], len(told["ticks"])) == ("At 09:30", "Europe/Bucharest", 10)
    assert told["ticks"][0]["local"].endswith(("09:30 EET", "09:30 EEST"))
    assert client.get(URL).json()["cron"] == "0 8 * * *"
    assert not AuditEntry.objects.filter(action="schedule-edited").exists()


def test_a_preview_warns_of_hours_that_clock_changes_touch(caller: Callable[..., Client]) -> None:
    told = preview(caller("read"), cron="30 3 * * *").json()["warnings"]
    assert len(told) == 2
    assert any("skip 03:00 to 04:00: on that day it runs once, at 04:00 EEST." in warning for warning in told)
    assert any("repeat 03:00 to 04:00: on that day it runs once, at 03:30 EEST." in warning for warning in told)


def test_a_preview_warns_of_ticks_that_come_faster_than_runs_end(
    caller: Callable[..., Client], make_run: Callable[..., Any]
) -> None:
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    make_run(started_at=now, finished_at=now + timedelta(seconds=60))
    warned = "It is due every 1 min, and a run takes 1 min: ticks will be skipped."
    assert warned in preview(caller("read"), every=1, period="minutes").json()["warnings"]
    assert not any("takes" in each for each in preview(caller("read"), every=61, period="seconds").json()["warnings"])


def test_a_preview_warns_of_jobs_that_are_due_at_the_same_moment(caller: Callable[..., Client]) -> None:
    edit(caller(), enabled=True)
    told = preview(caller("read"), cron="0 4 * * *").json()["warnings"]
    assert any(warning.startswith(("check-", "validate-credentials")) for warning in told)


def test_it_follows_its_declaration_again(caller: Callable[..., Client]) -> None:
    client = caller()
    edit(client, cron="0 9 * * *")
    told = client.post(f"{URL}/reset", headers={"If-Match": client.get(URL)["ETag"]}).json()
    assert (told["cron"], told["drift"]) == ("0 8 * * *", False)
    assert live().timing["cron"] == "0 8 * * *"


def test_an_edit_is_taken_back_from_its_entry(caller: Callable[..., Client]) -> None:
    client = caller()
    edit(client, cron="0 9 * * *")
    edit(client, every=2, period="hours")
    first = AuditEntry.objects.filter(action="schedule-edited").earliest("pk")
    answer = client.post(f"/cron/audit/{first.pk}/revert")
    assert answer.status_code == 200
    assert answer.json()["after"]["reverts"] == first.pk
    assert (client.get(URL).json()["cron"], live().timing["cron"]) == ("0 8 * * *", "0 8 * * *")
    again = client.post(f"/cron/audit/{answer.json()['id']}/revert").json()
    assert again["after"]["every"] == 2
    assert client.get(URL).json()["every"] == 2


def test_what_says_that_already_is_not_taken_back_again(caller: Callable[..., Client]) -> None:
    client = caller()
    edit(client, cron="0 9 * * *")
    entry = AuditEntry.objects.get(action="schedule-edited")
    assert client.post(f"/cron/audit/{entry.pk}/revert").status_code == 200
    answer = client.post(f"/cron/audit/{entry.pk}/revert")
    assert (answer.status_code, kind(answer)) == (409, "not-revertible")


def test_a_job_without_a_row_has_no_schedule(caller: Callable[..., Client]) -> None:
    row = sync.row_of(registry.get("daily-report"))
    assert row is not None
    row.delete()
    answer = caller().get(URL)
    assert (answer.status_code, kind(answer)) == (409, "no-schedule")
