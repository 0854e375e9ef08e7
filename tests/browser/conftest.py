"""The service with a worker, and a browser in which the operator is signed in."""

from collections.abc import Iterator

import pytest

from tests.browser.chromium import FOUND, Browser
from tests.integration.prepared import prepared
from tests.integration.stack import Stack

SIGN_IN = """
document.querySelector('#id_username').value = 'operator';
document.querySelector('#id_password').value = 'a password of the tests';
document.querySelector('#login-form').submit()
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if FOUND is None:
        pytest.skip("there is no chromium here")
    folder = tmp_path_factory.mktemp("browser")
    with prepared(folder) as servers, Stack(servers, folder, settings="config.settings", environment={}) as stack:
        stack.start_worker()
        stack.start_web()
        yield stack


@pytest.fixture(scope="module")
def browser(service: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("chromium"), service.web) as started:
        started.go("/alerts")
        assert started.run("location.pathname + location.search") == "/admin/login/?next=/alerts"
        started.run(SIGN_IN)
        started.until("location.pathname === '/alerts' && document.readyState === 'complete'")
        yield started
