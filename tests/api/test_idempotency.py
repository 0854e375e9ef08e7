"""Idempotency-Key: what is sent again is answered again, and done once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.test import Client
from django.utils import timezone

from access.idempotency import FORGOTTEN_AT_ONCE, KEPT
from access.models import IdempotencyKey, Token
from jobs.engine import dispatch
from jobs.engine.definition import Job, Overlap
from jobs.models import Run, State

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "/cron/trigger/probe-job"
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def job(declared: Callable[..., Job]) -> Job:
    """One that may run many times at once, so that nothing but the key keeps a second run away."""
    return declared(overlap=Overlap.ALLOW)


def post(client: Client, key: str, body: Any = None, *, address: str = ADDRESS) -> Any:
    return client.post(address, body or {}, content_type="application/json", headers={"Idempotency-Key": key})


def kind(response: Any) -> str:
    return str(response.json()["type"]).rpartition(":")[2]


def test_a_request_that_is_repeated_is_answered_again_and_done_once(
    caller: Callable[..., Client], sent: list[Any]
) -> None:
    client = caller()
    first, again = post(client, "a"), post(client, "a")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.content == again.content
    assert first["Location"] == again["Location"] == first.json()["url"]
    assert first["Content-Type"] == again["Content-Type"]
    assert ("Idempotency-Replayed" in first, again["Idempotency-Replayed"]) == (False, "true")
    [run] = Run.objects.all()
    assert [str(each.id) for each in sent] == [str(run.pk)] == [first.json()["runId"]]


def test_another_key_or_none_is_another_request(caller: Callable[..., Client], sent: list[Any]) -> None:
    client = caller()
    for key in ("a", "b", "A"):
        assert post(client, key).status_code == 202
    for _ in range(2):
        assert client.post(ADDRESS).status_code == 202
    assert Run.objects.count() == len(sent) == 5


def test_the_key_of_another_caller_is_another_key(caller: Callable[..., Client], sent: list[Any]) -> None:
    assert [post(caller(), "a").status_code for _ in range(2)] == [202, 202]
    assert Run.objects.count() == len(sent) == 2


@pytest.mark.parametrize("other", [{"body": {"dryRun": True}}, {"address": f"{ADDRESS}?x=1"}])
def test_a_key_that_came_with_something_else_is_refused(
    caller: Callable[..., Client], sent: list[Any], other: dict[str, Any]
) -> None:
    client = caller()
    post(client, "a")
    refused = post(client, "a", **other)
    assert (refused.status_code, kind(refused)) == (409, "key-reused")
    assert Run.objects.count() == len(sent) == 1


@pytest.mark.parametrize(("age", "runs"), [(KEPT - SECOND, 1), (KEPT + SECOND, 2)])
def test_a_key_is_kept_for_24_hours(caller: Callable[..., Client], sent: list[Any], age: timedelta, runs: int) -> None:
    client = caller()
    post(client, "a")
    IdempotencyKey.objects.update(created_at=timezone.now() - age)
    assert post(client, "a").status_code == 202
    assert Run.objects.count() == len(sent) == runs


@pytest.mark.parametrize(
    ("key", "fits"), [("x" * 255, True), ("x" * 256, False), ("", False), ("a b", False), ("ă", False)]
)
def test_what_is_no_key_is_refused(caller: Callable[..., Client], sent: list[Any], key: str, fits: bool) -> None:
    answer = post(caller(), key)
    assert answer.status_code == (202 if fits else 400)
    if not fits:
        assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert Run.objects.count() == len(sent) == int(fits)


def test_a_refusal_that_stands_is_kept_too(caller: Callable[..., Client], make_run: Callable[..., Run]) -> None:
    client, waiting = caller(), make_run(state=State.QUEUED, overlap_key="daily-report")
    refused = post(client, "a", address="/cron/trigger/daily-report")
    waiting.delete()
    again = post(client, "a", address="/cron/trigger/daily-report")
    assert (refused.status_code, kind(refused)) == (409, "already-waiting")
    assert (again.content, again["Idempotency-Replayed"]) == (refused.content, "true")


def test_who_may_not_call_today_may_tomorrow(caller: Callable[..., Client], sent: list[Any]) -> None:
    client = caller("read", name="robot")
    assert post(client, "a").status_code == 403
    Token.objects.filter(name="robot").update(scopes=["trigger"])
    assert post(client, "a").status_code == 202
    assert len(sent) == 1


def test_a_stranger_is_told_so(sent: list[Any]) -> None:
    assert post(Client(), "a").status_code == 401
    assert not IdempotencyKey.objects.exists()


def test_a_failure_leaves_nothing_and_the_next_try_is_made(
    caller: Callable[..., Client], sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, trigger = caller(), dispatch.trigger

    def fail(*args: Any, **values: Any) -> Any:
        trigger(*args, **values)
        raise OperationalError("the connection was cut")

    with monkeypatch.context() as patch:
        patch.setattr(dispatch, "trigger", fail)
        assert post(client, "a").status_code == 503
    assert (Run.objects.count(), IdempotencyKey.objects.count(), sent) == (0, 0, [])
    assert post(client, "a").status_code == 202
    assert Run.objects.count() == len(sent) == 1


def test_of_a_hundred_at_once_one_is_done(caller: Callable[..., Client], sent: list[Any]) -> None:
    client, together = caller(), Barrier(20, timeout=120)

    def send(_: int) -> tuple[int, bytes]:
        try:
            own = Client(**client.defaults)
            together.wait()
            answer = post(own, "a")
            return answer.status_code, answer.content
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(send, range(100)))
    [(status, _)] = answers
    assert status == 202
    assert Run.objects.count() == len(sent) == 1


def test_a_run_is_cancelled_once(caller: Callable[..., Client], make_run: Callable[..., Run]) -> None:
    client, run = caller(), make_run(state=State.QUEUED)
    address = f"/cron/runs/{run.pk}/cancel"
    first, again = (post(client, "a", address=address) for _ in range(2))
    assert (first.status_code, first.content) == (200, again.content)
    assert post(client, "b", address=address).status_code == 409


def test_old_keys_go_with_new_ones(caller: Callable[..., Client], sent: list[Any]) -> None:
    past = timezone.now() - KEPT - SECOND
    IdempotencyKey.objects.bulk_create(
        IdempotencyKey(caller="token 1", key=str(n), fingerprint="-", created_at=past)
        for n in range(FORGOTTEN_AT_ONCE + 1)
    )
    client = caller()
    for key, left in (("a", 2), ("b", 2), ("c", 3)):
        post(client, key)
        assert IdempotencyKey.objects.count() == left


def test_every_post_is_described_with_it(caller: Callable[..., Client]) -> None:
    paths = caller().get("/cron/openapi.json").json()["paths"]
    posts = [operations["post"] for operations in paths.values() if "post" in operations]
    assert len(posts) > 16
    assert all("Idempotency-Key" in [each["name"] for each in post["parameters"]] for post in posts)
