"""Which credentials go, which stay, and which ought to go but are in use."""

import pytest
from django.db import transaction

from external_apis import retention
from external_apis.models import Credential
from tests.credentials.conftest import DAY, NOW, SECOND

LIMIT = NOW - 7 * DAY


def clean():
    with transaction.atomic():
        return retention.delete(Credential.objects.unusable_before(LIMIT))


@pytest.mark.parametrize(("moment", "deleted"), [(LIMIT - SECOND, 1), (LIMIT, 0)])
def test_an_expired_token_of_meta_goes_after_the_grace(make_meta, moment, deleted):
    make_meta(expires_at=moment, in_use=False)

    assert clean() == deleted


@pytest.mark.parametrize(("moment", "deleted"), [(LIMIT - SECOND, 1), (LIMIT, 0)])
def test_an_invalid_one_goes_after_the_grace(make_meta, make_twilio, moment, deleted):
    make_meta(status="invalid", invalid_since=moment, in_use=False)
    make_twilio("standard_key", status="invalid", invalid_since=moment, in_use=False)

    assert clean() == 2 * deleted


def test_what_never_expires_stays_and_so_does_what_twilio_has_not_revoked(make_meta, make_twilio):
    make_meta(expires_at=None, in_use=False)
    make_twilio(expires_at=LIMIT - DAY, in_use=False)

    assert clean() == 0


def test_one_in_use_stays_and_is_announced_once_a_run(make_meta, heard):
    kept = make_meta(status="invalid", invalid_since=LIMIT - SECOND, label="kept")
    make_meta(status="invalid", invalid_since=LIMIT)

    assert clean() == 0
    assert retention.announce_kept(Credential.objects.gone_before(LIMIT), now=NOW) == ["kept"]

    assert heard.names == ["kept"]
    assert (heard.told[0]["credential"], heard.told[0]["why"]) == (kept, kept.why)


def test_one_that_a_sender_still_names_can_go(make_meta, make_sender):
    sender = make_sender(make_meta(status="invalid", invalid_since=LIMIT - SECOND, in_use=False))

    assert clean() == 1

    sender.refresh_from_db()
    assert sender.credential is None
