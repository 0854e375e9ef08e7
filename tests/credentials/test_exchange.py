"""Tokens that expire soon are exchanged, checked and swapped; whatever fails, the old one stays in use."""

from datetime import timedelta

import pytest
from django.db.models.signals import post_save

from config import sources
from external_apis import exchange, replacing, sync
from external_apis.connections import Connections
from external_apis.models import Credential
from local.provider import Reply
from tests.credentials.conftest import (
    DAY,
    NOTICE,
    NOW,
    NUMBER_ID,
    OUTAGES,
    SECOND,
    TOKEN,
    WABA_ID,
    meta_error,
    provider_settings,
)

SOON = NOW + DAY


@pytest.fixture
def expiring(make_meta, make_sender, stand_in):
    """A token in use that expires tomorrow, with a sender."""
    stand_in.tokens[TOKEN] = {"expires_at": int(SOON.timestamp())}
    credential = make_meta(status="expiring", why="soon", expires_at=SOON, business_account=WABA_ID, label="mine")
    make_sender(credential)
    return credential


@pytest.fixture
def renew(connections):
    return lambda credential, now=NOW: exchange.exchange(credential, connections=connections, now=now)


def test_a_token_that_expires_soon_is_exchanged_and_kept_out_of_use(expiring, renew):
    assert renew(expiring) == exchange.Exchanged(label="mine")

    new, old = Credential.objects.in_use().get(), Credential.objects.get(pk=expiring.pk)
    assert (new.label, new.status, new.account, new.business_account) == ("mine", "valid", NUMBER_ID, WABA_ID)
    assert new.expires_at == NOW + timedelta(days=60)
    assert (old.in_use, old.secret.reveal(), old.expires_at) == (False, TOKEN, SOON)
    assert "until 2026-06-15" in old.label
    assert new.senders.count() == 1
    assert new.secret.reveal() != TOKEN


def test_only_those_are_exchangeable_that_live_and_expire_within_two_weeks(make_meta, make_twilio):
    last = make_meta(expires_at=NOW + NOTICE - SECOND, label="just inside")
    first = make_meta(expires_at=NOW + SECOND, label="still alive")
    make_meta(expires_at=NOW + NOTICE)
    make_meta(expires_at=NOW)
    make_meta(expires_at=None)
    make_meta(expires_at=SOON, in_use=False)
    make_meta(expires_at=SOON, status="invalid", invalid_since=NOW)
    make_twilio(expires_at=SOON)

    assert set(Credential.objects.exchangeable(NOW, before=NOW + NOTICE)) == {first, last}


@pytest.mark.parametrize("place", ["meta.exchange", "meta.debug_token", "meta.phone_number"])
@pytest.mark.parametrize("outage", [*OUTAGES.values(), meta_error(190, f"Error with {TOKEN}", 401)])
def test_whatever_fails_the_old_one_stays_in_use(expiring, renew, stand_in, place, outage):
    before = list(Credential.objects.values())
    stand_in.always(place, outage)

    why_not = renew(expiring).why_not

    assert why_not
    assert TOKEN not in why_not
    assert list(Credential.objects.values()) == before


def test_a_new_token_that_is_dead_is_not_used(expiring, renew, stand_in):
    stand_in.tokens["EAAdead"] = {"is_valid": False, "error": {"code": 190, "message": "EAAdead is dead"}}
    stand_in.script("meta.exchange", Reply(body={"access_token": "EAAdead", "expires_in": 5_000_000}))

    why_not = renew(expiring).why_not

    assert "does not pass" in why_not
    assert "EAAdead" not in why_not
    assert Credential.objects.get() == expiring


def test_a_new_token_that_lasts_no_longer_is_not_used(expiring, renew, stand_in):
    stand_in.tokens["EAAshort"] = {"expires_at": int(SOON.timestamp())}
    stand_in.script("meta.exchange", Reply(body={"access_token": "EAAshort", "expires_in": 86_400}))

    assert "no longer" in renew(expiring).why_not
    assert Credential.objects.get() == expiring


def test_a_new_token_that_never_expires_is_used(expiring, renew, stand_in):
    stand_in.script("meta.exchange", Reply(body={"access_token": "EAAforever", "token_type": "bearer"}))

    assert not renew(expiring).why_not
    assert Credential.objects.in_use().get().expires_at is None


def test_a_process_that_dies_in_the_swap_leaves_the_old_one_in_use(expiring, renew):
    before = list(Credential.objects.values())

    class Killed(BaseException):
        pass

    def die(**_):
        raise Killed

    post_save.connect(die, sender=Credential)
    try:
        with pytest.raises(Killed):
            renew(expiring)
    finally:
        post_save.disconnect(die, sender=Credential)

    assert list(Credential.objects.values()) == before
    assert not renew(expiring).why_not


def test_one_that_was_replaced_meanwhile_is_not_replaced_again(expiring, renew):
    renew(expiring)
    expiring.secret = TOKEN

    assert "meanwhile" in renew(expiring).why_not
    assert Credential.objects.in_use().count() == 1


def test_without_an_app_nothing_can_be_exchanged_and_that_is_said(expiring, stand_in):
    with Connections(provider_settings(stand_in, META_APP_ID="")) as connections:
        assert "META_APP_ID" in exchange.exchange(expiring, connections=connections, now=NOW).why_not
    assert not stand_in.calls_to("meta.exchange")


def test_the_settings_may_go_on_holding_the_token_that_was_exchanged(connections, renew, stand_in):
    stand_in.tokens[TOKEN] = {"expires_at": int(SOON.timestamp())}
    (wanted,) = sources.read({"META_ACCESS_TOKEN": TOKEN, "META_PHONE_NUMBER_ID": NUMBER_ID})
    sync.take_over(wanted, connections=connections, now=NOW)
    assert not renew(Credential.objects.get()).why_not
    exchanged = Credential.objects.in_use().get()

    assert sync.take_over(wanted, connections=connections, now=NOW + 2 * DAY).did == "unchanged"

    assert Credential.objects.in_use().get() == exchanged
    assert replacing.in_place(exchanged) == exchanged
