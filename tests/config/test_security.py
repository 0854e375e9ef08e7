"""Hosts, HTTPS, cookies and headers."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from config import security

ROOT = Path(__file__).resolve().parents[2]


def test_https_is_the_default() -> None:
    assert security.read({}) == security.Security(hosts=[], origins=[], https_only=True, proxies=0)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("ALLOWED_HOSTS", "*", r"ALLOWED_HOSTS='\*' is not allowed: name the hosts"),
        ("HTTPS_ONLY", "maybe", "HTTPS_ONLY='maybe' is not allowed: it must be true or false"),
        ("TRUSTED_PROXIES", "-1", "TRUSTED_PROXIES='-1' is not allowed"),
        ("TRUSTED_PROXIES", "11", "TRUSTED_PROXIES='11' is not allowed"),
        ("TRUSTED_PROXIES", "many", "TRUSTED_PROXIES='many' is not allowed"),
    ],
)
def test_nonsense_stops_the_start(name: str, value: str, problem: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=problem):
        security.read({name: value})


@pytest.mark.parametrize(
    ("key", "good"),
    [
        ("abcde" * 10, True),
        ("abcde" * 10 + "f", True),
        ("abcde" * 9 + "abcd", False),
        ("abcd" * 20, False),
        ("", False),
    ],
)
def test_a_key_that_could_be_guessed_stops_the_start(key: str, good: bool) -> None:
    if good:
        assert security.check_key(key) == key
        return
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY is too easy to guess") as refused:
        security.check_key(key)
    assert not key or key not in str(refused.value)


def in_production(*command: str, **more: str) -> Any:
    """A command of manage.py with the settings of a real installation; its answer as JSON where it prints some."""
    environment = {**os.environ, "HTTPS_ONLY": "true", "ALLOWED_HOSTS": "cron.example.com", **more}
    return subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore:No directory at", "manage.py", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_djangos_own_check_for_deployment_finds_nothing() -> None:
    done = in_production("check", "--deploy", "--fail-level", "WARNING")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues" in done.stdout


ASK = """
from django.test import Client
client = Client(HTTP_HOST="cron.example.com")
for scheme in (False, True):
    for path in ("/livez", "/admin/login/"):
        answer = client.get(path, secure=scheme)
        print(answer.status_code, answer.headers.get("Location"), answer.headers.get("Strict-Transport-Security"),
              {name: each["secure"] for name, each in answer.cookies.items()})
"""


def test_plain_http_is_sent_to_https_but_for_what_is_asked_inside() -> None:
    done = in_production("shell", "-v", "0", "-c", ASK)
    assert done.stderr == ""
    plain_live, plain_login, live, login = done.stdout.splitlines()
    assert plain_live.startswith("200 None None")
    assert plain_login.startswith("301 https://cron.example.com/admin/login/ None")
    assert live.startswith("200 None max-age=31536000; includeSubDomains")
    assert login == "200 None max-age=31536000; includeSubDomains {'csrftoken': True}"


@pytest.mark.parametrize("address", ["/admin/login/", "/cron/docs", "/livez", "/nothing"])
def test_every_answer_says_what_a_browser_may_do_with_it(admin_client: Client, address: str) -> None:
    answer = admin_client.get(address)
    policy = answer["Content-Security-Policy"]
    for directive in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in policy
    assert "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"


def test_a_foreign_host_is_refused(client: Client) -> None:
    assert client.get("/livez", headers={"host": "evil.example"}).status_code == 400
