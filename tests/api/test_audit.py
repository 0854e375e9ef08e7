"""/cron/audit: who did what, from where."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from access.models import AuditEntry
from jobs.engine import sync
from tests.api.test_jobs import JSON, kind

pytestmark = pytest.mark.usefixtures("db", "sent")


@pytest.fixture
def done(caller: Callable[..., Client], make_run: Callable[..., Any]) -> Client:
    """Somebody who triggered, cancelled, paused and resumed from an address of theirs."""
    sync.sync()
    client = caller(name="laptop")
    client.defaults["REMOTE_ADDR"] = "192.0.2.5"
    body = {"dryRun": True, "arguments": {"day": "2026-01-01"}}
    run = client.post("/cron/trigger/daily-report", body, content_type=JSON).json()
    client.post(f"{run['url']}/cancel")
    client.post(f"{run['url']}/cancel")
    client.post("/cron/jobs/daily-report/pause", {"reason": "stocktaking"}, content_type=JSON)
    client.post("/cron/jobs/daily-report/resume")
    client.post("/cron/jobs/daily-report/resume")
    return client


def test_what_was_done_is_told_newest_first_each_once(done: Client) -> None:
    told = done.get("/cron/audit?actor=laptop").json()["entries"]
    assert [each["action"] for each in told] == ["job-resumed", "job-paused", "run-cancelled", "run-triggered"]
    assert {(each["via"], each["address"]) for each in told} == {("api", "192.0.2.5")}
    triggered, paused = told[3], told[1]
    assert triggered["after"] | {"run": ""} == {"run": "", "arguments": {"day": "2026-01-01"}, "dry_run": True}
    assert paused["after"]["pause_reason"] == "stocktaking"
    assert paused["before"] is None
    assert done.get(triggered["url"]).json() == triggered


@pytest.mark.parametrize(
    ("asked", "count"),
    [("action=job-paused", 1), ("subject=job daily-report", 3), ("actor=nobody", 0), ("actor=laptop&limit=2", 2)],
)
def test_it_can_be_filtered(done: Client, asked: str, count: int) -> None:
    assert len(done.get(f"/cron/audit?{asked}").json()["entries"]) == count


def test_it_goes_page_by_page(done: Client) -> None:
    page, seen = done.get("/cron/audit?limit=3").json(), []
    while page["next"]:
        seen += page["entries"]
        page = done.get(page["next"]).json()
    seen += page["entries"]
    assert len({each["id"] for each in seen}) == len(seen) == AuditEntry.objects.count()


@pytest.mark.parametrize(("method", "below"), [("get", ""), ("post", "/revert")])
@pytest.mark.parametrize("entry", ["404", "99999999999999999999"])
def test_an_unknown_entry_is_not_found(caller: Callable[..., Client], method: str, below: str, entry: str) -> None:
    answer = getattr(caller(), method)(f"/cron/audit/{entry}{below}")
    assert (answer.status_code, kind(answer)) == (404, "unknown-entry")


def test_what_is_no_edit_is_not_taken_back(done: Client) -> None:
    entry = AuditEntry.objects.get(action="job-paused")
    answer = done.post(f"/cron/audit/{entry.pk}/revert")
    assert (answer.status_code, kind(answer)) == (409, "not-revertible")


def test_what_was_refused_is_not_told(caller: Callable[..., Client]) -> None:
    client = caller()
    before = AuditEntry.objects.count()
    client.post("/cron/trigger/daily-report", {"arguments": {"day": "never"}}, content_type=JSON)
    client.post("/cron/runs/01890a5d-ac96-774b-bcce-b302099a8057/cancel")
    client.post("/cron/jobs/daily-report/pause", {}, content_type=JSON)
    assert AuditEntry.objects.count() == before


def test_a_trigger_that_finds_one_waiting_is_not_told(caller: Callable[..., Client]) -> None:
    client = caller()
    client.post("/cron/trigger/daily-report")
    assert client.post("/cron/trigger/daily-report").status_code == 409
    assert AuditEntry.objects.filter(action="run-triggered").count() == 1
