"""POST /webhooks/twilio."""

from urllib.parse import urlencode

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from external_apis.encryption import Secret
from external_apis.models import Credential, WebhookEvent
from external_apis.webhooks import inbox
from jobs.models import Run, Trigger
from tests.webhooks.conftest import (
    AUTH_TOKEN,
    CANARY_PHONE,
    CANARY_TEXT,
    FORM,
    NOW,
    PUBLIC_URL,
    TWILIO,
    callback,
    sms,
    twilio_signature,
)


def kept():
    seen = []

    def keep(event, *, now):
        seen.append(event)

    for group in inbox.pending():
        inbox.work_off(group, handle_inbound=keep, handle_status=keep, attempts=5, now=NOW)
    return seen


def test_a_message_is_kept_and_answered_with_an_empty_response(db, configured, asked, from_twilio):
    answer = from_twilio(sms())

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
    assert answer.content == b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
    run = Run.objects.get()
    assert (run.trigger, run.triggered_by, [each.id for each in asked]) == (Trigger.WEBHOOK, "Twilio", [run.pk])
    [event] = kept()
    assert (event.provider_id, event.phone, event.body) == ("SM1", "+40712345678", "Bună ziua")


def test_a_status_is_kept_with_the_reference_of_its_address(db, configured, asked, from_twilio):
    answer = from_twilio(callback(), query="reference=0192f0c1-6f0e")

    assert (answer.status_code, answer.content) == (204, b"")
    [event] = kept()
    assert (event.provider_id, event.status, event.reference) == ("SM9", "delivered", "0192f0c1-6f0e")


def test_each_step_counts_once_in_any_order(db, configured, asked, from_twilio):
    for word in ("read", "sent", "read", "queued", "delivered", "sent"):
        assert from_twilio(callback(word=word)).status_code == 204

    keys = WebhookEvent.objects.order_by("pk").values_list("key", flat=True)
    assert list(keys) == ["SM9:read", "SM9:sent", "SM9:delivered"]


def test_a_message_that_is_repeated_is_one(db, configured, asked, from_twilio):
    assert [from_twilio(sms()).status_code for _ in range(2)] == [200, 200]
    assert WebhookEvent.objects.count() == 1


@pytest.mark.parametrize("word", ["queued", "accepted", "sending"])
def test_steps_on_the_way_out_are_accepted_and_ignored(db, configured, asked, from_twilio, word):
    assert from_twilio(callback(word=word)).status_code == 204
    assert not WebhookEvent.objects.exists()
    assert not Run.objects.exists()


@pytest.mark.parametrize("form", [{}, {"Novelty": "1"}, sms(From="ORANGE"), callback(word="novel")])
def test_what_says_nothing_to_us_is_accepted(db, configured, asked, from_twilio, form):
    assert from_twilio(form).status_code in (200, 204)
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize(
    "public_url", ["https://cron.example.com", "https://cron.example.com:443", "http://cron.example.com", "https://x/y"]
)
def test_the_signature_is_over_the_public_address_with_or_without_its_port(
    db, configured, provider_settings, asked, from_twilio, public_url
):
    provider_settings(public_url=public_url)
    scheme, _, rest = public_url.partition("://")
    host, slash, path = rest.partition("/")
    bare = host.removesuffix(":443")
    port = 443 if scheme == "https" else 80

    def signing(host, number):
        url = f"{scheme}://{host}{slash}{path}{TWILIO}?reference=r"
        return from_twilio(sms(f"SM{number}"), query="reference=r", url=url).status_code

    assert [signing(each, number) for number, each in enumerate((bare, f"{bare}:{port}"))] == [200, 200]
    assert signing(f"{bare}:8443", 3) == 403


def test_names_that_repeat_and_values_that_are_empty_are_signed_too(db, configured, asked, from_twilio):
    pairs = [*sms(Body="").items(), ("Tag", "b"), ("Tag", "a"), ("Tag", "b"), ("ĂȘ", "ţ+& =%")]

    assert from_twilio(pairs).status_code == 200
    assert from_twilio(pairs, signature=twilio_signature(PUBLIC_URL + TWILIO, pairs[:-1])).status_code == 403


def test_the_query_is_signed_as_it_was_called(db, configured, asked, from_twilio):
    query = "reference=a%2Fb&x=%c4%83&reference=c&y"

    assert from_twilio(callback(), query=query).status_code == 204
    assert from_twilio(callback(), query=query, url=f"{PUBLIC_URL}{TWILIO}?reference=a/b").status_code == 403


@pytest.mark.parametrize("signature", ["", "x", twilio_signature(PUBLIC_URL + TWILIO, []), "ţ"])
def test_a_form_without_the_right_signature_is_refused(db, configured, asked, from_twilio, signature):
    answer = from_twilio(sms(), signature=signature)

    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert answer.json()["detail"] == "The request is not accepted."
    assert not WebhookEvent.objects.exists()


def test_a_signature_with_another_token_is_refused(db, configured, asked, from_twilio):
    assert from_twilio(sms(), key=AUTH_TOKEN + "x").status_code == 403


def test_a_form_with_another_byte_is_refused(db, configured, asked, from_twilio):
    signature = twilio_signature(PUBLIC_URL + TWILIO, list(sms().items()))

    assert from_twilio(sms(Body="Bună zіua"), signature=signature).status_code == 403
    assert from_twilio(sms(), signature=signature).status_code == 200


def test_each_token_in_use_will_do_and_no_other(db, provider_settings, auth_token, asked, from_twilio):
    provider_settings()
    auth_token("old")
    auth_token("new", status=Credential.Status.UNCHECKED)
    auth_token("unused", in_use=False)
    auth_token("refused", status=Credential.Status.INVALID, invalid_since=NOW)
    auth_token("a key", kind=Credential.Kind.MAIN_KEY)

    keys = ("old", "new", "unused", "refused", "a key")
    assert [from_twilio(sms(), key=key).status_code for key in keys] == [200, 200, 403, 403, 403]


def test_a_token_that_no_key_opens_does_not_keep_another_from_counting(
    db, configured, auth_token, asked, from_twilio, settings
):
    lost = auth_token("lost")
    sealed = Fernet(Fernet.generate_key()).encrypt(b"lost").decode()
    Credential.objects.filter(pk=lost.pk).update(secret=Secret(sealed))

    assert from_twilio(sms()).status_code == 200
    assert from_twilio(sms(), key="lost").status_code == 503  # it may be right: to be repeated until it can be told


def test_without_a_public_address_the_one_that_was_called_is_taken(
    db, provider_settings, auth_token, asked, from_twilio
):
    provider_settings(public_url="")
    auth_token()

    assert from_twilio(sms(), url=f"http://testserver{TWILIO}").status_code == 200
    assert from_twilio(sms(), url=f"https://testserver{TWILIO}").status_code == 403
    assert from_twilio(sms(), url=f"http://elsewhere{TWILIO}").status_code == 403


def test_without_a_token_it_says_so(db, provider_settings, auth_token, asked, from_twilio, settings):
    provider_settings()
    answers = [(from_twilio(sms()), "no usable credential of the kind auth token")]
    auth_token()
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    answers.append((from_twilio(sms()), "CREDENTIAL_KEYS lacks the key"))

    for answer, sentence in answers:
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:problem-type:cron:not-configured")
        assert sentence in answer.json()["detail"]


def test_a_form_as_large_as_allowed_is_taken_and_a_larger_one_is_not(db, configured, asked, from_twilio):
    most = 1024 * 1024
    length = len(urlencode(sms(Body="")))

    assert from_twilio(sms(Body="a" * (most - length))).status_code == 200
    assert from_twilio(sms(Body="a" * (most - length + 1))).status_code == 413


def test_a_form_of_too_many_fields_is_a_bad_request(db, configured, asked, from_twilio):
    assert from_twilio([(f"a{n}", "1") for n in range(1000)]).status_code == 200
    assert from_twilio([(f"a{n}", "1") for n in range(1001)]).status_code == 400


@pytest.mark.parametrize("body", [b"\xff=\xfe", b"%ff=%fe", b"a", b"&&&=", b"--x\r\n", b"{}"])
def test_a_body_that_is_no_form_is_refused(db, configured, body):
    headers = {"X-Twilio-Signature": "x"}
    assert Client().post(TWILIO, body, content_type=FORM, headers=headers).status_code == 403


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(db, configured, method):
    answer = Client().generic(method, TWILIO)

    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_it_takes_four_queries(db, configured, asked, from_twilio):
    with CaptureQueriesContext(connection) as queries:
        assert from_twilio(sms()).status_code == 200
    assert len(queries) == 4, [each["sql"] for each in queries]


def test_no_log_line_and_no_answer_holds_what_a_customer_wrote_or_a_secret(
    db, configured, asked, from_twilio, capfd, caplog
):
    form = sms(From=f"+{CANARY_PHONE}", Body=CANARY_TEXT, ProfileName="Corina C.")
    answers = [
        from_twilio(form),
        from_twilio(form, signature=""),
        from_twilio(form, key="x"),
        from_twilio({**form, "MessageSid": "", "SmsSid": ""}),
        from_twilio(callback(To=f"+{CANARY_PHONE}", ErrorMessage=f"no {CANARY_PHONE}", word="failed")),
    ]

    assert [each.status_code for each in answers] == [200, 403, 403, 200, 204]
    told = "".join([*map(str, capfd.readouterr()), caplog.text, *(each.content.decode() for each in answers)])
    assert caplog.text.count("webhook_refused") == 2
    for canary in (CANARY_PHONE, CANARY_TEXT, "Corina C.", AUTH_TOKEN):
        assert canary not in told
