"""The operator's page as a browser shows it, with the real service behind it."""

import json
from collections.abc import Iterator

import pytest

from tests.browser.chromium import Browser
from tests.integration.stack import Stack, call

PAGES = ("/", "/jobs/daily-report", "/jobs/cleanup-sessions", "/alerts", "/reports", "/backups")
NARROW = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": True}
# What no reader of screens could tell: twice the same id, inputs without a label, tables without caption or scopes.
UNMARKED = """
(() => {
  const ids = [...document.querySelectorAll('[id]')].map((each) => each.id);
  const of = (which, lacks) => [...document.querySelectorAll(which)].filter(lacks).map((each) => each.outerHTML);
  return [
    ...ids.filter((id, n) => ids.indexOf(id) !== n),
    ...of('input:not([type=hidden]), select', (each) => !each.labels.length && !each.ariaLabel),
    ...of('table', (each) => !each.caption),
    ...of('th', (each) => !each.scope),
    ...of('section', (each) => !document.getElementById(each.getAttribute('aria-labelledby'))),
    ...of('button, a', (each) => !(each.innerText || each.ariaLabel || '').trim()),
    ...of('svg', (each) => each.role !== 'img' && each.ariaHidden !== 'true'),
  ];
})()
"""


@pytest.fixture(autouse=True)
def quiet(browser: Browser) -> Iterator[None]:
    """Whatever a test does, the browser has nothing to complain of."""
    browser.complaints.clear()
    yield
    assert browser.complaints == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_on_a_phone(browser, path):
    browser.ask("Emulation.setDeviceMetricsOverride", **NARROW)
    try:
        browser.go(path)
        assert browser.run("document.documentElement.scrollWidth") == 360
    finally:
        browser.ask("Emulation.clearDeviceMetricsOverride")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_marked_up_for_those_who_do_not_see_it(browser, path):
    browser.go(path)
    assert browser.run(UNMARKED) == []
    assert browser.run("document.querySelectorAll('h1').length") == 1
    assert browser.run("['header', 'main', 'footer'].every((each) => document.querySelector(each))")


def test_what_happens_is_seen_without_loading_the_page_again(browser, service):
    browser.go("/")
    browser.run("window.still = 'the same page'")
    assert call("POST", f"{service.web}/cron/trigger/check-error-sessions")[0] == 202
    browser.until("document.querySelector('#group-scheduled').innerText.includes('succeeded')")
    assert browser.run("window.still") == "the same page"


def test_a_run_is_followed_to_its_end(browser, service):
    _, body, _ = call("POST", f"{service.web}/cron/trigger/check-inactive-sessions")
    browser.ask("Emulation.setDeviceMetricsOverride", **NARROW)
    try:
        browser.go(f"/runs/{json.loads(body)['runId']}")
        browser.until("document.querySelector('#run-title').innerText.includes('succeeded')", seconds=20)
        browser.until("document.querySelector('#run-result').innerText.includes('closed')")
        assert browser.run("document.documentElement.scrollWidth") == 360
        assert browser.run(UNMARKED) == []
    finally:
        browser.ask("Emulation.clearDeviceMetricsOverride")


def test_what_is_refused_is_told_in_the_services_own_words(browser, service):
    browser.go("/jobs/check-abandoned-sessions")
    browser.run("document.querySelector('#pause-reason').value = 'x'")
    browser.run("document.querySelector('#pause-until').value = '2001-01-01T00:00'")
    browser.run("document.querySelector('form.pause button').click()")
    browser.until("document.querySelector('#said').innerText.includes('it has passed')")
    assert all("400" in each for each in browser.complaints)  # the browser notes each answer that refuses
    browser.complaints.clear()


def test_times_are_on_the_readers_clock_with_the_services_as_title(browser, service):
    browser.ask("Emulation.setTimezoneOverride", timezoneId="America/New_York")
    browser.go("/")
    shown = browser.run("document.querySelector('#state time').textContent").split(":")
    title = browser.run("document.querySelector('#state time').title")
    browser.ask("Emulation.setTimezoneOverride", timezoneId="UTC")
    there = title.split(" EE")[0].split()[-1].split(":")
    assert "(Europe/Bucharest)" in title
    assert (int(there[0]) - int(shown[0])) % 24 in (6, 7, 8)  # the two change their clocks on different days


def test_a_deletion_can_be_done_only_after_its_dry_run_was_shown(browser, service):
    browser.go("/jobs/cleanup-sessions")
    real = "document.querySelector('form.run-now button[value=real]')"
    assert browser.run(f"{real}.disabled")
    browser.run("document.querySelector('form.run-now button[value=dry]').click()")
    browser.until(f"!{real}.disabled", seconds=20)
    assert "dryRun" in browser.run("document.querySelector('form.run-now .outcome').innerText")


def test_a_job_is_paused_and_resumed(browser, service):
    call("POST", f"{service.web}/cron/jobs/daily-report/resume")
    service.manage("cron", "sync")
    browser.go("/jobs/daily-report")
    browser.run("document.querySelector('#pause-reason').value = 'new layout'")
    browser.run("document.querySelector('form.pause button').click()")
    browser.until("document.querySelector('#job-head').innerText.includes('Paused by operator: new layout.')")
    browser.run("document.querySelector('#job-head button[data-post]').click()")
    browser.until("!document.querySelector('#job-head').innerText.includes('Paused by')")


def test_it_can_be_used_with_the_keyboard_alone(browser):
    browser.go("/")
    browser.press("Tab")
    assert browser.run("document.activeElement.className") == "skip"
    browser.press("Enter")
    browser.until("document.activeElement.id === 'main'")


def test_where_no_script_runs_nothing_stays_green(browser, service):
    colour = "getComputedStyle(document.documentElement).getPropertyValue('--good')"
    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.go("/")
        green = browser.run(colour)
        browser.until(f"{colour} !== '{green}'", seconds=16)
        assert browser.run(colour) == browser.run(colour.replace("good", "still"))
    finally:
        browser.ask("Emulation.setScriptExecutionDisabled", value=False)


def test_the_title_tells_how_it_is_to_those_who_look_at_another_tab(browser):
    browser.go("/")
    assert browser.run("document.title") == "Some jobs cannot run. · Cron Jobs Service"
    browser.run("document.title = 'x · Cron Jobs Service'")
    browser.until("document.title === 'Some jobs cannot run. · Cron Jobs Service'")


def test_a_page_that_hears_nothing_says_so_and_shows_no_green(browser: Browser, service: Stack) -> None:
    colour = "getComputedStyle(document.querySelector('.badge.succeeded')).color"
    banner = "!document.getElementById('old').hidden"
    assert call("POST", f"{service.web}/cron/trigger/check-abandoned-sessions")[0] == 202
    browser.go("/")
    browser.until("document.querySelector('.badge.succeeded')", seconds=20)
    green = browser.run(colour)
    assert not browser.run(banner)
    [web] = [each for each in service.processes if each.name.startswith("web")]
    web.pause()
    try:
        browser.until(banner, seconds=12)
        assert browser.run("document.title").startswith("? ")
        assert browser.run(colour) != green
    finally:
        web.resume()
    browser.until(f"!({banner})", seconds=20)
    assert not browser.run("document.title").startswith("? ")
    assert browser.run(colour) == green
