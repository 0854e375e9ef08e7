"""Events that are kept until they are worked off."""

import threading
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.db import connection, connections, transaction

from external_apis import events, retention
from external_apis.models import WebhookEvent
from external_apis.webhooks import Inbound, Status, inbox
from reservations.models import Reservation
from tests.webhooks.conftest import CANARY_TEXT, NOW

PHONE, OTHER = "+40712345678", "+40712345679"
ATTEMPTS = 3


def inbound(provider_id="1", phone=PHONE, body=CANARY_TEXT, provider="meta"):
    return Inbound(
        provider=provider,
        provider_id=provider_id,
        channel="whatsapp",
        phone=phone,
        name="Ana",
        body=body,
        sent_at=NOW - timedelta(minutes=1),
        kind="text",
    )


def status(provider_id="9", word="delivered", provider="meta"):
    return Status(provider=provider, provider_id=provider_id, reference="ref", status=word, code="", detail="", at=NOW)


class Handlers:
    """Remember what they were given; what is poison raises, quoting it."""

    def __init__(self, poison=(), ours=True):
        self.seen, self.poison, self.ours = [], set(poison), ours

    def inbound(self, event, *, now):  # noqa: ARG002  handlers get it
        if event.provider_id in self.poison:
            raise ValueError(f"{event.phone} said {event.body}")
        self.seen.append(event.provider_id)

    def status(self, event, *, now):
        self.inbound(event, now=now) if event.provider_id in self.poison else self.seen.append(event.provider_id)
        return self.ours

    def work_off(self, ids=None):
        groups = inbox.pending() if ids is None else [ids]
        return [
            inbox.work_off(each, handle_inbound=self.inbound, handle_status=self.status, attempts=ATTEMPTS, now=NOW)
            for each in groups
        ]


@pytest.fixture
def parked():
    told = []

    def hear(*, event_id, why, **_):
        told.append((event_id, why))

    events.webhook_event_parked.connect(hear)
    yield told
    events.webhook_event_parked.disconnect(hear)


def raw_table():
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(string_agg(e::text, ' '), '') FROM external_apis_webhookevent AS e")
        return cursor.fetchone()[0]


def test_an_event_comes_out_as_it_went_in(db):
    given = [inbound(), status(), inbound(provider="twilio")]
    inbox.store(given)
    seen = []

    def keep(event, *, now):
        seen.append(event)

    for group in inbox.pending():
        inbox.work_off(group, handle_inbound=keep, handle_status=keep, attempts=ATTEMPTS, now=NOW)
    assert sorted(seen, key=repr) == sorted(given, key=repr)


def test_the_table_holds_neither_numbers_nor_texts_and_nothing_once_processed(db):
    inbox.store([inbound(), status()])
    [first, second] = WebhookEvent.objects.order_by("pk")
    assert PHONE[1:] not in raw_table()
    assert CANARY_TEXT not in raw_table()
    assert (first.key, second.key) == ("1", "9:delivered")
    assert CANARY_TEXT in first.payload.reveal()

    Handlers().work_off()

    processed = WebhookEvent.objects.order_by("pk")
    assert [(each.state, each.processed_at, each.payload.reveal()) for each in processed] == [
        ("processed", NOW, "")
    ] * 2


def test_what_is_delivered_again_is_one_event_also_when_it_was_processed(db):
    given = [inbound("1"), inbound("2"), status("3", "sent")]

    assert inbox.store(given) == 3
    assert inbox.store(list(reversed(given))) == 0
    Handlers().work_off()
    assert inbox.store([*given, status("3", "delivered")]) == 1
    assert WebhookEvent.objects.unprocessed().count() == 1


def test_what_stands_in_one_delivery_twice_is_one_event(db):
    assert inbox.store([inbound("1"), inbound("1"), status("1"), status("1"), inbound("1", provider="twilio")]) == 3


def test_nothing_is_nothing(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert inbox.store([]) == 0


def test_the_order_of_a_delivery_is_kept(db):
    inbox.store([inbound(each) for each in ("c", "a", "d", "b")])

    assert list(WebhookEvent.objects.order_by("pk").values_list("key", flat=True)) == ["c", "a", "d", "b"]


def test_two_opposite_deliveries_at_once_do_not_deadlock(transactional_db):
    given = [inbound(str(number)) for number in range(200)]
    stored = []

    def deliver(events):
        stored.append(inbox.store(events))
        connections.close_all()

    for _ in range(5):
        threads = [threading.Thread(target=deliver, args=(each,)) for each in (given, given[::-1])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        WebhookEvent.objects.all().delete()
    assert [stored[each] + stored[each + 1] for each in range(0, 10, 2)] == [200] * 5


def test_events_are_grouped_by_customer_and_by_message(db):
    inbox.store([inbound("1"), status("8", "sent"), inbound("2", OTHER), inbound("3"), status("8"), status("9")])
    keys = dict(WebhookEvent.objects.values_list("pk", "key"))

    groups = [[keys[each] for each in group] for group in inbox.pending()]

    assert groups == [["1", "3"], ["8:sent", "8:delivered"], ["2"], ["9:delivered"]]
    assert len(inbox.pending(limit=2)) == 2


def test_it_counts_what_was_processed_and_what_was_not_ours(db):
    inbox.store([status("8", "sent"), status("8")])

    assert Handlers(ours=False).work_off() == [inbox.WorkedOff(processed=2, strangers=2)]


def test_a_failure_is_counted_and_holds_up_those_behind_it(db):
    inbox.store([inbound("1"), inbound("2"), inbound("3")])
    handlers = Handlers(poison={"2"})

    with pytest.raises(ValueError, match="said"):
        handlers.work_off()

    assert handlers.seen == ["1"]
    [failed, behind] = WebhookEvent.objects.unprocessed()
    assert (failed.attempts, behind.attempts) == (1, 0)


def test_a_time_limit_that_arrives_is_no_failure_of_the_event(db):
    class OutOfTime(Exception):
        pass

    def handle(event, *, now):
        raise OutOfTime

    inbox.store([inbound("1")])
    handlers = {"handle_inbound": handle, "handle_status": handle}
    with pytest.raises(OutOfTime):
        inbox.work_off(inbox.pending()[0], **handlers, attempts=ATTEMPTS, now=NOW, timeouts=(OutOfTime,))
    assert WebhookEvent.objects.unprocessed().get().attempts == 0


def test_why_it_failed_quotes_nobody(db):
    inbox.store([inbound("1")])
    with pytest.raises(ValueError, match="said"):
        Handlers(poison={"1"}).work_off()

    assert WebhookEvent.objects.get().last_error.startswith("ValueError in inbound, line ")
    assert PHONE[1:] not in raw_table()
    assert CANARY_TEXT not in raw_table()


def test_poison_is_parked_and_those_behind_it_go_on(transactional_db, parked):
    inbox.store([inbound("1"), inbound("2")])
    handlers = Handlers(poison={"1"})

    for attempt in range(1, ATTEMPTS + 1):
        assert (WebhookEvent.objects.parked().exists(), parked) == (False, [])
        with pytest.raises(ValueError, match="said"):
            handlers.work_off()
        assert WebhookEvent.objects.get(key="1").attempts == attempt
    event = WebhookEvent.objects.parked().get()
    assert parked == [(event.pk, event.last_error)]
    assert handlers.work_off() == [inbox.WorkedOff(processed=1)]
    assert handlers.seen == ["2"]


def test_a_parked_event_can_be_taken_up_again(db):
    inbox.store([inbound("1")])
    WebhookEvent.objects.update(state="parked", attempts=ATTEMPTS, last_error="it failed")

    assert inbox.take_up_again(WebhookEvent.objects.all()) == 1
    handlers = Handlers()
    handlers.work_off()
    assert handlers.seen == ["1"]
    assert inbox.take_up_again(WebhookEvent.objects.all()) == 0


def test_what_a_handler_wrote_is_undone_when_it_fails(db):
    inbox.store([inbound("1")])

    def handle(event, *, now):
        Reservation.objects.create(reference="R", guest_name="Ana", phone=PHONE, starts_at=NOW)
        raise ValueError("too late")

    with pytest.raises(ValueError, match="too late"):
        inbox.work_off(inbox.pending()[0], handle_inbound=handle, handle_status=handle, attempts=ATTEMPTS, now=NOW)
    assert not Reservation.objects.exists()


def test_an_event_that_another_worker_has_is_left_alone(transactional_db):
    inbox.store([inbound("1"), inbound("2")])
    [group] = inbox.pending()
    handlers, answers = Handlers(), []

    def elsewhere():
        answers.extend(handlers.work_off(group))
        connections.close_all()

    with transaction.atomic():
        WebhookEvent.objects.select_for_update().get(key="1")
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert (answers, handlers.seen) == ([inbox.WorkedOff(busy=True)], [])


def test_many_workers_at_once_work_off_each_event_once(transactional_db):
    inbox.store([inbound(str(number)) for number in range(60)])
    [group] = inbox.pending()
    handlers = Handlers()

    def work():
        for each in group:
            handlers.work_off([each])
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(handlers.seen, key=int) == [str(number) for number in range(60)]


def test_events_that_are_gone_or_done_are_passed_over(db):
    inbox.store([inbound("1"), inbound("2")])
    [group] = inbox.pending()
    handlers = Handlers()
    handlers.work_off(group)

    assert handlers.work_off([*group, 10**9]) == [inbox.WorkedOff()]


def test_an_event_whose_key_is_lost_is_counted_and_says_so(db, settings):
    inbox.store([inbound("1"), status()])
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    groups = inbox.pending()

    assert [len(each) for each in groups] == [1, 1]
    with pytest.raises(Exception, match="CREDENTIAL_KEYS"):
        Handlers().work_off()
    assert WebhookEvent.objects.order_by("pk")[0].last_error.startswith("WrongKey")


def test_old_events_are_deleted_and_unprocessed_ones_never(db):
    limit, second = NOW, timedelta(seconds=1)
    inbox.store([inbound(str(number)) for number in range(5)])
    rows = WebhookEvent.objects.order_by("pk")
    old, young, parked_old, parked_young, waiting = rows
    states = [
        (old, {"state": "processed", "processed_at": limit - second}),
        (young, {"state": "processed", "processed_at": limit}),
        (parked_old, {"state": "parked", "last_error": "x", "received_at": limit - second}),
        (parked_young, {"state": "parked", "last_error": "x", "received_at": limit}),
        (waiting, {"received_at": limit - timedelta(days=900)}),
    ]
    for row, values in states:
        WebhookEvent.objects.filter(pk=row.pk).update(**values)

    assert retention.delete_webhook_events(WebhookEvent.objects.processed_before(limit)) == 1
    assert retention.delete_webhook_events(WebhookEvent.objects.parked_before(limit)) == 1
    assert retention.delete_webhook_events(WebhookEvent.objects.filter(pk=waiting.pk)) == 0
    assert [each.pk for each in rows.all()] == [young.pk, parked_young.pk, waiting.pk]
