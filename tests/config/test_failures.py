"""What is answered when something outside the views fails."""

from typing import Any

import pytest
from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404
from django.test import Client, RequestFactory
from psycopg.errors import InFailedSqlTransaction, ReadOnlySqlTransaction

from config import failures

PROBLEM = "application/problem+json"


def failing_with(error: Exception, address: str) -> Any:
    try:
        raise error
    except Exception:  # noqa: BLE001  the handler looks at what is being handled
        return failures.failed(RequestFactory().get(address))


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed")])
def test_an_absent_database_is_503_everywhere(error: Exception) -> None:
    for address, media in (("/cron/status", PROBLEM), ("/admin/", "text/plain")):
        answer = failing_with(error, address)
        assert (answer.status_code, answer["Content-Type"], answer["Retry-After"]) == (503, media, "5")


def test_a_standby_is_503_too() -> None:
    error = InternalError("read only")
    error.__cause__ = ReadOnlySqlTransaction("read only")
    assert failing_with(error, "/cron/status").status_code == 503


def test_other_internal_errors_are_failures_of_ours() -> None:
    error = InternalError("aborted")
    error.__cause__ = InFailedSqlTransaction("aborted")
    assert failing_with(error, "/cron/status").status_code == 500


@pytest.mark.parametrize("address", ["/cron", "/cron/status"])
def test_a_failure_tells_nothing_of_its_inside(address: str) -> None:
    answer = failing_with(ValueError("a secret"), address)
    assert (answer.status_code, answer["Content-Type"]) == (500, PROBLEM)
    assert b"secret" not in answer.content


def test_pages_outside_the_api_keep_djangos_answers(db: None) -> None:
    client = Client()
    assert failing_with(ValueError("x"), "/admin/")["Content-Type"].startswith("text/html")
    for address in ("/nowhere", "/cronic"):
        answer = client.get(address)
        assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_strange_hosts_and_addresses_are_problems_below_the_api() -> None:
    request = RequestFactory().get("/cron/status")
    refused = failures.bad_request(request, DisallowedHost("evil.example"))
    assert (refused.status_code, refused["Content-Type"]) == (400, PROBLEM)
    assert b"evil" not in refused.content
    assert failures.not_found(request, Http404())["Content-Type"] == PROBLEM
    outside = RequestFactory().get("/admin/")
    assert failures.bad_request(outside, DisallowedHost("evil.example"))["Content-Type"].startswith("text/html")


def test_a_strange_host_reaches_that_answer() -> None:
    answer = Client(headers={"Host": "evil.example"}).get("/cron/status")
    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)


def test_the_root_leads_strangers_to_the_login_page(client):
    assert client.get("/").headers["Location"] == "/sign-in?next=/"
