"""Statuses that the stand-in sends to a service; a second stand-in takes them in."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest

from local.provider import Accepted, StandIn
from local.provider_statuses import Signing, StatusSender

SIGNING = Signing(app_secret="app", auth_token="auth")


def accepted(provider: str, **values: object) -> Accepted:
    message = {"id": "M1", "channel": "whatsapp", "to": "+40712345678", "sender": "2000", "reference": "a1", "body": {}}
    return Accepted(
        provider=provider, **{**message, "at": 0.0, "created_at": datetime(2026, 3, 1, tzinfo=UTC), **values}
    )


def test_meta_statuses_carry_the_reference_and_are_signed() -> None:
    with StandIn() as service:
        with StatusSender(service.url, signing=SIGNING) as sender:
            sender.follow(accepted("meta"))
        sent, delivered = service.calls
        (status,) = sent.body["entry"][0]["changes"][0]["value"]["statuses"]
        assert (sent.path, status["id"], status["status"]) == ("/webhooks/meta", "M1", "sent")
        assert (status["recipient_id"], status["biz_opaque_callback_data"]) == ("40712345678", "a1")
        assert delivered.body["entry"][0]["changes"][0]["value"]["statuses"][0]["status"] == "delivered"
        signature = hmac.new(b"app", json.dumps(sent.body).encode(), hashlib.sha256).hexdigest()
        assert sent.headers["X-Hub-Signature-256"] == f"sha256={signature}"


def test_twilio_statuses_go_where_the_message_says_and_are_signed() -> None:
    with StandIn() as service:
        callback = f"{service.url}/webhooks/twilio?reference=a1"
        with StatusSender("http://127.0.0.1:1", signing=SIGNING) as sender:
            sender.follow(accepted("twilio", callback=callback))
            sender.follow(accepted("twilio"))  # nobody asked to be told of this one
        sent, delivered = service.calls
        assert (sent.path, sent.query) == ("/webhooks/twilio", {"reference": "a1"})
        assert (sent.body["MessageSid"], sent.body["MessageStatus"]) == ("M1", "sent")
        assert delivered.body["MessageStatus"] == "delivered"
        signed = f"{callback}Fromwhatsapp:2000MessageSidM1MessageStatussentTowhatsapp:+40712345678".encode()
        signature = base64.b64encode(hmac.new(b"auth", signed, hashlib.sha1).digest()).decode()
        assert sent.headers["X-Twilio-Signature"] == signature


def test_a_service_that_is_away_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with StatusSender("http://127.0.0.1:1", signing=SIGNING) as sender:
        sender.follow(accepted("meta"))
    assert capsys.readouterr().err.count("could not be delivered") == 2
