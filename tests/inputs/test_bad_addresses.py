"""Addresses that only look like ours, methods that are not ours, and headers that try to be more than they are."""

import pytest
from django.test import Client

from tests.inputs.conftest import Everything, refused
from tests.inputs.described import operations

OPERATIONS = operations()
TRICKS = (
    "/cron/trigger/..%2fadmin",
    "/cron/trigger/../../admin/",
    "/cron/..;/admin/",
    "/cron/trigger/daily-report/",
    "/cron/trigger/daily-report//",
    "/cron//trigger/daily-report",
    "/cron/./trigger/daily-report",
    "/cron/trigger/daily-report%00",
    "/cron/trigger/daily-report%0d%0aX-Other:%201",
    "/cron/trigger/daily-report%2e",
    "/cron/trigger/daily%2Dreport%2f",
    "/cron/trigger/%2564aily-report",
    "/cron/trigger/daily-report;v=1",
    "/cron/trigger/daily\\report",
    "/cron/Trigger/daily-report",
    "/cron/trigger/",
    "/cron/trigger",
    "/cron/%",
    "/cron/%zz",
    "/cron/%u0041",
    "/cron/%ff%fe",
    "/cron/%c0%ae%c0%ae/",
    "/cron/" + "x" * 100_000,
    "/cron/" + "../" * 10_000,
    "/cron/" + "%2e%2e%2f" * 10_000,
    "/cron/runs/01890a5d-ac96-774b-bcce-b302099a8057/cancel/",
    "/cron/runs/01890a5d-ac96-774b-bcce-b302099a8057%2fcancel%2f",
    "/cron/",
    "/cron",
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "Ä", "A" * 500)
INJECTIONS = (
    "a\r\nX-Other: 1",
    "a\nX-Other: 1",
    "a\rX-Other: 1",
    "\r\n\r\n<html>",
    "a\0b",
    "a\x85b",
    "\u2028",
    "\x1b[1m",
)
TOKENS = ("", " ", " \0", " é", " " + "x" * 100_000, " a\r\nX-Other: 1", " a b", " cron_", ": x")
SESSIONS = ("", "\0", "x" * 10_000, "é", '"\\073"', "a; b")
HOSTS = (
    "evil.example",
    "testserver.evil.example",
    "testserver:80@evil.example",
    "testserver\r\nX-Other: 1",
    "test_server",
    "[::1",
    "",
    " ",
    "x" * 5000,
    "١٢٧.0.0.1",
)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_that_only_looks_like_ours_leads_nowhere(everything: Everything, method: str) -> None:
    for address in TRICKS:
        answer = everything.client.generic(method, address, content_type="application/json")
        assert refused(answer)[0] in (404, 405), address[:100]
        assert "X-Other" not in answer
    assert everything.is_as_before()


def test_a_stranger_learns_nothing_of_it(everything: Everything) -> None:
    for address in TRICKS:
        assert refused(Client().post(address)) == (401, "not-authenticated"), address[:100]


def test_a_method_that_is_not_described_is_refused_and_the_others_are_named(everything: Everything) -> None:
    described: dict[str, set[str]] = {}
    for operation in OPERATIONS:
        described.setdefault(everything.address(operation), set()).add(operation.method.upper())
    for address, known in described.items():
        for method in METHODS:
            if method not in known:
                answer = everything.client.generic(method, address)
                assert (address, method[:9], answer.status_code) == (address, method[:9], 405)
                assert set(answer["Allow"].split(", ")) == known
                assert method == "HEAD" or refused(answer) == (405, "method-not-allowed")
    assert everything.is_as_before()


@pytest.mark.parametrize("value", INJECTIONS)
def test_a_header_cannot_become_two(everything: Everything, value: str) -> None:
    for operation in OPERATIONS:
        given = {"X-Request-ID": value, "Idempotency-Key": value, "X-Forwarded-Host": value, "Location": value}
        answer = everything.call(operation, headers=given)
        assert answer.status_code < 500, operation.name
        assert "X-Other" not in answer
        assert not [each for each in answer.headers.values() if set(each) & set("\r\n\0")]
        if operation.method == "post":
            assert refused(answer) == (400, "invalid-input")
            assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert everything.is_as_before()


@pytest.mark.parametrize("host", HOSTS)
def test_another_host_is_refused(everything: Everything, host: str) -> None:
    for operation in OPERATIONS:
        assert refused(everything.call(operation, HTTP_HOST=host)) == (400, "bad-request"), operation.name
    assert everything.is_as_before()


@pytest.mark.parametrize("value", TOKENS)
def test_what_is_no_token_is_refused(everything: Everything, value: str) -> None:
    for operation in OPERATIONS:
        answer = everything.call(operation, headers={"Authorization": f"Bearer{value}"})
        assert refused(answer) == (401, "not-authenticated"), operation.name
        assert "X-Other" not in answer
    assert everything.is_as_before()


@pytest.mark.parametrize("name", ["sessionid", "csrftoken"])
def test_what_is_no_session_is_refused(everything: Everything, name: str) -> None:
    for value in SESSIONS:
        stranger = Client(headers={"Cookie": f"{name}={value}"})
        for operation in OPERATIONS:
            answer = stranger.generic(operation.method.upper(), everything.address(operation))
            assert refused(answer) == (401, "not-authenticated"), (operation.name, value)
    assert everything.is_as_before()
