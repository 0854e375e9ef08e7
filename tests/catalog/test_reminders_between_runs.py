"""What guests and providers say by webhook between two runs, and the guests' nights."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client

from jobs.engine import pausing
from jobs.models import Run
from reservations.models import Reminder
from tests.catalog.conftest import AUTH_TOKEN
from tests.catalog.hours import REMINDERS, Hours
from tests.webhooks.conftest import (
    APP_SECRET,
    FORM,
    META,
    PUBLIC_URL,
    TWILIO,
    delivery,
    message,
    meta_signature,
    sms,
    status,
    twilio_signature,
)

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TICK = datetime(2026, 6, 15, 11, 0, tzinfo=UTC)  # 14:00 in Bucharest
NEXT = TICK + 2 * HOUR


@pytest.fixture
def hours(connected, configure, monkeypatch):
    """From before a tick on; what is handed to the broker is found in the database all the same."""
    configure(META_APP_SECRET=APP_SECRET, PUBLIC_URL=PUBLIC_URL)
    monkeypatch.setattr("jobs.api.webhooks.publish", lambda _: None)
    monkeypatch.setattr("jobs.catalog.wanted.publish", lambda _: None)
    hours = Hours(TICK - 30 * MINUTE)
    connected.clock = hours.clock
    return hours


def from_meta(**value):
    raw = json.dumps(delivery(value)).encode()
    headers = {"X-Hub-Signature-256": meta_signature(raw)}
    assert Client().post(META, raw, content_type="application/json", headers=headers).status_code == 200


def from_twilio(form):
    signature = twilio_signature(PUBLIC_URL + TWILIO, list(form.items()), AUTH_TOKEN)
    answer = Client().post(TWILIO, urlencode(form), content_type=FORM, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 200


def failed(sent, at, code=131026):
    """Meta says that a message did not arrive."""
    told = {"biz_opaque_callback_data": sent.reference, "errors": [{"code": code, "title": "Undeliverable"}]}
    from_meta(statuses=[status(sent.id, "failed", **told, timestamp=str(int(at.timestamp())))])


def sent_to(connected, phone):
    return [each.channel for each in connected.messages if each.to == phone]


def test_a_guest_who_writes_stop_before_the_run_gets_nothing_on_that_channel(hours, connected, guests):
    by_sms, by_whatsapp, other = (
        guests(1, TICK + HOUR, channel="sms") + guests(1, TICK + HOUR) + guests(1, TICK + HOUR, channel="sms")
    )
    hours.at(TICK - 20 * MINUTE, lambda: from_twilio(sms("SM1", Body="STOP", From=by_sms)))
    hours.at(TICK - 10 * MINUTE, lambda: from_meta(messages=[message("wamid.1", "Stop!", **{"from": by_whatsapp[1:]})]))

    hours.go_on_until(NEXT - MINUTE)

    assert sent_to(connected, by_sms) == []
    assert sent_to(connected, by_whatsapp) == sent_to(connected, other) == ["sms"]
    assert Reminder.objects.get(reservation__phone=by_sms).state == "suppressed"


def test_one_who_writes_start_again_gets_the_next_one(hours, connected, guests):
    [guest] = guests(1, TICK + HOUR, channel="sms")
    hours.at(TICK - 20 * MINUTE, lambda: from_twilio(sms("SM1", Body="STOP", From=guest)))
    hours.at(TICK - 10 * MINUTE, lambda: from_twilio(sms("SM2", Body="START", From=guest)))

    hours.go_on_until(NEXT - MINUTE)

    assert sent_to(connected, guest) == ["sms"]


def test_a_message_that_failed_on_whatsapp_goes_by_sms_before_the_guest_comes(hours, connected, guests):
    """The next tick would be too late: the window ends there."""
    [guest, other] = guests(2, TICK + HOUR)
    moment = TICK + 20 * MINUTE
    hours.at(moment, lambda: failed(next(each for each in connected.messages if each.to == guest), moment))

    hours.go_on_until(NEXT - MINUTE)

    assert sent_to(connected, guest) == ["whatsapp", "sms"]
    assert sent_to(connected, other) == ["whatsapp"]
    [by_sms] = [each for each in connected.messages if each.channel == "sms"]
    assert moment <= by_sms.created_at < moment + MINUTE


@pytest.mark.parametrize("how", ["said twice", "began", "opted out of sms", "fallback off"])
def test_and_only_once_in_time_and_where_it_may(hours, connected, configure, guests, how):
    [guest] = guests(1, TICK + HOUR)
    moment = TICK + (61 if how == "began" else 20) * MINUTE
    if how == "opted out of sms":
        hours.at(TICK - MINUTE, lambda: from_twilio(sms("SM1", Body="STOP", From=guest)))
    if how == "fallback off":
        configure(META_APP_SECRET=APP_SECRET, PUBLIC_URL=PUBLIC_URL, REMINDER_SMS_FALLBACK="false")
    for again in range(2 if how == "said twice" else 1):
        hours.at(moment + again * 10 * MINUTE, lambda: failed(connected.messages[0], moment))

    hours.go_on_until(NEXT - MINUTE)

    assert sent_to(connected, guest) == (["whatsapp", "sms"] if how == "said twice" else ["whatsapp"])
    assert Reminder.objects.get().state == ("sent" if how == "said twice" else "given_up")


def test_a_reminder_that_is_wanted_asks_for_one_run_however_often(hours, connected, guests):
    everybody = guests(3, TICK + HOUR)
    for sent in everybody:
        hours.at(TICK + 20 * MINUTE, lambda to=sent: failed(next(e for e in connected.messages if e.to == to), TICK))

    hours.go_on_until(NEXT - MINUTE)

    assert [sent_to(connected, each) for each in everybody] == [["whatsapp", "sms"]] * 3
    assert Run.objects.filter(job=REMINDERS).count() == 2


def test_none_is_asked_for_while_the_job_is_paused(hours, connected, guests):
    [guest] = guests(1, TICK + HOUR)
    hours.at(TICK + 10 * MINUTE, lambda: pausing.pause(REMINDERS, by="an operator", reason="a fair"))
    hours.at(TICK + 20 * MINUTE, lambda: failed(connected.messages[0], TICK))

    hours.go_on_until(NEXT - MINUTE)

    assert sent_to(connected, guest) == ["whatsapp"]
    assert Run.objects.filter(job=REMINDERS).count() == 1


def test_nobody_is_woken_who_could_be_reminded_by_day(connected, configure, guests):
    start = datetime(2026, 6, 15, 3, 30, tzinfo=UTC)  # 06:30
    configure()
    hours = Hours(start)
    connected.clock = hours.clock
    everybody = [guests(1, start + number * HOUR / 2)[0] for number in range(12, 60)]

    hours.go_on_until(start + 30 * HOUR)

    assert [sent_to(connected, each) for each in everybody] == [["whatsapp"]] * len(everybody)
    local = {(each.created_at + 3 * HOUR).hour for each in connected.messages}
    assert local <= set(range(8, 22))
