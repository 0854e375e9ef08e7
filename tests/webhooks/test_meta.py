"""GET and POST /webhooks/meta."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from external_apis.models import WebhookEvent
from jobs.engine import registry
from jobs.engine.errors import BrokerUnavailable
from jobs.models import Run, Schedule, State, Trigger
from tests.webhooks.conftest import (
    APP_SECRET,
    CANARY_PHONE,
    CANARY_TEXT,
    META,
    VERIFY_TOKEN,
    delivery,
    message,
    meta_signature,
    status,
)

JOB = "check-unprocessed-messages"
FIFTY = delivery(
    *({"messages": [message(f"wamid.m{n}")]} for n in range(25)),
    {"statuses": [status(f"wamid.s{n}") for n in range(25)]},
)


def kept():
    return sorted(WebhookEvent.objects.values_list("key", flat=True))


def ask(**more):
    values = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1158201444", **more}
    return Client().get(META, {name: value for name, value in values.items() if value is not None})


def test_metas_question_whether_the_address_is_ours_is_answered(configured):
    answer = ask()

    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"1158201444", "text/plain")


@pytest.mark.parametrize(
    "wrong",
    [
        {"hub.verify_token": "another"},
        {"hub.verify_token": VERIFY_TOKEN[:-1]},
        {"hub.verify_token": "ţ"},
        {"hub.verify_token": None},
        {"hub.mode": "unsubscribe"},
        {"hub.mode": None},
    ],
)
def test_a_question_without_the_verify_token_is_refused(configured, wrong):
    answer = ask(**wrong)

    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert b"1158201444" not in answer.content


def test_what_is_told_is_kept_and_a_run_is_asked_for(db, configured, asked, from_meta):
    answer = from_meta(delivery({"messages": [message()]}, {"statuses": [status()]}))

    assert (answer.status_code, answer.json()) == (200, {"new": 2, "ignored": 0})
    assert kept() == ["wamid.1", "wamid.9:delivered"]
    run = Run.objects.get()
    assert (run.job, run.state, run.trigger, run.triggered_by) == (JOB, State.QUEUED, Trigger.WEBHOOK, "Meta")
    assert [each.id for each in asked] == [run.pk]


def test_a_delivery_that_is_repeated_in_another_order_changes_nothing(db, configured, asked, from_meta):
    first, second = message("wamid.1"), message("wamid.2")
    from_meta(delivery({"messages": [first, second]}, {"statuses": [status()]}))

    answer = from_meta(delivery({"statuses": [status()]}, {"messages": [second, first]}))

    assert (answer.status_code, answer.json()["new"]) == (200, 0)
    assert kept() == ["wamid.1", "wamid.2", "wamid.9:delivered"]
    assert Run.objects.count() == 1


def test_a_repeat_asks_for_no_run_when_nothing_waits(db, configured, asked, from_meta):
    from_meta(delivery({"messages": [message()]}))
    Run.objects.all().delete()
    WebhookEvent.objects.update(state="processed", processed_at=timezone.now())

    from_meta(delivery({"messages": [message()]}))

    assert not Run.objects.exists()


def test_a_repeat_asks_for_the_run_that_the_first_delivery_could_not(db, configured, asked, from_meta):
    from_meta(delivery({"messages": [message()]}))
    Run.objects.all().delete()

    from_meta(delivery({"messages": [message()]}))

    assert Run.objects.get().job == JOB


def test_one_waiting_run_is_enough(db, configured, asked, from_meta):
    for number in range(3):
        assert from_meta(delivery({"messages": [message(f"wamid.{number}")]})).status_code == 200

    assert (Run.objects.count(), WebhookEvent.objects.count()) == (1, 3)


def test_another_run_is_asked_for_while_one_is_at_work(db, configured, asked, from_meta):
    from_meta(delivery({"messages": [message("wamid.1")]}))
    Run.objects.update(state=State.RUNNING, attempt=1)

    from_meta(delivery({"messages": [message("wamid.2")]}))

    assert sorted(Run.objects.values_list("state", flat=True)) == ["queued", "running"]


def test_while_jobs_are_switched_off_events_are_kept_and_no_run_is_asked_for(
    db, configured, asked, from_meta, settings
):
    settings.CRON = replace(settings.CRON, enabled=False)

    assert from_meta(delivery({"messages": [message()]})).json()["new"] == 1
    assert not Run.objects.exists()


@pytest.mark.parametrize(("until", "runs"), [(None, 0), ("ahead", 0), ("past", 1)])
def test_while_the_job_is_paused_events_are_kept_and_no_run_is_asked_for(db, configured, asked, from_meta, until, runs):
    now = timezone.now()
    moments = {None: None, "ahead": now + timedelta(minutes=1), "past": now}
    task = registry.get(JOB).task
    Schedule.objects.create(
        periodic_task_id=1, name=JOB, job=JOB, task=task, paused_at=now, paused_until=moments[until]
    )

    assert from_meta(delivery({"messages": [message()]})).json()["new"] == 1
    assert Run.objects.count() == runs


def test_the_number_of_queries_does_not_grow_with_the_events(db, configured, asked, from_meta):
    counted = []
    for body in (delivery({"messages": [message("wamid.0")]}), FIFTY):
        Run.objects.all().delete()
        with CaptureQueriesContext(connection) as queries:
            assert from_meta(body).status_code == 200
        counted.append(len(queries))
    assert counted == [3, 3]
    assert WebhookEvent.objects.count() == 51


def test_a_repeat_of_fifty_takes_hardly_more(db, configured, asked, from_meta):
    from_meta(FIFTY)
    with CaptureQueriesContext(connection) as queries:
        assert from_meta(FIFTY).json() == {"new": 0, "ignored": 0}
    assert len(queries) == 5


@pytest.mark.parametrize(
    "signature", ["", "sha256=", "sha1=abc", meta_signature(b"{}"), "sha256=" + "0" * 64, "sha256=ţ"]
)
def test_a_body_without_the_right_signature_is_refused(db, configured, asked, from_meta, signature):
    answer = from_meta(delivery({"messages": [message()]}), signature=signature)

    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert answer.json()["detail"] == "The request is not accepted."
    assert not WebhookEvent.objects.exists()


def test_a_signature_with_another_key_is_refused(db, configured, asked, from_meta):
    assert from_meta(delivery({"messages": [message()]}), key=APP_SECRET + "x").status_code == 403


def test_a_body_with_another_byte_is_refused(db, configured, asked, from_meta):
    raw = json.dumps(delivery({"messages": [message()]})).encode()

    assert from_meta(raw + b" ", signature=meta_signature(raw)).status_code == 403
    assert from_meta(raw, signature=meta_signature(raw)).status_code == 200


def test_a_request_without_the_header_is_refused(db, configured):
    assert Client().post(META, b"{}", content_type="application/json").status_code == 403


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[" * 100_000, b'{"entry": ' + b"9" * 5000 + b"}", b"a=b"],
)
def test_a_signed_body_that_is_not_json_is_a_bad_request(db, configured, asked, from_meta, body):
    answer = from_meta(body)

    assert (answer.status_code, answer.json()["type"]) == (400, "urn:problem-type:cron:bad-request")


@pytest.mark.parametrize("body", [{}, [], 7, None, "text", delivery({}, field="account_update")])
def test_what_says_nothing_to_us_is_accepted(db, configured, asked, from_meta, body):
    answer = from_meta(body)

    assert (answer.status_code, answer.json()["new"]) == (200, 0)
    assert not Run.objects.exists()


def test_unknown_things_beside_known_ones_are_counted(db, configured, asked, from_meta):
    body = delivery({"messages": [message(), {"type": "text"}], "novelty": {}}, {"statuses": [status(word="novel")]})

    assert from_meta(body).json() == {"new": 1, "ignored": 2}


def test_a_body_as_large_as_allowed_is_taken_and_a_larger_one_is_not(db, configured, asked, from_meta):
    most = 1024 * 1024

    assert from_meta(b"{}".ljust(most)).status_code == 200
    answer = from_meta(b"{}".ljust(most + 1))
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:problem-type:cron:too-large")
    assert from_meta(b"{}".ljust(3 * most)).status_code == 413


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(db, configured, method):
    answer = Client().generic(method, META)

    assert (answer.status_code, answer["Allow"]) == (405, "GET, POST")


def test_without_secrets_it_says_which_is_missing(db, provider_settings, asked, from_meta):
    provider_settings(app_secret="", verify_token="")

    for answer, name in ((from_meta({}), "META_APP_SECRET"), (ask(), "META_VERIFY_TOKEN")):
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:problem-type:cron:not-configured")
        assert f"{name} is not set" in answer.json()["detail"]
        assert int(answer["Retry-After"]) > 0


def test_it_is_accepted_while_the_broker_is_down(db, configured, from_meta, monkeypatch):
    def lost(runs):
        raise BrokerUnavailable("gone")

    monkeypatch.setattr("jobs.api.webhooks.publish", lost)

    assert from_meta(delivery({"messages": [message()]})).status_code == 200
    assert Run.objects.get().publish_after is not None


def test_without_a_database_the_provider_is_asked_to_repeat(db, configured, asked, from_meta):
    def gone(execute, sql, params, many, context):
        raise OperationalError("the connection is lost")

    with connection.execute_wrapper(gone):
        answer = from_meta(delivery({"messages": [message()]}))
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:problem-type:cron:database-unavailable")
    assert int(answer["Retry-After"]) > 0
    assert from_meta(delivery({"messages": [message()]})).json()["new"] == 1


def test_no_log_line_and_no_answer_holds_what_a_customer_wrote_or_a_secret(
    db, configured, asked, from_meta, capfd, caplog
):
    theirs = message(text=CANARY_TEXT, **{"from": CANARY_PHONE})
    contacts = [{"wa_id": CANARY_PHONE, "profile": {"name": "Corina C."}}]
    body = delivery({"messages": [theirs], "contacts": contacts}, {"statuses": [status(recipient_id=CANARY_PHONE)]})
    answers = [
        from_meta(body),
        from_meta(body),
        from_meta(body, signature=""),
        from_meta(body, key="x"),
        from_meta(json.dumps(body).encode() + b"}"),
        from_meta(delivery({"messages": [{**theirs, "id": ""}]})),
        ask(**{"hub.verify_token": "wrong-" + VERIFY_TOKEN}),
    ]

    assert [each.status_code for each in answers] == [200, 200, 403, 403, 400, 200, 403]
    told = "".join([*map(str, capfd.readouterr()), caplog.text, *(each.content.decode() for each in answers)])
    assert caplog.text.count("webhook_refused") == 3
    for canary in (CANARY_PHONE, CANARY_TEXT, "Corina C.", APP_SECRET, VERIFY_TOKEN):
        assert canary not in told
