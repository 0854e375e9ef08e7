"""What an operator does on the page, from the first click to what it leads to, with real workers behind it."""

import json
import re
from pathlib import Path
from time import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sign_in
from tests.browser.signs import MENDED, STEPS, step
from tests.integration.stack import call

STALE_S = 10  # what is shown may be as old as that before the page says so
NOTE_WHEN_TOLD = """
new MutationObserver(() => (window.toldAt ??= Date.now())).observe(document.getElementById('old'), {attributes: true})
"""
PAGES = (
    "/",
    "/jobs/daily-report",
    "/jobs/cleanup-sessions",
    "/alerts",
    "/reports",
    "/backups",
    "/audit",
    "/tokens",
    "/admin/",
    "/admin/django_celery_beat/periodictask/",
)
CRONTAB = """
SELECT (minute, hour) FROM django_celery_beat_crontabschedule c
  JOIN django_celery_beat_periodictask p ON p.crontab_id = c.id WHERE p.name = 'daily-report'
"""
DELETIONS = "SELECT dry_run, state FROM jobs_run WHERE job = 'cleanup-sessions' ORDER BY created_at DESC LIMIT 2"


@pytest.fixture(autouse=True)
def untold(probes: Path) -> None:
    """No probe has been told anything yet."""
    for each in probes.iterdir():
        each.unlink()


def triggered(service, job):
    _, body, _ = call("POST", f"{service.web}/cron/trigger/{job}")
    return json.loads(body)["runId"]


def go_on(probes, *steps):
    for each in steps:
        (probes / step(each)).touch()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_nothing_to_complain_of_and_asks_no_other_host(page, path):
    page.goto(path, wait_until="networkidle")
    expect(page.locator("h1").first).to_be_visible()


def test_one_signs_in_and_out(open_browser):
    page = open_browser("/jobs/daily-report", storage_state=None)
    assert "next=/jobs/daily-report" in page.url
    sign_in(page, "not the password")
    expect(page.get_by_text("correct username and password")).to_be_visible()
    sign_in(page)
    page.wait_for_url("/jobs/daily-report")
    expect(page.locator("header")).to_contain_text("operator")
    page.click("header button:has-text('Sign out')")
    page.goto("/")
    assert "next=/" in page.url


def test_a_job_is_run_and_its_progress_watched_without_loading_the_page_again(page, probes):
    page.goto("/jobs/probe-walk")
    page.evaluate("window.still = 'the same page'")
    page.click("form.run-now button")
    head = page.locator("#job-head")
    expect(head).to_contain_text(f"0 / {STEPS}")
    go_on(probes, 0)
    expect(head).to_contain_text(f"1 / {STEPS}")
    expect(head.locator("progress")).to_have_attribute("value", "1")
    go_on(probes, 1, 2)
    expect(head).to_contain_text(f"3 / {STEPS}")
    go_on(probes, 3)
    expect(page.locator("form.run-now .outcome")).to_contain_text("succeeded")
    expect(head.locator("progress")).to_have_count(0)
    expect(page.locator("#history tbody tr").first).to_contain_text("succeeded")
    assert page.evaluate("window.still") == "the same page"


def test_what_others_start_is_seen_on_the_overview(page, service):
    page.goto("/")
    page.evaluate("window.still = 'the same page'")
    triggered(service, "check-error-sessions")
    row = page.locator("#group-scheduled tr", has=page.get_by_role("link", name="check-error-sessions"))
    expect(row).to_contain_text("succeeded")
    assert page.evaluate("window.still") == "the same page"


def test_a_run_is_cancelled(page, service):
    run = triggered(service, "probe-walk")
    page.goto(f"/runs/{run}")
    title = page.locator("#run-title")
    expect(title).to_contain_text("running")
    page.click("#run-head button.danger")
    expect(title).to_contain_text("cancelled")
    expect(page.locator("#run-life")).to_contain_text("operator")
    assert service.value("SELECT state FROM jobs_run WHERE id = %s", [run]) == "cancelled"


def test_a_failed_run_is_tried_again(page, service, probes):
    run = triggered(service, "probe-stumble")
    page.goto(f"/runs/{run}")
    expect(page.locator("#run-title")).to_contain_text("failed")
    expect(page.locator("#run-error")).to_contain_text("the card reader does not answer")
    (probes / MENDED).touch()
    page.click("#run-head button:has-text('Run again')")
    page.wait_for_url(re.compile(rf"/runs/(?!{run})"))
    expect(page.locator("#run-title")).to_contain_text("succeeded")
    expect(page.locator("#run-result")).to_contain_text("mended")


def test_a_deletion_is_done_only_after_its_dry_run_was_shown(page, service):
    before = service.value("SELECT count(*) FROM sessions_app_session")
    page.goto("/jobs/cleanup-sessions")
    real, outcome = page.locator("form.run-now button[value=real]"), page.locator("form.run-now .outcome")
    expect(real).to_be_disabled()
    page.click("form.run-now button[value=dry]")
    expect(outcome).to_contain_text("dryRun")
    expect(real).to_be_enabled()
    assert service.value("SELECT count(*) FROM sessions_app_session") == before
    asked = []
    page.on("dialog", lambda dialog: asked.append(dialog.message) or dialog.accept())
    real.click()
    expect(outcome).not_to_contain_text("dryRun")
    expect(outcome).to_contain_text("succeeded")
    expect(real).to_be_disabled()  # the next needs a dry run of its own
    assert ["cleanup-sessions" in each for each in asked] == [True]
    assert service.rows(DELETIONS) == [(False, "succeeded"), (True, "succeeded")]
    assert service.value("SELECT count(*) FROM sessions_app_session") < before


def test_a_job_is_paused_and_resumed(page):
    page.goto("/jobs/daily-report")
    head = page.locator("#job-head")
    page.fill("#pause-reason", "new layout")
    page.click("form.pause button")
    expect(head).to_contain_text("Paused by operator: new layout.")
    page.click("#job-head button[data-post]")
    expect(head).not_to_contain_text("Paused by")


def test_an_edited_schedule_is_seen_before_it_is_saved_and_moves_the_next_times(page, service, watchers):
    page.goto("/jobs/daily-report")
    form, ticks = page.locator("form.schedule"), page.locator("#ticks")
    expect(ticks).to_contain_text("08:00")
    page.fill("#schedule-cron", "61 9 * * *")
    expect(form.locator("[data-part=problem]")).to_contain_text("61")
    page.fill("#schedule-cron", "30 3 * * *")
    expect(form.locator("[data-part=words]")).to_have_text("At 03:30")
    expect(form.locator("[data-part=warnings]")).to_contain_text("clocks in Europe/Bucharest skip")
    page.fill("#schedule-cron", "45 9 * * 1-5")
    expect(form.locator("[data-part=ticks] li").first).to_contain_text("09:45")
    assert service.value(CRONTAB) == ("0", "8")
    form.locator("[data-save]").click()
    expect(ticks).to_contain_text("09:45")
    assert service.value(CRONTAB) == ("45", "9")
    page.on("dialog", lambda dialog: dialog.accept())
    form.locator("[data-reset]").click()
    expect(ticks).to_contain_text("08:00")
    assert service.value(CRONTAB) == ("0", "8")
    watchers[0].forget("400 (Bad Request)")  # the minute that there is not


def test_a_token_is_made_seen_once_and_revoked(page, service):
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/tokens")
    page.fill("input[name=name]", "from a browser")
    page.check("input[name=scopes][value=read]")
    page.click("form button[type=submit]")
    secret = page.get_by_text(re.compile("^cron_")).first.inner_text()
    assert call("GET", f"{service.web}/cron/status", token=secret)[0] == 200
    page.reload()
    expect(page.locator("main")).not_to_contain_text(secret)
    page.locator("tr", has_text="from a browser").get_by_role("button").click()
    expect(page.locator("tr", has_text="from a browser")).to_contain_text("revoked")
    assert call("GET", f"{service.web}/cron/status", token=secret)[0] == 401


def test_the_page_speaks_the_language_that_is_chosen(page):
    page.goto("/jobs/daily-report")
    page.click("button[name=language][value=ro]")
    expect(page.locator("html")).to_have_attribute("lang", "ro")
    expect(page.locator("#run-now-title")).to_have_text("Rulează acum")
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "ro")
    page.click("button[name=language][value=en]")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_colours_follow_the_readers_scheme(page):
    page.goto("/")
    shade = "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)"
    page.emulate_media(color_scheme="light")
    assert min(page.evaluate(shade)) > 200
    page.emulate_media(color_scheme="dark")
    assert max(page.evaluate(shade)) < 60


def test_a_page_whose_server_is_gone_says_so_and_comes_back_with_it(page, service, watchers):
    page.goto("/")
    banner = page.locator("#old")
    page.wait_for_load_state("networkidle")
    [web] = [each for each in service.processes if each.name.startswith("web") and each.alive]
    page.evaluate(NOTE_WHEN_TOLD)
    killed_at = time()
    web.kill()
    try:
        expect(banner).to_be_visible()
        assert page.evaluate("window.toldAt") / 1000 - killed_at < STALE_S
    finally:
        service.start_web(port=int(service.web.rpartition(":")[2]))
    expect(banner).to_be_hidden()
    expect(page.locator("html")).to_have_class("renewed")
    watchers[0].forget("net::ERR_", "WebSocket")
