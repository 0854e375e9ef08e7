"""What is configured is taken over, but never at the cost of what works."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from config import sources
from external_apis import replacing, sync
from external_apis.models import Credential, Sender
from tests.credentials.conftest import (
    ACCOUNT,
    DAY,
    KEY,
    NOW,
    NUMBER_ID,
    OUTAGES,
    TOKEN,
    WABA_ID,
    twilio_error,
)

META = {"META_ACCESS_TOKEN": TOKEN, "META_PHONE_NUMBER_ID": NUMBER_ID, "META_WABA_ID": WABA_ID}
TWILIO = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": "f" * 32, "TWILIO_FROM": "+40712345678"}
KEYED = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_API_KEY_SID": KEY, "TWILIO_API_KEY_SECRET": "e" * 32}
DEAD = {"is_valid": False, "error": {"code": 190, "message": "dead"}}
NEW = "EAAGcanaryNewTokenOfMeta0123"


@pytest.fixture
def synchronise(connections):
    """Takes over what these variables configure; returns what was done with each credential."""

    def synchronise(given, now=NOW):
        wanted = sources.read(given)
        taken = [sync.take_over(each, connections=connections, now=now) for each in wanted]
        sync.drop_senders(wanted)
        sync.put_aside(sync.no_longer_configured(wanted), now=now)
        return taken

    return synchronise


def did(taken):
    return [each.did for each in taken]


def in_use():
    return [each.secret.reveal() for each in Credential.objects.in_use().order_by("pk")]


def test_what_is_configured_is_checked_and_put_to_use(synchronise):
    (taken,) = synchronise(META)

    credential = Credential.objects.get()
    assert (taken.did, taken.senders, taken.why) == ("created", 1, "")
    assert (credential.source, credential.status, credential.in_use) == ("settings", "valid", True)
    assert (credential.account, credential.business_account) == (NUMBER_ID, WABA_ID)
    assert credential.secret.reveal() == TOKEN
    sender = Sender.objects.get()
    assert (sender.provider, sender.channel, sender.address) == ("meta", "whatsapp", NUMBER_ID)
    assert (sender.credential, sender.in_use) == (credential, True)


def test_twilio_gets_a_sender_for_each_channel(synchronise):
    synchronise({**TWILIO, "TWILIO_WHATSAPP_FROM": "+40712345679"})

    senders = Sender.objects.order_by("channel").values_list("provider", "channel", "address")
    assert list(senders) == [("twilio", "sms", "+40712345678"), ("twilio", "whatsapp", "+40712345679")]


def test_a_second_time_nothing_is_changed_or_asked(synchronise, stand_in, heard):
    synchronise({**META, **TWILIO})
    before = list(Credential.objects.values()), list(Sender.objects.values())
    stand_in.calls.clear()

    assert did(synchronise({**META, **TWILIO}, NOW + DAY)) == ["unchanged", "unchanged"]

    assert before == (list(Credential.objects.values()), list(Sender.objects.values()))
    assert (stand_in.calls, heard.names) == ([], [])


def test_a_new_secret_that_passes_takes_the_place_of_the_old(synchronise, heard):
    synchronise(META)
    old = Credential.objects.get()

    assert did(synchronise({**META, "META_ACCESS_TOKEN": NEW}, NOW + DAY)) == ["swapped"]

    old.refresh_from_db()
    new = Credential.objects.in_use().get()
    assert (new.secret.reveal(), new.label, new.status) == (NEW, "Meta access token (settings)", "valid")
    assert (old.in_use, old.secret.reveal(), old.status) == (False, TOKEN, "valid")
    assert old.label.startswith("Meta access token (settings), until 2026-06-16 04:00")
    assert Sender.objects.get().credential == new
    assert heard.names == []


def test_a_new_secret_that_is_refused_leaves_the_old_one_in_use(synchronise, stand_in):
    synchronise(META)
    stand_in.tokens[NEW] = {**DEAD, "error": {"code": 190, "message": f"Malformed access token {NEW}"}}

    (taken,) = synchronise({**META, "META_ACCESS_TOKEN": NEW})

    assert taken.did == "kept"
    assert "refused" in taken.why
    assert NEW not in taken.why
    assert in_use() == [TOKEN]
    assert Sender.objects.usable().count() == 1


@pytest.mark.parametrize("scopes", [["whatsapp_business_management"], ["whatsapp_business_messaging"]])
def test_a_new_secret_that_lacks_a_right_does_not_pass(synchronise, stand_in, scopes):
    synchronise(META)
    stand_in.tokens[NEW] = {"scopes": scopes}

    assert did(synchronise({**META, "META_ACCESS_TOKEN": NEW})) == ["kept"]
    assert in_use() == [TOKEN]


@pytest.mark.parametrize("outage", OUTAGES)
def test_in_an_outage_the_earlier_one_stays_and_the_sync_says_so(synchronise, stand_in, outage):
    synchronise(META)
    stand_in.always("meta.debug_token", OUTAGES[outage])

    (taken,) = synchronise({**META, "META_ACCESS_TOKEN": NEW})

    assert taken.did == "kept"
    assert "not checked" in taken.why
    assert in_use() == [TOKEN]
    stand_in.always("meta.debug_token", None)
    assert did(synchronise({**META, "META_ACCESS_TOKEN": NEW})) == ["swapped"]


@pytest.mark.parametrize("outage", OUTAGES)
def test_in_an_outage_a_first_one_is_stored_unchecked_and_in_use(synchronise, stand_in, outage):
    stand_in.always("meta.debug_token", OUTAGES[outage])

    (taken,) = synchronise(META)

    credential = Credential.objects.get()
    assert (taken.did, credential.status, credential.in_use) == ("created", "unchecked", True)
    assert taken.why
    assert Sender.objects.usable().count() == 1
    stand_in.always("meta.debug_token", None)
    assert did(synchronise(META)) == ["unchanged"]
    credential.refresh_from_db()
    assert credential.status == "valid"


def test_a_first_one_that_is_refused_is_stored_and_announced(synchronise, stand_in, heard):
    stand_in.tokens[TOKEN] = DEAD

    (taken,) = synchronise(META)

    assert (taken.did, Credential.objects.get().status, heard.names) == ("created", "invalid", ["refused"])
    assert not Sender.objects.usable().exists()


def test_a_refused_one_in_use_gives_way_to_one_that_passes(synchronise, stand_in, heard):
    stand_in.tokens[TOKEN] = DEAD
    synchronise(META)

    assert did(synchronise({**META, "META_ACCESS_TOKEN": NEW})) == ["swapped"]
    assert heard.names == ["refused", "retired"]
    assert Sender.objects.usable().count() == 1


def test_another_number_is_checked_like_another_secret(synchronise, stand_in):
    synchronise(META)
    stand_in.script("meta.phone_number", OUTAGES["in trouble"])
    other = {**META, "META_PHONE_NUMBER_ID": "1060000000009"}

    assert did(synchronise(other)) == ["kept"]
    assert Sender.objects.get(in_use=True).address == NUMBER_ID

    assert did(synchronise(other)) == ["swapped"]
    assert Sender.objects.get(in_use=True).address == "1060000000009"
    assert Sender.objects.count() == 2


def test_another_business_account_is_noted_at_once(synchronise):
    synchronise(META)
    synchronise({**META, "META_WABA_ID": "2060000000009"})

    assert Credential.objects.get().business_account == "2060000000009"


def test_senders_that_are_no_longer_configured_are_not_in_use(synchronise):
    synchronise(TWILIO)
    synchronise({**TWILIO, "TWILIO_FROM": "+40712345670"})

    assert Sender.objects.get(in_use=True).address == "+40712345670"
    synchronise(TWILIO)
    assert Sender.objects.get(in_use=True).address == "+40712345678"


def test_what_is_no_longer_configured_is_kept_out_of_use(synchronise):
    synchronise({**META, **TWILIO})
    synchronise(TWILIO)

    meta = Credential.objects.get(provider="meta")
    assert (meta.in_use, meta.secret.reveal()) == (False, TOKEN)
    assert not Sender.objects.filter(provider="meta", in_use=True).exists()
    assert Credential.objects.get(provider="twilio").in_use


def test_what_a_person_entered_is_left_alone(synchronise, make_meta, make_sender):
    own = make_sender(make_meta(secret="EAAown", label="own"), address="1060000000005")

    synchronise(META)
    synchronise({})

    own.refresh_from_db()
    own.credential.refresh_from_db()
    assert own.in_use
    assert own.credential.in_use


def test_a_label_that_a_person_has_taken_is_no_obstacle(synchronise, make_meta):
    make_meta(label="Meta access token (settings)")

    assert did(synchronise(META)) == ["created"]
    assert Credential.objects.get(source="settings").label == "Meta access token (settings) (new)"


def test_the_kind_of_an_api_key_shows_in_what_it_may_read(synchronise, stand_in):
    synchronise(KEYED)
    assert Credential.objects.get().kind == "main_key"
    Credential.objects.all().delete()
    stand_in.always("twilio.account", twilio_error(20003, "Authenticate", 401))

    synchronise(KEYED)

    assert (Credential.objects.get().kind, Credential.objects.get().status) == ("standard_key", "valid")


def test_a_key_takes_over_the_senders_of_an_auth_token(synchronise):
    synchronise(TWILIO)
    synchronise({**TWILIO, **KEYED})

    assert Sender.objects.get().credential.key_id == KEY
    assert Credential.objects.in_use().count() == 2
    synchronise({**KEYED, "TWILIO_FROM": TWILIO["TWILIO_FROM"]})
    assert Credential.objects.in_use().get().key_id == KEY


def test_a_key_that_is_refused_takes_nothing_from_an_auth_token_that_works(synchronise, stand_in):
    synchronise(TWILIO)
    stand_in.script("twilio.list", twilio_error(20003, "Authenticate", 401))

    synchronise({**KEYED, "TWILIO_FROM": TWILIO["TWILIO_FROM"]})

    assert Sender.objects.usable().get().credential.kind == "auth_token"


def test_a_secret_that_no_key_opens_any_more_is_stored_anew(synchronise, settings):
    synchronise(META)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    assert did(synchronise(META)) == ["swapped"]
    assert Credential.objects.in_use().get().secret.reveal() == TOKEN


def test_of_two_syncs_at_once_one_stores(connections):
    (wanted,) = sources.read(META)

    def take_over(_):
        try:
            return sync.take_over(wanted, connections=connections, now=NOW).did
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(take_over, range(2)))

    assert "created" in done
    assert Credential.objects.in_use().count() == 1


def test_one_that_was_changed_since_it_was_read_is_not_replaced(synchronise, connections):
    synchronise(META)
    read = Credential.objects.get()
    Credential.objects.update(secret="EAAother")
    (wanted,) = sources.read({**META, "META_ACCESS_TOKEN": NEW})
    verdict, _ = sync._checked(new := sync._built(wanted), connections=connections, now=NOW)

    assert not replacing.swap(read, new, verdict, now=NOW)
    assert in_use() == ["EAAother"]


def test_a_secret_shows_in_no_representation():
    (wanted,) = sources.read(META)

    assert TOKEN not in f"{wanted!r} {replace(wanted, label='x')} {wanted.fingerprint}"
