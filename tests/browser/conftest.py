"""The service with a worker, and a browser in which the operator is signed in."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright

from tests.browser.watching import Watcher
from tests.integration.prepared import prepared
from tests.integration.stack import Stack

PASSWORD = "a password of the tests"
CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
PATIENCE_MS = 40_000  # machines are shared; what is promised sooner is measured by the test that says so
WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "timezone_id": "UTC", "locale": "en"}
NARROW: dict[str, Any] = {**WIDE, "viewport": {"width": 360, "height": 800}, "is_mobile": True}

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def executable() -> str:
    """Where Chromium is; without one the tests of this folder are skipped."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium here (on Debian: apt-get install chromium)")
    return CHROMIUM


@pytest.fixture(scope="session")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder by which a test tells the probe jobs what to do."""
    return tmp_path_factory.mktemp("probes")


@pytest.fixture(scope="session")
def service(executable: str, probes: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("browser")
    given = {"PROBES": str(probes)}
    with (
        prepared(folder) as servers,
        Stack(servers, folder, settings="tests.browser.settings", environment=given) as stack,
    ):
        stack.manage("cron", "sync")
        stack.manage("seed_demo")
        stack.start_worker()
        stack.start_web()
        yield stack


@pytest.fixture(scope="module")
def chromium(executable: str) -> Iterator[Browser]:
    """Ended with the module: while Playwright runs, Django takes this thread for one that must not use the database."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, service: Stack) -> StorageState:
    """The cookies of an operator who has signed in."""
    context = chromium.new_context(base_url=service.web, **WIDE)
    page = context.new_page()
    page.goto("/alerts")
    sign_in(page)
    page.wait_for_url("/alerts")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def watchers() -> list[Watcher]:
    """One for each browser that the test opened."""
    return []


@pytest.fixture
def open_browser(chromium: Browser, service: Stack, signed_in: StorageState, watchers: list[Watcher]) -> Iterator[Open]:
    """Opens a tab in a browser of its own, as the operator unless told otherwise; nothing may be complained of."""
    contexts: list[BrowserContext] = []

    def open_(path: str = "", **given: Any) -> Page:
        context = chromium.new_context(**{"base_url": service.web, "storage_state": signed_in, **WIDE, **given})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        watchers.append(Watcher(context, service.web))
        page = context.new_page()
        if path:
            page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert [complaint for watcher in watchers for complaint in watcher.complaints] == []


@pytest.fixture
def page(open_browser: Open) -> Page:
    """A tab of the operator's."""
    return open_browser()


def sign_in(page: Page, password: str = PASSWORD) -> None:
    """Fill in and send the form that asks for name and password."""
    page.fill("input[name=username]", "operator")
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
