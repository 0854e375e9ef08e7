"""The pictures of the page in docs/screenshots; only SCREENSHOTS=1 makes them anew."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW
from tests.browser.furnishing import furnish
from tests.integration.prepared import prepared
from tests.integration.stack import Stack

pytestmark = pytest.mark.skipif(os.environ.get("SCREENSHOTS") != "1", reason="SCREENSHOTS=1 makes the pictures anew")

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
LARGEST = 200_000  # bytes
BUCHAREST = {"timezone_id": "Europe/Bucharest"}
DARK = {"color_scheme": "dark", **BUCHAREST}
PHONE = {**NARROW, "device_scale_factor": 2, **BUCHAREST}
PICTURES = {
    "overview": ("/", BUCHAREST),
    "overview-dark": ("/", DARK),
    "overview-phone": ("/", PHONE),
    "job": ("/jobs/check-unprocessed-messages", BUCHAREST),
    "run": ("/runs/{failed}", BUCHAREST),
    "alerts": ("/alerts", BUCHAREST),
    "report": ("/reports", BUCHAREST),
}


@pytest.fixture(scope="session")
def service(executable: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Without probes, and with a scheduler: as it stands at somebody's who has just tried it for two weeks."""
    folder = tmp_path_factory.mktemp("screenshots")
    with prepared(folder) as servers, Stack(servers, folder, settings="config.settings", environment={}) as stack:
        stack.manage("cron", "sync")
        stack.manage("seed_demo")
        stack.start_beat()
        stack.start_worker(slots=2)
        stack.start_web()
        yield stack


@pytest.fixture(scope="session")
def failed(service):
    return furnish(service)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_taken(name, open_browser, failed):
    path, given = PICTURES[name]
    page = open_browser(**given)
    page.goto(path.format(failed=failed), wait_until="networkidle")
    if page.locator("#live").count():
        expect(page.locator("html")).to_have_class("renewed")
    FOLDER.mkdir(exist_ok=True)
    taken = page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")
    assert len(taken) < LARGEST
