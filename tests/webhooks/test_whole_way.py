"""From a signed webhook over HTTP to the session that holds the message, and to the reminder that is settled."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from external_apis.models import WebhookEvent
from jobs.catalog import intake
from jobs.engine import registry
from jobs.engine.definition import declare
from reservations import opt_outs
from reservations.models import Reminder, ReminderAttempt
from sessions_app.models import Message, Session
from tests.webhooks.conftest import CANARY_TEXT, callback, delivery, message, sms, status

GUEST = "+40712345678"
SENT = datetime(2026, 6, 15, 8, 59, tzinfo=UTC)


@pytest.fixture
def work_off(run_job):
    """Runs the intake as a job does; its result."""
    registry.add(
        declare(intake.work_off, slug="probe-intake", group="scheduled", schedule="0 4 * * *", description="x")
    )
    yield lambda: run_job("probe-intake").result
    registry.remove("probe-intake")


@pytest.fixture
def reminded(make_reservation):
    """An attempt to remind a guest of a table in an hour, whose answer was lost."""

    def make(provider="meta", channel="whatsapp", **values):
        now = timezone.now()
        reservation = make_reservation(starts_at=now + timedelta(hours=1), phone=GUEST, channel=channel)
        reminder = Reminder.objects.create(reservation=reservation, starts_at=reservation.starts_at, state="unknown")
        given = {"phone": GUEST, "text": "x", "outcome": "unknown", "started_at": now, "look_next_at": now, **values}
        return ReminderAttempt.objects.create(reminder=reminder, provider=provider, channel=channel, **given)

    return make


def test_what_customers_write_becomes_messages_of_their_sessions(work_off, configured, asked, from_meta, from_twilio):
    contacts = [{"wa_id": GUEST[1:], "profile": {"name": "Ana Pop"}}]
    from_meta(delivery({"messages": [message("wamid.1", "first"), message("wamid.2", "second")], "contacts": contacts}))
    from_twilio(sms("SM1", Body="by SMS"))

    assert work_off() == {"events": 3, "strangers": 0, "failed": 0, "waiting": 0, "parked": 0}

    whatsapp, by_sms = Session.objects.order_by("-channel")
    assert (whatsapp.customer_phone, whatsapp.customer_name, whatsapp.channel) == (GUEST, "Ana Pop", "whatsapp")
    texts = whatsapp.messages.order_by("pk").values_list("body", "state", "provider_id", "sent_at")
    assert list(texts) == [("first", "unprocessed", "wamid.1", SENT), ("second", "unprocessed", "wamid.2", SENT)]
    assert [each.body for each in by_sms.messages.all()] == ["by SMS"]


def test_repeats_in_any_order_and_also_later_change_nothing(work_off, configured, asked, from_meta):
    body = delivery({"messages": [message("wamid.1"), message("wamid.2")]})
    turned = delivery({"messages": [message("wamid.2"), message("wamid.1")]})
    for _ in range(2):
        for each in (body, turned):
            from_meta(each)
        work_off()
    WebhookEvent.objects.all().delete()  # as after its retention
    from_meta(turned)

    assert work_off()["events"] == 2
    assert Message.objects.count() == 2


def test_a_customer_who_writes_stop_is_not_written_to_until_they_write_start(work_off, configured, asked, from_twilio):
    from_twilio(sms("SM1", Body="Stop"))
    work_off()
    assert list(opt_outs.closed_channels(GUEST)) == ["sms"]

    from_twilio(sms("SM2", Body="START"))
    work_off()
    assert opt_outs.closed_channels(GUEST) == {}


@pytest.mark.parametrize("word", ["sent", "delivered", "read"])
def test_a_status_settles_a_reminder_whose_answer_was_lost(work_off, configured, asked, from_meta, reminded, word):
    attempt = reminded()
    from_meta(delivery({"statuses": [status("wamid.7", word, biz_opaque_callback_data=str(attempt.pk))]}))

    assert work_off()["events"] == 1

    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.provider_id, attempt.status) == ("sent", "wamid.7", word)
    assert attempt.reminder.state == "sent"


def test_a_callback_settles_a_reminder_by_the_reference_of_its_address(
    work_off, configured, asked, from_twilio, reminded
):
    attempt = reminded("twilio", "sms")
    for word in ("read", "delivered", "sent"):
        from_twilio(callback("SM7", word), query=f"reference={attempt.pk}")

    assert work_off()["events"] == 3

    attempt.refresh_from_db()
    assert (attempt.status, attempt.reminder.state) == ("read", "sent")


@pytest.mark.parametrize(("code", "closed"), [("30005", ["sms"]), ("30003", [])])
def test_a_number_that_cannot_be_reached_at_all_is_not_tried_again(
    work_off, configured, asked, from_twilio, reminded, code, closed
):
    attempt = reminded("twilio", "sms", outcome="sent", look_next_at=None, provider_id="SM7")
    Reminder.objects.update(state="sent", settled_at=timezone.now())
    from_twilio(callback("SM7", "undelivered", ErrorCode=code), query=f"reference={attempt.pk}")

    work_off()

    assert list(opt_outs.closed_channels(GUEST)) == closed
    attempt.refresh_from_db()
    assert (attempt.status, attempt.code) == ("undelivered", code)


def test_a_status_settles_an_answer_to_a_customer(work_off, configured, asked, from_meta, make_session):
    reference = uuid.uuid4()
    answer = Message.objects.create(
        session=make_session(last_activity_at=SENT),
        direction="outbound",
        provider="meta",
        state="unknown",
        attempt_reference=reference,
        attempt_at=SENT,
        last_error="no answer",
    )
    from_meta(delivery({"statuses": [status("wamid.8", "delivered", biz_opaque_callback_data=str(reference))]}))

    assert work_off()["strangers"] == 0

    answer.refresh_from_db()
    assert (answer.state, answer.provider_id, answer.delivery) == ("processed", "wamid.8", "delivered")


def test_a_status_of_somebody_else_s_message_is_counted_as_a_stranger(work_off, configured, asked, from_meta):
    others = [status("wamid.a"), status("wamid.b", biz_opaque_callback_data="not a uuid")]
    from_meta(delivery({"statuses": [*others, status("wamid.c", "failed", errors=[{"code": 131026}])]}))

    result = work_off()

    assert (result["events"], result["strangers"]) == (3, 3)


def test_an_event_that_always_fails_is_parked_and_the_next_of_that_customer_goes_on(
    work_off, configured, asked, from_meta
):
    from_meta(delivery({"messages": [message("wamid.1"), message("wamid.2", "behind")]}))
    spoilt = WebhookEvent.objects.get(key="wamid.1")
    no_session = '{"phone": "%s", "provider": "meta", "provider_id": "", "channel": "whatsapp", "name": "", "body": ""}'
    values = json.loads(no_session % GUEST) | {"sent_at": SENT.isoformat(), "kind": "text"}
    WebhookEvent.objects.filter(pk=spoilt.pk).update(payload=json.dumps(values))

    results = [work_off() for _ in range(6)]

    assert [each["failed"] for each in results] == [1, 1, 1, 1, 1, 0]
    assert [each["parked"] for each in results] == [0, 0, 0, 0, 1, 1]
    assert Message.objects.get().body == "behind"


def test_no_log_line_of_the_run_holds_what_a_customer_wrote(work_off, configured, asked, from_meta, caplog, capfd):
    from_meta(delivery({"messages": [message(text=CANARY_TEXT)]}))
    WebhookEvent.objects.update(payload='{"phone": "+40799123987"}')

    result = work_off()

    assert (result["failed"], result["waiting"]) == (1, 1)

    told = caplog.text + "".join(capfd.readouterr())
    assert "webhook_event_failed" in told
    for canary in (CANARY_TEXT, GUEST[1:], "40799123987"):
        assert canary not in told
