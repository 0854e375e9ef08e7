"""What providers know is copied: numbers, templates, keys and the account's status."""

import pytest

from external_apis import copying
from external_apis.models import Credential, Sender, Template
from local.provider import Reply
from tests.credentials.conftest import (
    ACCOUNT,
    DAY,
    KEY,
    NOW,
    NUMBER_ID,
    TOKEN,
    WABA_ID,
    meta_error,
    twilio_error,
)


@pytest.fixture
def copy(connections):
    return lambda credential, now=NOW: copying.copy(credential, connections=connections, now=now)


def template(name, status, language="ro"):
    return {"name": name, "status": status, "language": language}


def listed(*rows):
    return Reply(body={"data": list(rows)})


def test_a_number_gets_its_label_and_quality(copy, make_meta, make_sender, stand_in):
    sender = make_sender(make_meta(business_account=WABA_ID))
    number = {"id": NUMBER_ID, "display_phone_number": "+40 1", "verified_name": "Trattoria", "quality_rating": "RED"}
    stand_in.script("meta.phone_numbers", listed(number))

    assert copy(sender.credential).numbers == 1

    sender.refresh_from_db()
    assert (sender.label, sender.quality, sender.checked_at) == ("Trattoria +40 1", "RED", NOW)


def test_without_a_business_account_the_senders_numbers_are_read(copy, make_meta, make_sender):
    sender = make_sender(make_meta())

    copied = copy(sender.credential)

    sender.refresh_from_db()
    assert (copied.numbers, copied.templates, sender.quality) == (1, None, "GREEN")


def test_templates_are_copied_and_follow_their_provider(copy, make_meta, stand_in):
    credential = make_meta(business_account=WABA_ID)
    stand_in.script("meta.templates", listed(template("a", "PENDING"), template("a", "APPROVED", "en_US")))
    assert copy(credential).templates == 2
    stand_in.script("meta.templates", listed(template("a", "PAUSED")))

    copied = copy(credential, NOW + DAY)
    assert copying.drop_templates([copied], now=NOW + DAY) == 1

    known = Template.objects.get()
    assert (known.language, known.status, known.checked_at) == ("ro", "PAUSED", NOW + DAY)


def test_templates_stay_when_one_account_does_not_answer(copy, make_meta, stand_in):
    credential = make_meta(business_account=WABA_ID)
    first = copy(credential)
    stand_in.always("meta.templates", meta_error(80007, f"Too much of {TOKEN}", 400))

    silent = copy(credential, NOW + DAY)

    assert silent.not_answered
    assert TOKEN not in silent.not_answered
    assert copying.drop_templates([first, silent], now=NOW + DAY) == 0
    assert Template.objects.count() == 2


def test_templates_stay_when_no_account_was_asked(make_meta, copy):
    Template.objects.create(provider="meta", name="a", language="ro", status="APPROVED", checked_at=NOW)

    assert copying.drop_templates([copy(make_meta())], now=NOW + DAY) == 0


def test_a_key_that_twilio_does_not_list_is_revoked(copy, make_twilio, stand_in, heard):
    kept = make_twilio("standard_key", label="kept")
    gone = make_twilio("standard_key", label="gone", key_id=f"SK{'0' * 32}", secret="gone-revoked")
    elsewhere = make_twilio("standard_key", label="elsewhere", key_id=f"SK{'1' * 32}", account=f"AC{'1' * 32}")
    stand_in.keys[KEY] = "kept"
    token = make_twilio()

    assert copy(token).revoked == 1
    assert copy(token).revoked == 0

    for each in (kept, gone, elsewhere):
        each.refresh_from_db()
    assert (kept.status, elsewhere.status) == ("valid", "valid")
    assert (gone.status, gone.why, gone.invalid_since) == ("invalid", "it was revoked at the provider", NOW)
    assert heard.names == ["refused"]


def test_a_key_that_is_not_listed_but_works_is_left_alone(copy, make_twilio, heard):
    """The list may lack keys that it does not show to everybody; what works is not given up for it."""
    key = make_twilio("main_key", label="key")

    assert copy(make_twilio()).revoked == 0

    key.refresh_from_db()
    assert (key.status, heard.names) == ("valid", [])


def test_a_key_that_is_not_listed_is_left_alone_while_it_cannot_be_asked_for(copy, make_twilio, stand_in):
    key = make_twilio("standard_key", label="key", secret="gone-revoked")
    token = make_twilio()
    stand_in.always("twilio.list", twilio_error(20503, status=503))

    assert copy(token).revoked == 0

    key.refresh_from_db()
    assert key.status == "valid"


@pytest.mark.parametrize("reply", [twilio_error(20429, status=429), twilio_error(20003, status=401), Reply(how="cut")])
def test_no_key_is_revoked_when_the_list_cannot_be_read(copy, make_twilio, stand_in, reply):
    make_twilio("standard_key", label="key")
    stand_in.always("twilio.keys", reply)

    assert copy(make_twilio()).not_answered
    assert not Credential.objects.filter(status="invalid").exists()


def test_the_status_of_the_account_is_copied_to_all_of_it(copy, make_twilio, stand_in):
    stand_in.keys[KEY] = "listed"
    key, token = make_twilio("standard_key", label="key"), make_twilio()

    copy(token)

    assert set(Credential.objects.values_list("account_status", flat=True)) == {"active"}
    assert key.account == ACCOUNT


def test_only_what_may_read_is_asked(make_twilio, make_meta):
    token, meta = make_twilio(), make_meta()
    make_twilio("standard_key", label="key")
    make_meta(in_use=False)
    make_meta(status="invalid", invalid_since=NOW)

    assert set(copying.sources()) == {token, meta}
    assert not Sender.objects.exists()
