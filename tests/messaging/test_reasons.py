"""Why nothing can leave, in words for people."""

from datetime import timedelta

import pytest

from external_apis.models import Sender
from tests.messaging.conftest import NOON

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
PAUSED = {"paused_at": NOON - HOUR, "paused_because": "3 calls in a row failed", "pause": "outage"}


def test_no_sender_is_a_reason(messenger):
    assert messenger.why_not("sms") == "No sender for SMS is set up."


def test_a_sender_that_can_send_is_no_reason(make_sender, messenger):
    make_sender(**PAUSED)
    make_sender()
    assert messenger.why_not("whatsapp") == ""


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"in_use": False}, "is not in use"),
        ({"credential": None}, "has no credential"),
        ({"next_turn_at": NOON + HOUR}, "sends nothing until 2026-03-02 13:00:00 UTC, as its provider asked"),
        (
            {**PAUSED, "probe_at": NOON + HOUR},
            "is paused since 2026-03-02 11:00:00 UTC, next looked at 2026-03-02 13:00:00 UTC: 3 calls in a row failed",
        ),
        (PAUSED, "is paused since 2026-03-02 11:00:00 UTC, until somebody resumes it: 3 calls in a row failed"),
    ],
)
def test_what_stands_in_the_way_is_said(make_sender, messenger, values, words):
    sender = make_sender(**values)
    assert messenger.take_turn("whatsapp") is None
    assert messenger.why_not("whatsapp") == f"Meta WhatsApp (sender {sender.pk}) {words}"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"in_use": False}, "has a credential that is not in use"),
        (
            {"in_use": True, "status": "insufficient", "why": "it lacks whatsapp_business_messaging"},
            "has a credential that is insufficient: it lacks whatsapp_business_messaging",
        ),
    ],
)
def test_what_is_wrong_with_the_credential_is_said(make_sender, make_credential, messenger, values, words):
    make_sender(credential=make_credential(**values))
    assert words in messenger.why_not("whatsapp")


@pytest.mark.parametrize("paused", [{}, {**PAUSED, "probe_at": NOON}])
def test_a_secret_is_never_shown_to_another_provider(make_sender, make_credential, messenger, stand_in, paused):
    of_twilio = make_credential(provider="twilio", kind="auth_token", account="AC1", in_use=True)
    make_sender("meta", credential=of_twilio, **paused)
    assert messenger.take_turn("whatsapp") is None
    assert "has a credential of another provider" in messenger.why_not("whatsapp")
    assert not stand_in.calls


def test_a_pause_that_somebody_may_look_into_now_is_no_reason(make_sender, messenger):
    make_sender(**PAUSED, probe_at=NOON)
    assert messenger.why_not("whatsapp") == ""


def test_neither_secrets_nor_numbers_are_told(make_sender, messenger):
    make_sender("twilio", "sms", in_use=False, label="+40 21 000 0001")
    told = messenger.why_not("sms")
    assert Sender.objects.get().address not in told
    assert "40 21" not in told
    assert "EAA" not in told
