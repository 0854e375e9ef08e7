"""POST /cron/trigger/<job>."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.api.trigger import request_model
from jobs.engine.definition import Job, Overlap
from jobs.engine.errors import BrokerUnavailable
from jobs.models import Run, State, Trigger

NO_RUN = "01890a5d-ac96-774b-bcce-b302099a8057"

URL = "/cron/trigger/probe-job"
JSON = "application/json"


def test_a_run_is_accepted_and_sent(caller: Callable[..., Client], declared: Any, sent: list[Any]) -> None:
    declared()
    answer = caller("trigger", name="laptop").post(URL, content_type=JSON)
    run = Run.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {"runId": str(run.pk), "url": f"/cron/runs/{run.pk}", "state": "queued"}
    assert answer["Location"] == f"/cron/runs/{run.pk}"
    assert (run.job, run.trigger, run.triggered_by, run.dry_run) == ("probe-job", Trigger.API, "laptop", False)
    assert [each.id for each in sent] == [run.pk]


def test_a_run_names_the_person_who_asked(person: Callable[..., Client], declared: Any, sent: list[Any]) -> None:
    declared()
    client = person("jobs.add_run")
    client.cookies["csrftoken"] = "a" * 32
    assert client.post(URL, content_type=JSON, headers={"X-CSRFToken": "a" * 32}).status_code == 202
    assert Run.objects.get().triggered_by.startswith("person")


def test_the_body_says_how(caller: Callable[..., Client], declared: Any, make_run: Any, sent: list[Any]) -> None:
    declared(_with_days)
    stopped = make_run("probe-job", state=State.FAILED, reason="brake")
    body = {"dryRun": True, "confirms": str(stopped.pk), "arguments": {"days": 3}}
    assert caller().post(URL, body, content_type=JSON).status_code == 202
    run = Run.objects.get(state=State.QUEUED)
    assert (run.dry_run, run.confirms, run.arguments) == (True, stopped.pk, {"days": 3})


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_an_empty_form_is_no_body(
    caller: Callable[..., Client], declared: Any, sent: list[Any], content_type: str
) -> None:
    declared()
    body = b"--x--\r\n" if "multipart" in content_type else b""
    assert caller().post(URL, body, content_type=content_type).status_code == 202


def test_null_is_no_body(caller: Callable[..., Client], declared: Any, sent: list[Any]) -> None:
    declared()
    assert caller().post(URL, b"null", content_type=JSON).status_code == 202


BAD_BODIES = [
    (b"{", "not valid JSON"),
    (b"{'dryRun': true}", "not valid JSON"),
    (b'{"dryRun": NaN}', "NaN is not a JSON value"),
    (b'{"dryRun": true, "dryRun": false}', "'dryRun' stands there twice"),
    (b'{"arguments": {"a": 1, "a": 2}}', "'a' stands there twice"),
    (b'{"dryRun": "\xff"}', "not valid UTF-8"),
    (b'{"arguments": {"name": "a\\u0000b"}}', "NUL"),
    (b'{"arguments": {"a\\u0000b": 1}}', "NUL"),
    (b'{"arguments": {"name": ["\\ud800"]}}', "surrogate"),
    (b"[" * 60_000, "nested too deeply"),
    (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested too deeply"),
    (b"9" * 5000, "not valid JSON"),
]


@pytest.mark.parametrize(("body", "reason"), BAD_BODIES)
def test_a_body_that_is_not_plain_json_is_refused(
    caller: Callable[..., Client], declared: Any, sent: list[Any], body: bytes, reason: str
) -> None:
    declared()
    answer = caller().post(URL, body, content_type=JSON)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:problem-type:cron:bad-request"
    assert reason in answer.json()["detail"]
    assert not Run.objects.exists()


BAD_VALUES: list[tuple[Any, str]] = [
    ([], "body"),
    ('"text"', "body"),
    (7, "body"),
    ({"dryRun": "yes"}, "dryRun"),
    ({"dryRun": 1}, "dryRun"),
    ({"dryRun": None}, "dryRun"),
    ({"dry_run": True}, "dry_run"),
    ({"confirms": "x"}, "confirms"),
    ({"confirms": 7}, "confirms"),
    ({"confirms": NO_RUN}, "confirms"),
    ({"arguments": []}, "arguments"),
    ({"arguments": {"days": "many"}}, "arguments.days"),
    ({"arguments": {"hours": 1}}, "arguments.hours"),
]


@pytest.mark.parametrize(("body", "field"), BAD_VALUES)
def test_a_bad_value_is_named(
    caller: Callable[..., Client], declared: Any, sent: list[Any], body: Any, field: str
) -> None:
    declared(_with_days)
    answer = caller().post(URL, body, content_type=JSON)
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["type"] == "urn:problem-type:cron:invalid-input"
    assert [each["field"] for each in problem["errors"]] == [field]
    assert problem["errors"][0]["reason"]
    assert not Run.objects.exists()


def test_a_real_job_refuses_arguments_it_does_not_declare(caller: Callable[..., Client], sent: list[Any]) -> None:
    answer = caller().post("/cron/trigger/cleanup-sessions", {"arguments": {"days": 1}}, content_type=JSON)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "arguments.days"


def test_a_body_just_large_enough_is_taken_and_a_larger_one_is_not(
    caller: Callable[..., Client], declared: Any, sent: list[Any]
) -> None:
    declared()
    client, most = caller(), 64 * 1024
    assert client.post(URL, b"{}".ljust(most), content_type=JSON).status_code == 202
    answer = client.post(URL, b"{}".ljust(most + 1), content_type=JSON)
    assert (answer.status_code, answer["Content-Type"]) == (413, "application/problem+json")


def test_a_huge_body_is_refused_too(caller: Callable[..., Client], declared: Any, sent: list[Any]) -> None:
    declared()
    answer = caller().post(URL, b" " * 3_000_000, content_type=JSON)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:problem-type:cron:too-large")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_another_kind_of_body_is_refused(
    caller: Callable[..., Client], declared: Any, sent: list[Any], content_type: str
) -> None:
    declared()
    answer = caller().generic("POST", URL, b'{"dryRun": true}', content_type=content_type)
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:problem-type:cron:unsupported-media-type")


@pytest.mark.parametrize("slug", ["probe-jib", "PROBE-JOB", "..", "a%00b", "%FF", "x" * 5000, "prоbe-job", "probe job"])
def test_an_unknown_job_is_not_found(caller: Callable[..., Client], declared: Any, sent: list[Any], slug: str) -> None:
    declared()
    answer = caller().post(f"/cron/trigger/{slug}", content_type=JSON)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_the_closest_name_is_offered(caller: Callable[..., Client], sent: list[Any]) -> None:
    problem = caller().post("/cron/trigger/cleanup-session", content_type=JSON).json()
    assert problem["type"] == "urn:problem-type:cron:unknown-job"
    assert "Did you mean 'cleanup-sessions'?" in problem["detail"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("slug", ["daily-report", "probe-job"])
def test_only_post_triggers(caller: Callable[..., Client], sent: list[Any], method: str, slug: str) -> None:
    answer = caller().generic(method, f"/cron/trigger/{slug}")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert answer["Content-Type"] == "application/problem+json"
    assert not Run.objects.exists()


def test_a_second_waiting_run_is_refused_with_the_first_ones_id(
    caller: Callable[..., Client], declared: Any, sent: list[Any]
) -> None:
    declared()
    client = caller()
    first = client.post(URL, content_type=JSON).json()["runId"]
    answer = client.post(URL, content_type=JSON)
    assert (answer.status_code, answer.json()["runId"]) == (409, first)
    assert answer.json()["type"] == "urn:problem-type:cron:already-waiting"


def test_one_more_run_may_wait_for_a_running_one(
    caller: Callable[..., Client], declared: Any, make_run: Any, sent: list[Any]
) -> None:
    declared()
    make_run("probe-job", state=State.RUNNING, overlap_key="probe-job")
    client = caller()
    assert [client.post(URL, content_type=JSON).status_code for _ in range(2)] == [202, 409]


def test_runs_of_a_job_that_may_overlap_are_all_accepted(
    caller: Callable[..., Client], declared: Any, sent: list[Any]
) -> None:
    declared(overlap=Overlap.ALLOW)
    client = caller()
    assert [client.post(URL, content_type=JSON).status_code for _ in range(3)] == [202] * 3


def test_it_is_accepted_while_the_broker_is_down(
    caller: Callable[..., Client], declared: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(runs: Any) -> None:
        raise BrokerUnavailable("gone")

    declared()
    monkeypatch.setattr("jobs.api.idempotency.publish", lost)
    assert caller().post(URL, content_type=JSON).status_code == 202
    assert Run.objects.get().publish_after is not None


def test_it_takes_two_queries(caller: Callable[..., Client], sent: list[Any]) -> None:
    client = caller()
    client.post("/cron/trigger/daily-report")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.post("/cron/trigger/backup-data").status_code == 202
    assert len(queries) == 2, [each["sql"] for each in queries]


def test_required_arguments_make_the_body_required(declared: Any) -> None:
    job: Job = declared(_with_required_days)
    assert request_model(job).model_json_schema()["required"] == ["arguments"]


def _with_days(run: Any, *, days: int = 30) -> None:
    """Takes an argument."""


def _with_required_days(run: Any, *, days: int) -> None:
    """Needs an argument."""
