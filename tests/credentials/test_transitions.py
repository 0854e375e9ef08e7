"""A credential that turns bad, or recovers, is announced once; its senders go on."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from external_apis import inspection, pacing, pausing, validation
from external_apis.credentials import mark_expired, record, retire
from external_apis.models import Credential, Sender
from external_apis.providers.answers import Answer, Meaning, Scope
from external_apis.validation import validate
from external_apis.verdict import Verdict
from tests.credentials.conftest import DAY, NOW, SECOND, TOKEN, meta_error

DEAD = {"is_valid": False, "error": {"code": 190, "message": "dead"}}
REFUSED = Verdict(status=Credential.Status.INVALID, why="refused")
ACCEPTED = Verdict(status=Credential.Status.VALID)


@pytest.fixture
def check(connections):
    return lambda credential, now=NOW: validate(credential, connections=connections, now=now)


def test_what_stays_bad_is_announced_once(check, make_meta, stand_in, heard):
    credential = make_meta()
    stand_in.tokens[TOKEN] = DEAD

    check(credential)
    check(credential, NOW + DAY)

    credential.refresh_from_db()
    assert (credential.invalid_since, heard.names) == (NOW, ["refused"])


def test_what_recovers_is_announced_once(check, make_meta, stand_in, heard):
    credential = make_meta()
    stand_in.tokens[TOKEN] = DEAD
    check(credential)
    del stand_in.tokens[TOKEN]

    check(credential, NOW + DAY)
    check(credential, NOW + 2 * DAY)

    credential.refresh_from_db()
    assert (credential.status, credential.invalid_since, credential.why) == ("valid", None, "")
    assert heard.names == ["refused", "accepted"]
    assert heard.told[1]["now"] == NOW + DAY


def test_what_was_good_all_along_is_not_announced(check, make_meta, heard):
    check(make_meta(status="unchecked"))

    assert heard.names == []


def test_one_that_a_sender_was_refused_with_is_not_announced_again_but_its_recovery_is(make_meta, heard):
    credential = make_meta(status="invalid", invalid_since=NOW)

    record(credential, REFUSED, now=NOW)
    record(credential, ACCEPTED, now=NOW + SECOND)

    assert heard.names == ["accepted"]


def test_a_refusal_in_sending_and_the_checks_after_it_are_one(make_meta, make_sender, heard):
    sender = make_sender(make_meta())
    answer = Answer(meaning=Meaning.DISABLE, scope=Scope.CREDENTIAL, code="190", detail="dead")

    pausing.refuse_credential(pacing.place_of(sender, at=NOW), answer, now=NOW)
    credential = Credential.objects.get()
    record(credential, REFUSED, now=NOW + SECOND)
    with transaction.atomic():
        retire(Credential.objects.get(), now=NOW + SECOND)

    assert heard.names == ["refused", "retired"]


def test_a_new_secret_that_is_good_ends_the_announced_refusal(make_meta, heard):
    credential = make_meta()
    record(credential, REFUSED, now=NOW)
    credential.refresh_from_db()
    credential.secret, credential.status, credential.why, credential.invalid_since = "EAAnew", "unchecked", "", None
    credential.save()

    record(credential, ACCEPTED, now=NOW + SECOND)

    assert heard.names == ["refused", "accepted"]


def test_one_that_is_not_in_use_turns_bad_silently(check, make_meta, stand_in, heard):
    credential = make_meta(in_use=False)
    stand_in.tokens[TOKEN] = DEAD

    check(credential)

    credential.refresh_from_db()
    assert (credential.status, heard.names) == ("invalid", [])


def test_one_that_was_refused_and_taken_out_of_use_is_announced_as_retired(make_meta, heard):
    credential = make_meta()
    record(credential, REFUSED, now=NOW)
    Credential.objects.update(in_use=False)

    record(credential, REFUSED, now=NOW + SECOND)
    record(credential, REFUSED, now=NOW + 2 * SECOND)

    assert heard.names == ["refused", "retired"]


def test_nothing_is_announced_when_it_is_not_committed(make_meta, heard):
    credential = make_meta()

    with transaction.atomic():
        record(credential, REFUSED, now=NOW)
        transaction.set_rollback(True)

    credential.refresh_from_db()
    assert (credential.status, heard.names) == ("valid", [])


def test_of_two_validations_at_once_one_announces(connections, make_meta, stand_in, heard):
    credential = make_meta()
    stand_in.tokens[TOKEN] = DEAD
    together = threading.Barrier(2)

    def check(_):
        try:
            verdict = inspection.inspect(credential, connections=connections, now=NOW)
            together.wait(timeout=60)
            return record(credential, verdict, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(check, range(2))) == [True, True]

    assert heard.names == ["refused"]


def test_what_is_said_of_a_secret_is_not_recorded_of_another(make_meta):
    read = make_meta()
    Credential.objects.filter(pk=read.pk).update(secret="EAAreplaced")

    assert not record(read, REFUSED, now=NOW)
    assert Credential.objects.get().status == "valid"


def test_it_is_recorded_of_the_same_secret_encrypted_anew(make_meta):
    read = make_meta()
    Credential.objects.filter(pk=read.pk).update(secret=TOKEN)

    assert record(read, REFUSED, now=NOW)


def test_expiry_is_announced_too_and_only_up_to_now(make_meta, heard):
    past, coming = make_meta(expires_at=NOW, label="past"), make_meta(expires_at=NOW + SECOND, label="coming")

    assert mark_expired(Credential.objects.expired(NOW), now=NOW) == 1

    past.refresh_from_db()
    coming.refresh_from_db()
    assert (past.status, past.why, past.invalid_since) == ("invalid", Credential.EXPIRED, NOW)
    assert (coming.status, heard.names) == ("valid", ["refused"])


def paused(make_sender, credential, **values):
    defaults = {"paused_at": NOW - DAY, "paused_because": "the provider refuses it", "pause": "refused"}
    return make_sender(credential, **{**defaults, **values})


def test_a_sender_that_was_refused_goes_on_when_its_number_reads_fine(check, make_meta, make_sender, heard):
    sender = paused(make_sender, make_meta())

    assert check(sender.credential).resumed == 1

    sender.refresh_from_db()
    assert (sender.paused_at, sender.pause, sender.paused_because) == (None, "", "")
    assert heard.names == ["resumed"]
    assert heard.told[0]["sender"] == sender
    assert (heard.told[0]["paused_at"], heard.told[0]["now"]) == (NOW - DAY, NOW)


@pytest.mark.parametrize("kind", ["outage", "config"])
def test_one_that_is_paused_for_another_cause_waits_for_its_probe(check, make_meta, make_sender, kind):
    sender = paused(make_sender, make_meta(), pause=kind, probe_at=NOW + SECOND)

    assert check(sender.credential).resumed == 0


def test_one_stays_paused_while_its_own_number_cannot_be_read(check, make_meta, make_sender, stand_in, heard):
    sender = paused(make_sender, make_meta(), address="1060000000002")
    stand_in.script("meta.phone_number", None, meta_error(131031))

    assert check(sender.credential).resumed == 0
    assert heard.names == []


def test_one_stays_paused_while_its_credential_is_refused(check, make_meta, make_sender, stand_in):
    sender = paused(make_sender, make_meta())
    stand_in.tokens[TOKEN] = DEAD

    assert check(sender.credential).resumed == 0
    assert not Sender.objects.usable().exists()


def test_a_sender_of_twilio_goes_on_when_the_account_reads_fine(check, make_twilio, make_sender):
    sender = paused(make_sender, make_twilio(), address="+40700000000", channel="sms")

    assert check(sender.credential).resumed == 1


def test_of_two_that_resume_a_sender_one_announces(make_meta, make_sender, heard):
    sender = paused(make_sender, make_meta())

    assert validation.resume(sender, now=NOW)
    assert not validation.resume(sender, now=NOW)
    assert heard.names == ["resumed"]


def test_senders_are_usable_again_when_their_credential_is(check, make_meta, make_sender):
    sender = make_sender(make_meta(status="invalid", invalid_since=NOW))
    assert not Sender.objects.usable().exists()

    check(sender.credential)

    assert Sender.objects.usable().get() == sender
