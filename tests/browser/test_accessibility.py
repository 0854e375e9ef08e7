"""People who see little, see no colours, or do not see at all can use every page, in both schemes and languages."""

import hashlib

import pytest

from tests.browser.axe import FILE, SHA256, Excused, violations
from tests.browser.conftest import NARROW
from tests.browser.furnishing import furnish

SUCCEEDED = "SELECT id FROM jobs_run WHERE job = 'check-inactive-sessions' AND trigger = 'api' ORDER BY id DESC LIMIT 1"
SCHEDULE = "SELECT id FROM django_celery_beat_periodictask WHERE task = 'jobs.daily-report'"
REPORT = "SELECT max(day) FROM monitoring_dailyreport"
PAGES = {
    "overview": "/",
    "a job": "/jobs/daily-report",
    "a job that deletes": "/jobs/cleanup-sessions",
    "a run that succeeded": "/runs/{succeeded}",
    "a run that failed": "/runs/{failed}",
    "alerts": "/alerts",
    "reports": "/reports",
    "a report as it was sent": "/cron/reports/{day}?format=html",
    "backups": "/backups",
    "the audit": "/audit",
    "the tokens": "/tokens",
    "nothing there": "/nothing-here",
    "the admin": "/admin/",
    "a schedule's form": "/admin/django_celery_beat/periodictask/{schedule}/change/",
}
LANGUAGES = ("en", "ro")
SCHEMES = ("light", "dark")
DOORS = {"the page": "/", "the admin": "/admin/login/"}
EXCUSED = (
    Excused(
        where="admin/login/",
        rule="page-has-heading-one",
        selector="html",
        why="Django's own page to sign in at has no heading; whoever comes for the admin alone sees it.",
    ),
    Excused(
        where="admin/",
        rule="label",
        selector=".vDateField, .vTimeField",
        why="Django's own field for a date and a time labels the pair, and neither of its two inputs.",
    ),
)


@pytest.fixture(scope="module")
def places(service):
    """What the addresses of pages leave open."""
    failed = furnish(service)
    found = {"succeeded": SUCCEEDED, "schedule": SCHEDULE, "day": REPORT}
    return {"failed": failed, **{name: service.value(statement) for name, statement in found.items()}}


@pytest.fixture
def look(open_browser, watchers):
    """Opens a page in a browser that lets axe in, and lets axe find nothing in either scheme."""

    def look_at(path, language, **given):
        page = open_browser(**{**given, "locale": language, "bypass_csp": True})
        page.goto(path)
        watchers[0].forget("404 (Not Found)")
        told = page.locator("html").get_attribute("lang")
        assert told == ("en" if "/reports/" in path else language)  # letters are written in English
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no colour fades into the other
            found = "\n\n".join(violations(page, excused=EXCUSED))
            assert not found, f"{scheme}: {found}"

    return look_at


def test_axe_is_as_it_was_published():
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == SHA256


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_on(name, language, look, places):
    look(PAGES[name].format(**places), language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("door", DOORS)
def test_axe_finds_nothing_where_one_signs_in(door, language, look):
    look(DOORS[door], language, storage_state=None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_on_a_phone(language, look, places):
    look("/", language, **NARROW)
