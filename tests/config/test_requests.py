"""Every request has an id, in the answer and in every line that is logged meanwhile."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from structlog.contextvars import get_contextvars

from config.requests import RequestId


def seen(**headers: str) -> tuple[dict[str, Any], HttpResponse]:
    found: dict[str, Any] = {}

    def answer(_: Any) -> HttpResponse:
        found.update(get_contextvars())
        return HttpResponse()

    return found, RequestId(answer)(RequestFactory().get("/", headers=headers))


def test_it_is_bound_while_the_request_is_answered_and_told() -> None:
    found, answer = seen()
    assert found["request"] == answer["X-Request-ID"]
    assert len(found["request"]) == 32
    assert "request" not in get_contextvars()


def test_one_that_was_given_is_taken() -> None:
    found, answer = seen(**{"X-Request-ID": "edge-4711_a.b"})
    assert found["request"] == answer["X-Request-ID"] == "edge-4711_a.b"


@pytest.mark.parametrize("given", ["", "x" * 65, "two words", 'a"b', "ă"])
def test_one_that_is_not_fit_to_be_logged_is_replaced(given: str) -> None:
    _, answer = seen(**{"X-Request-ID": given})
    assert answer["X-Request-ID"] != given


def test_it_stands_in_every_answer(client: Client, db: None) -> None:
    for address in ("/livez", "/cron/status", "/admin/login/", "/nothing"):
        assert client.get(address)["X-Request-ID"]
