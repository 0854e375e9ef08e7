from itertools import count, permutations
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions_app import events, outbox
from sessions_app.deliveries import ORDER
from sessions_app.models import Message
from tests.domain.sessions.conversing import HOUR, MINUTE, NOW, Answer, Provider, at_once, done, hearing

pytestmark = pytest.mark.django_db

REPORTS = ["sent", "delivered", "read", "undelivered", "failed"]
UNSENT = ["sending", "unknown", "unprocessed", "parked"]
numbers = count(1)


@pytest.fixture
def answer(make_session):
    """A message to a customer; sent under an id unless it is said otherwise."""

    def make(**values):
        session = make_session(last_activity_at=NOW - HOUR)
        defaults = {"provider": "meta", "attempt_reference": uuid4(), "attempt_at": NOW - MINUTE, "body": "Da."}
        if values.get("state", "processed") == "processed":
            defaults |= {"state": "processed", "processed_at": NOW, "provider_id": f"wamid.{next(numbers)}"}
        if values.get("state") == "parked":
            defaults |= {"last_error": "nobody knows", "parked_for": "unconfirmed"}
        return Message.objects.create(
            session=session, direction="outbound", sent_at=NOW - HOUR, **{**defaults, **values}
        )

    return make


def report(message, status, **values):
    defaults = {"provider": "meta", "provider_id": message.provider_id, "reference": "", "code": "", "detail": ""}
    ours = outbox.note_delivery(**{**defaults, "status": status, "at": NOW, **values})
    message.refresh_from_db()
    return ours


@pytest.mark.parametrize("status", REPORTS)
def test_a_report_is_noted(answer, status):
    message = answer()

    assert report(message, status, at=NOW + MINUTE)

    assert (message.delivery, message.delivery_at) == (status, NOW + MINUTE)
    assert (message.state, message.processed_at) == ("processed", NOW)


@pytest.mark.parametrize("order", list(permutations(["sent", "delivered", "read"])))
def test_in_any_order_it_stands_at_the_furthest(answer, order):
    message = answer()

    for status in order:
        report(message, status)

    assert message.delivery == "read"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(REPORTS), min_size=1, max_size=8))
def test_however_reports_repeat_and_whatever_their_order_the_furthest_stands_and_nothing_goes_back(answer, statuses):
    message, seen = answer(), []

    for status in statuses:
        assert report(message, status)
        seen.append(ORDER.index(message.delivery))

    assert seen == sorted(seen)
    assert message.delivery == max(statuses, key=ORDER.index)
    assert bool(message.last_error) == (message.delivery in ("undelivered", "failed"))


@pytest.mark.parametrize("state", UNSENT)
@pytest.mark.parametrize("status", REPORTS)
def test_a_report_on_an_attempt_shows_that_the_provider_has_the_message(answer, state, status):
    message = answer(state=state)

    assert report(message, status, provider_id="wamid.late", reference=str(message.attempt_reference))

    assert (message.state, message.provider_id, message.processed_at) == ("processed", "wamid.late", NOW)
    assert (message.delivery, message.parked_for) == (status, "")
    assert outbox.waiting_outbound(NOW + HOUR) == []


def test_a_report_that_overtakes_the_providers_own_answer(answer):
    message = answer(state="unprocessed")
    message.session.channel = "sms"
    message.session.save()
    provider = Provider(answers=[done("wamid.X")])
    provider.meanwhile = lambda call: outbox.note_delivery(
        provider="meta",
        provider_id="wamid.X",
        reference=call["reference"],
        status="delivered",
        code="",
        detail="",
        at=NOW,
    )

    assert outbox.send_waiting(message.pk, clock=lambda: NOW, take_turn=provider.take_turn) == "sent"

    message.refresh_from_db()
    assert (message.state, message.provider_id, message.delivery) == ("processed", "wamid.X", "delivered")


def test_a_report_that_overtakes_a_lost_answer_settles_it(answer):
    message = answer(state="unprocessed")
    message.session.channel = "sms"
    message.session.save()
    provider = Provider(answers=[Answer(meaning="unknown")])
    provider.meanwhile = lambda call: report(message, "sent", provider_id="wamid.Y", reference=call["reference"])

    assert outbox.send_waiting(message.pk, clock=lambda: NOW, take_turn=provider.take_turn) == "gone"

    message.refresh_from_db()
    assert (message.state, message.provider_id) == ("processed", "wamid.Y")


def test_one_that_did_not_arrive_says_why_and_somebody_is_told_once(transactional_db, answer):
    message = answer()

    with hearing(events.message_undelivered) as heard:
        for _ in range(2):
            report(message, "failed", code="131026", detail="cannot be delivered")

    assert message.last_error == "cannot be delivered (code 131026)"
    assert heard == [{"message_id": message.pk, "session_id": message.session_id, "why": message.last_error}]


def test_one_that_arrives_after_all_has_no_error(answer):
    message = answer()
    report(message, "undelivered", code="30005", detail="unknown handset")

    report(message, "delivered", code="", detail="")

    assert (message.delivery, message.last_error) == ("delivered", "")


@pytest.mark.parametrize(
    "values",
    [
        {"provider_id": "wamid.strange", "reference": ""},
        {"provider_id": "wamid.strange", "reference": str(uuid4())},
        {"provider_id": "wamid.strange", "reference": "no reference of ours"},
        {"provider": "twilio"},
        {"provider_id": "", "reference": ""},
    ],
)
def test_a_report_on_somebody_elses_message_is_none_of_ours(answer, values):
    message = answer()

    assert not report(message, "delivered", **values)
    assert message.delivery == ""


def test_what_customers_wrote_has_no_delivery(make_message):
    message = make_message(sent_at=NOW, provider_id="wamid.in")

    assert not report(message, "read")


def test_reports_that_arrive_at_once_leave_the_furthest(transactional_db, answer):
    message = answer()

    at_once(*[lambda status=status: report(Message.objects.get(pk=message.pk), status) for status in REPORTS * 2])

    message.refresh_from_db()
    assert message.delivery == "read"
