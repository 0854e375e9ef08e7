"""Channels over real HTTP: signed webhooks, and what Apprise carries; failures in words and without secrets."""

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from config import alerts
from monitoring import outgoing
from monitoring.alerts import channels
from monitoring.alerts.channels import AppriseChannel, WebhookChannel
from monitoring.alerts.outbox import Undelivered
from monitoring.models import Alert, Notice
from tests.alerts.receiver import Receiver

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
SECRET = b"twenty-four bytes at least"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def notice(
    kind: str = "raised", *, severity: str = "critical", cleared: timedelta | None = None, pk: int = 7
) -> Notice:
    alert = Alert(
        pk=3,
        cause="queue-deaf",
        subject="cron",
        severity=severity,
        summary="Nobody listens.",
        raised_at=START,
        cleared_at=cleared and START + cleared,
    )
    return Notice(pk=pk, alert=alert, kind=kind, channel="webhook", summary=alert.summary)


def webhook(receiver: Receiver) -> WebhookChannel:
    return WebhookChannel(address=f"{receiver.url}/in?key=hidden", secret=SECRET, allow_inside=True)


def test_a_webhook_says_everything_and_is_signed(receiver: Receiver) -> None:
    webhook(receiver).send([notice(), notice("cleared", cleared=timedelta(minutes=5), pk=8)])
    [call] = receiver.calls
    raised, cleared = json.loads(call.body)["notices"]
    assert raised == {
        "id": 7,
        "kind": "raised",
        "alert": 3,
        "cause": "queue-deaf",
        "subject": "cron",
        "severity": "critical",
        "summary": "Nobody listens.",
        "raisedAt": "2026-11-01T12:00:00.000Z",
        "clearedAt": None,
        "durationSeconds": None,
    }
    assert (cleared["clearedAt"], cleared["durationSeconds"]) == ("2026-11-01T12:05:00.000Z", 300)
    signed = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
    assert call.headers["webhook-signature"] == "v1," + b64encode(hmac.digest(SECRET, signed, sha256)).decode()


def test_the_example_of_the_specification_is_signed_alike() -> None:
    """From the reference libraries of standardwebhooks.com."""
    key = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = channels.signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_same_notices_have_the_same_id_when_they_are_sent_again(receiver: Receiver) -> None:
    for notices in ([notice()], [notice()], [notice(pk=8)]):
        webhook(receiver).send(notices)
    first, again, other = (call.headers["webhook-id"] for call in receiver.calls)
    assert first == again != other


@pytest.mark.parametrize("status", [200, 204])
def test_any_success_will_do(receiver: Receiver, status: int) -> None:
    receiver.status = status
    webhook(receiver).send([notice()])


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 500])
def test_everything_else_is_a_failure_and_no_redirect_is_followed(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.headers = status, {"Location": f"{receiver.url}/elsewhere"}
    with pytest.raises(Undelivered, match=f"it answered {status}") as failed:
        webhook(receiver).send([notice()])
    assert len(receiver.calls) == 1
    assert "hidden" not in str(failed.value)


def test_nobody_there(receiver: Receiver) -> None:
    gone = WebhookChannel(address="http://127.0.0.1:9/in?key=hidden", secret=SECRET, allow_inside=True)
    with pytest.raises(Undelivered, match="cannot be reached") as failed:
        gone.send([notice()])
    assert "hidden" not in str(failed.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_call_to_the_inside_is_refused_before_a_byte_is_sent(receiver: Receiver, host: str) -> None:
    url = receiver.url.replace("127.0.0.1", host)
    with pytest.raises(outgoing.NotTaken, match="OUTGOING_ALLOW_PRIVATE"):
        outgoing.call("POST", url, body=b"secret", allow_inside=False)
    assert not receiver.calls


def test_apprise_carries_a_message(receiver: Receiver) -> None:
    address = receiver.url.replace("http://", "json://")
    AppriseChannel(name="ops", address=f"{address}/in", page="https://cron.example.com/alerts").send([notice()])
    sent = json.loads(receiver.calls[0].body)
    assert sent["title"] == "[critical] queue is deaf: cron"
    assert sent["message"].splitlines()[1] == "Nobody listens."
    assert sent["message"].endswith("https://cron.example.com/alerts")
    assert sent["type"] == "failure"


@pytest.mark.parametrize(
    ("notices", "kind"),
    [
        ([notice(severity="warning")], "warning"),
        ([notice("cleared", cleared=timedelta(1))], "success"),
        ([notice("cleared", cleared=timedelta(1)), notice(severity="warning")], "warning"),
    ],
)
def test_the_worst_of_what_is_told_decides_about_its_colour(receiver: Receiver, notices: Any, kind: str) -> None:
    AppriseChannel(name="ops", address=receiver.url.replace("http://", "json://")).send(notices)
    assert json.loads(receiver.calls[0].body)["type"] == kind


def test_what_apprise_cannot_deliver_is_said_without_secrets(receiver: Receiver) -> None:
    receiver.status = 401
    address = receiver.url.replace("http://", "json://anna:hidden-password@") + "/hidden-path-of-ours"
    with pytest.raises(Undelivered) as failed:
        AppriseChannel(name="ops", address=address).send([notice()])
    assert "401" in str(failed.value)
    assert "hidden" not in str(failed.value)
    assert "hidden" not in repr(AppriseChannel(name="ops", address=address))


@pytest.mark.parametrize("address", ["nonsense://host/room", "slack://x"])
def test_an_address_that_apprise_does_not_know(address: str) -> None:
    with pytest.raises(Undelivered, match="does not understand"):
        AppriseChannel(name="ops", address=address).send([notice()])


def test_what_is_configured_is_used(settings: Any) -> None:
    given = {"ALERT_CHANNELS": "json://127.0.0.1 ops=json://localhost", "ALERT_WEBHOOK_URL": "http://127.0.0.1:9"}
    settings.ALERTING = alerts.read({**given, "ALERT_WEBHOOK_SECRET": SECRET.decode()})
    assert channels.names() == ["json", "ops", "webhook"] == [each.name for each in channels.configured()]
