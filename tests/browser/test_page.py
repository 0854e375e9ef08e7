"""The operator's page as a browser shows it, with the real service behind it."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW
from tests.integration.stack import call

PAGES = ("/", "/jobs/daily-report", "/jobs/cleanup-sessions", "/alerts", "/reports", "/backups")
GREEN = "getComputedStyle(document.documentElement).getPropertyValue('--good')"
GREY = "getComputedStyle(document.documentElement).getPropertyValue('--still')"
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
WIDTH = "document.documentElement.scrollWidth"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_on_a_phone(open_browser, path):
    assert open_browser(path, **NARROW).evaluate(WIDTH) == 360


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_marked_up_for_those_who_do_not_see_it(page, path):
    page.goto(path)
    assert page.evaluate(UNMARKED) == []
    expect(page.locator("h1")).to_have_count(1)
    assert all(page.locator(each).count() for each in ("header", "main", "footer"))


def test_a_run_is_followed_to_its_end(open_browser, service):
    _, body, _ = call("POST", f"{service.web}/cron/trigger/check-inactive-sessions")
    page = open_browser(f"/runs/{json.loads(body)['runId']}", **NARROW)
    expect(page.locator("#run-title")).to_contain_text("succeeded")
    expect(page.locator("#run-result")).to_contain_text("closed")
    assert page.evaluate(WIDTH) == 360
    assert page.evaluate(UNMARKED) == []


def test_what_is_refused_is_told_in_the_services_own_words(page, watchers):
    page.goto("/jobs/check-abandoned-sessions")
    page.fill("#pause-reason", "x")
    page.fill("#pause-until", "2001-01-01T00:00")
    page.click("form.pause button")
    expect(page.locator("#said")).to_contain_text("it has passed")
    watchers[0].forget("400 (Bad Request)")  # the browser notes each answer that refuses


def test_times_are_on_the_readers_clock_with_the_services_as_title(open_browser):
    time = open_browser("/", timezone_id="America/New_York").locator("#state time").first
    expect(time).to_have_attribute("title", re.compile("Europe/Bucharest"))
    shown, title = time.text_content().split(":"), time.get_attribute("title")
    there = title.split(" EE")[0].split()[-1].split(":")
    assert (int(there[0]) - int(shown[0])) % 24 in (6, 7, 8)  # the two change their clocks on different days


def test_it_can_be_used_with_the_keyboard_alone(page):
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_where_no_script_runs_nothing_stays_green(open_browser):
    page = open_browser("/", java_script_enabled=False)
    green, grey = page.evaluate(GREEN), page.evaluate(GREY)
    assert green != grey
    expect(page.locator("html")).to_have_css("--good", grey)


def test_the_title_tells_how_it_is_to_those_who_look_at_another_tab(page):
    page.goto("/")
    expect(page).to_have_title("Some jobs cannot run. · Cron Jobs Service")
    page.evaluate("document.title = 'x · Cron Jobs Service'")
    expect(page).to_have_title("Some jobs cannot run. · Cron Jobs Service")


def test_a_page_that_hears_nothing_says_so_and_shows_no_green(page, service):
    assert call("POST", f"{service.web}/cron/trigger/check-abandoned-sessions")[0] == 202
    page.goto("/")
    badge, banner = page.locator(".badge.succeeded").first, page.locator("#old")
    expect(badge).to_be_visible()
    expect(banner).to_be_hidden()
    colour = "getComputedStyle(document.querySelector('.badge.succeeded')).color"
    green = page.evaluate(colour)
    [web] = [each for each in service.processes if each.name.startswith("web") and each.alive]
    web.pause()
    try:
        expect(banner).to_be_visible()
        assert page.title().startswith("? ")
        assert page.evaluate(colour) != green
    finally:
        web.resume()
    expect(banner).to_be_hidden()
    assert not page.title().startswith("? ")
    assert page.evaluate(colour) == green
