"""What answers do to a sender: when it is paused, by whom, and what ends that."""

import itertools
import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection

from external_apis import pausing
from external_apis.models import Credential, Sender
from external_apis.pacing import place_of
from external_apis.providers.answers import Answer, Meaning, Scope
from tests.messaging.conftest import NOON

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)

FAILS = Answer(meaning=Meaning.RETRY, scope=Scope.SENDER, code="131016", detail="The service is unavailable.")
LOST = Answer(meaning=Meaning.UNKNOWN, scope=Scope.SENDER, detail="No answer came.")
WRONG = Answer(meaning=Meaning.CONFIG, code="132001", detail="The template does not exist.")
DONE = Answer(meaning=Meaning.DONE, provider_id="wamid.1")
WORKING = [
    DONE,
    Answer(meaning=Meaning.GIVE_UP, code="131026"),
    Answer(meaning=Meaning.SUPPRESS, code="21610"),
    Answer(meaning=Meaning.THROTTLE, scope=Scope.SENDER, code="130429"),
]


@pytest.fixture
def note():
    def note(sender, *answers, now=NOON, probed=None):
        for answer in answers:
            pausing.note(place_of(sender, at=NOON), answer, now=now, probed=probed)
        sender.refresh_from_db()

    return note


@pytest.mark.parametrize(
    ("answer", "kind", "first_look"),
    [
        (FAILS, "outage", timedelta(seconds=30)),
        (LOST, "outage", timedelta(seconds=30)),
        (WRONG, "config", timedelta(minutes=15)),
        (Answer(meaning=Meaning.GIVE_UP, detail="An answer of nobody."), "config", timedelta(minutes=15)),
    ],
)
def test_three_troubles_in_a_row_pause_a_sender(make_sender, note, heard, answer, kind, first_look):
    sender = make_sender()
    note(sender, answer, answer)
    assert (sender.paused_at, sender.troubles) == (None, 2)
    assert not heard.paused
    note(sender, answer, now=NOON + SECOND)
    assert (sender.paused_at, sender.pause, sender.probe_at) == (NOON + SECOND, kind, NOON + SECOND + first_look)
    [told] = heard.paused
    assert (told["sender"], told["because"], told["now"]) == (sender, sender.paused_because, NOON + SECOND)
    assert answer.detail in sender.paused_because


@pytest.mark.parametrize("working", WORKING, ids=lambda answer: answer.meaning)
def test_two_troubles_an_answer_and_two_more_pause_nobody(make_sender, note, working):
    sender = make_sender()
    note(sender, FAILS, FAILS, working, FAILS, FAILS)
    assert (sender.paused_at, sender.troubles) == (None, 2)


def test_different_troubles_add_up(make_sender, note):
    sender = make_sender()
    note(sender, FAILS, LOST, WRONG)
    assert sender.pause == "config"


@pytest.mark.parametrize(
    ("meaning", "code"), [(Meaning.RETRY, "131056"), (Meaning.CONFIG, "131047"), (Meaning.CONFIG, "21408")]
)
def test_troubles_of_single_messages_pause_nobody_and_end_no_pause(make_sender, note, meaning, code):
    sender = make_sender()
    note(sender, *[Answer(meaning=meaning, code=code)] * 5)
    assert (sender.paused_at, sender.troubles) == (None, 0)
    note(sender, WRONG, WRONG, WRONG)
    note(sender, Answer(meaning=meaning, code=code), probed=NOON)
    assert sender.paused_at == NOON


def test_a_sender_that_is_set_up_wrongly_is_paused_at_once(make_sender, note, heard):
    sender = make_sender()
    note(sender, Answer(meaning=Meaning.CONFIG, scope=Scope.SENDER, code="133010", detail="It is not registered."))
    assert (sender.pause, sender.probe_at) == ("config", NOON + timedelta(minutes=15))
    assert len(heard.paused) == 1


def test_a_sender_that_is_refused_is_paused_until_somebody_mends_it(make_sender, note, heard):
    sender = make_sender()
    refusal = Answer(meaning=Meaning.DISABLE, scope=Scope.SENDER, code="131031", detail="The account is locked.")
    note(sender, refusal, refusal)
    assert (sender.pause, sender.paused_at, sender.probe_at) == ("refused", NOON, None)
    assert len(heard.paused) == 1


def test_a_refusal_outweighs_an_outage_and_a_probe_does_not_lift_it(make_sender, note, heard):
    sender = make_sender()
    note(sender, FAILS, FAILS, FAILS)
    note(sender, Answer(meaning=Meaning.DISABLE, scope=Scope.SENDER, code="131031"), now=NOON + SECOND)
    assert (sender.pause, sender.paused_at, sender.probe_at) == ("refused", NOON, None)
    note(sender, DONE, probed=NOON)
    assert sender.paused_at == NOON
    assert len(heard.paused) == 2


def test_further_troubles_during_a_pause_change_nothing(make_sender, note, heard):
    sender = make_sender()
    note(sender, FAILS, FAILS, FAILS)
    note(sender, LOST, WRONG, FAILS, now=NOON + MINUTE)
    assert (sender.pause, sender.paused_at, sender.troubles) == ("outage", NOON, 3)
    assert len(heard.paused) == 1


def test_ten_threads_pause_a_sender_once(make_sender, heard):
    sender = make_sender()
    place, start = place_of(sender, at=NOON), threading.Barrier(10)

    def work():
        start.wait()
        pausing.note(place, FAILS, now=NOON)
        connection.close()

    in_threads(10, work)
    assert len(heard.paused) == 1


def test_answers_to_calls_from_before_the_pause_do_not_end_it(make_sender, note, heard):
    sender = make_sender()
    note(sender, FAILS, FAILS, FAILS)
    note(sender, DONE, now=NOON + SECOND)
    assert sender.paused_at == NOON
    assert not heard.resumed


@pytest.mark.parametrize("answer", WORKING[:3], ids=lambda answer: answer.meaning)
def test_the_answer_to_its_probe_ends_a_pause(make_sender, note, heard, answer):
    sender = make_sender()
    note(sender, FAILS, FAILS, FAILS)
    note(sender, answer, probed=NOON, now=NOON + MINUTE)
    assert (sender.paused_at, sender.pause, sender.paused_because) == (None, "", "")
    assert (sender.probe_at, sender.troubles) == (None, 0)
    [told] = heard.resumed
    assert (told["sender"], told["paused_at"], told["now"]) == (sender, NOON, NOON + MINUTE)


@pytest.mark.parametrize("answer", [FAILS, LOST, WRONG, WORKING[3]], ids=lambda answer: answer.meaning)
def test_any_other_answer_to_a_probe_leaves_the_pause(make_sender, note, heard, answer):
    sender = make_sender()
    note(sender, FAILS, FAILS, FAILS)
    note(sender, answer, probed=NOON, now=NOON + MINUTE)
    assert (sender.paused_at, sender.pause) == (NOON, "outage")
    assert not heard.resumed


def test_a_probe_of_an_earlier_pause_does_not_end_a_later_one(make_sender, note):
    sender = make_sender()
    note(sender, FAILS, FAILS, FAILS)
    note(sender, DONE, probed=NOON)
    note(sender, FAILS, FAILS, FAILS, now=NOON + MINUTE)
    note(sender, DONE, probed=NOON)
    assert sender.paused_at == NOON + MINUTE


def test_one_of_ten_threads_wins_the_probe(make_sender, note):
    sender = make_sender()
    note(sender, FAILS, FAILS, FAILS)
    won, start = [], threading.Barrier(10)

    def work():
        [due] = pausing.due("whatsapp", provider="", now=NOON + MINUTE)
        start.wait()
        won.append(pausing.win_probe(due, now=NOON + MINUTE))
        connection.close()

    in_threads(10, work)
    assert sorted(won) == [False] * 9 + [True]


@pytest.mark.parametrize(("before", "due"), [(timedelta(microseconds=1), []), (timedelta(), ["one"])])
def test_a_probe_is_due_at_its_time_and_not_before(make_sender, note, before, due):
    note(make_sender(), FAILS, FAILS, FAILS)
    now = NOON + timedelta(seconds=30) - before
    assert len(pausing.due("whatsapp", provider="", now=now)) == len(due)


def test_no_probe_while_the_provider_wants_to_be_left_alone(make_sender, note):
    sender = make_sender()
    note(sender, FAILS, FAILS, FAILS)
    note(sender, Answer(meaning=Meaning.THROTTLE, scope=Scope.SENDER, wait=2 * MINUTE))
    assert not pausing.due("whatsapp", provider="", now=NOON + 2 * MINUTE - SECOND)
    assert pausing.due("whatsapp", provider="", now=NOON + 2 * MINUTE)


@pytest.mark.parametrize(
    ("answer", "waits"), [(FAILS, [30, 60, 120, 240, 480, 600, 600]), (WRONG, [900, 1800, 3600, 7200, 7200])]
)
def test_probes_become_rarer_up_to_a_limit(make_sender, note, answer, waits):
    sender = make_sender()
    note(sender, answer, answer, answer)
    seen = [NOON]
    for _ in waits:
        seen.append(sender.probe_at)
        assert pausing.win_probe(sender, now=sender.probe_at)
        sender.refresh_from_db()
    assert [(later - sooner).seconds for sooner, later in itertools.pairwise(seen)] == waits


@pytest.mark.parametrize(
    ("right", "status", "since"), [("", "invalid", NOON), ("whatsapp_business_messaging", "insufficient", None)]
)
def test_a_credential_that_is_refused_is_recorded_and_announced_once(make_sender, note, heard, right, status, since):
    refusal = {"code": "190", "right": right, "detail": "Session has expired."}
    sender = make_sender()
    refusal = Answer(meaning=Meaning.DISABLE, scope=Scope.CREDENTIAL, **refusal)
    note(sender, refusal, refusal)
    credential = Credential.objects.get()
    assert (credential.status, credential.invalid_since, credential.checked_at) == (status, since, NOON)
    assert credential.why == "The provider refuses it (code 190): Session has expired."
    [told] = heard.refused
    assert (told["credential"], told["why"], told["now"]) == (credential, credential.why, NOON)
    assert not Sender.objects.usable()
    assert not heard.paused


def test_what_was_said_of_a_replaced_token_is_not_said_of_the_new_one(make_sender, heard):
    sender = make_sender()
    place = place_of(sender, at=NOON)
    sender.credential.secret = "EAAnew"
    sender.credential.save()
    pausing.note(place, Answer(meaning=Meaning.DISABLE, scope=Scope.CREDENTIAL, code="190"), now=NOON)
    assert Credential.objects.get().status == "valid"
    assert not heard.refused


def test_a_pause_can_be_lifted(make_sender, note):
    sender, other = make_sender(), make_sender()
    note(sender, Answer(meaning=Meaning.DISABLE, scope=Scope.SENDER, code="131031"))
    assert pausing.lift(Sender.objects.filter(pk__in=[sender.pk, other.pk])) == 1
    sender.refresh_from_db()
    assert sender.paused_at is None


def test_the_database_knows_the_kinds_of_pauses(make_sender):
    with pytest.raises(IntegrityError):
        make_sender(pause="a holiday")


def in_threads(number, work):
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
