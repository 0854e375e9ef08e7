from datetime import UTC, datetime, timedelta

import pytest

from config import sources
from external_apis.models import Credential, Sender, Template
from local.provider import Reply

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
NOTICE = timedelta(days=14)
SECOND = timedelta(seconds=1)
META = {"META_ACCESS_TOKEN": "EAAfirst", "META_PHONE_NUMBER_ID": "1001", "META_WABA_ID": "2001"}
TWILIO = {"TWILIO_ACCOUNT_SID": "ACdemo", "TWILIO_AUTH_TOKEN": "anauthtoken", "TWILIO_FROM": "+40310000000"}


@pytest.fixture
def sync(run_job, configure, settings):
    """Runs the job with these variables set."""

    def sync(given=None, **how):
        settings.CREDENTIAL_SOURCE = sources.reader(given or {})
        return run_job("sync-credentials", now=NOW, **how).result

    return sync


def test_it_brings_in_what_is_configured_with_its_senders(sync, db):
    result = sync({**META, **TWILIO})

    assert set(result["credentials"].values()) == {"created"}
    assert list(Sender.objects.order_by("channel").values_list("channel", "address")) == [
        ("sms", "+40310000000"),
        ("whatsapp", "1001"),
    ]
    assert Credential.objects.usable().count() == 2
    assert Template.objects.count() == 2


def test_a_second_time_there_is_nothing_left_to_do(sync, db):
    sync({**META, **TWILIO})

    assert set(sync({**META, **TWILIO})["credentials"].values()) == {"unchanged"}
    assert Credential.objects.count() == 2


def test_a_new_secret_is_put_to_use_once_the_provider_accepts_it(sync, db):
    sync(META)

    assert list(sync({**META, "META_ACCESS_TOKEN": "EAAsecond"})["credentials"].values()) == ["swapped"]
    [in_use] = Credential.objects.in_use()
    assert in_use.secret.reveal() == "EAAsecond"
    assert Sender.objects.get().credential == in_use


def test_a_secret_that_the_provider_refuses_never_replaces_one_that_works(sync, db):
    sync(META)

    result = sync({**META, "META_ACCESS_TOKEN": "EAAsecond-revoked"})

    assert list(result["credentials"].values()) == ["kept"]
    assert "refused" in next(iter(result["reasons"].values()))
    assert Credential.objects.in_use().get().secret.reveal() == "EAAfirst"


def test_a_token_that_expires_within_two_weeks_is_exchanged(sync, db, stand_in):
    stand_in.clock = lambda: NOW
    soon, late = ({"expires_at": int((NOW + left).timestamp())} for left in (NOTICE - SECOND, NOTICE))
    stand_in.tokens |= {"EAAsoon": soon, "EAAlate": late}

    assert sync({**META, "META_ACCESS_TOKEN": "EAAlate"})["exchanged"] == 0
    assert sync({**META, "META_ACCESS_TOKEN": "EAAsoon"})["exchanged"] == 1
    assert Credential.objects.in_use().get().secret.reveal() not in ("EAAsoon", "EAAlate")


def test_an_exchange_that_fails_leaves_the_old_token_in_use(sync, db, stand_in):
    stand_in.tokens["EAAsoon"] = {"expires_at": int((NOW + SECOND).timestamp())}
    stand_in.always("meta.exchange", Reply(status=500))

    result = sync({**META, "META_ACCESS_TOKEN": "EAAsoon"})

    assert result["exchanged"] == 0
    assert result["notExchanged"]
    assert Credential.objects.in_use().get().secret.reveal() == "EAAsoon"


def test_half_a_configuration_fails_the_run_and_loses_nothing(run_job, configure, settings, make_credential):
    make_credential(in_use=True)
    settings.CREDENTIAL_SOURCE = sources.reader({"META_PHONE_NUMBER_ID": "1001"})

    run = run_job("sync-credentials", now=NOW)

    assert run.state == "failed"
    assert "META_ACCESS_TOKEN is missing" in run.error
    assert Credential.objects.in_use().count() == 1


def test_a_credential_whose_expiry_was_moved_on_is_to_be_checked_anew(sync, make_credential):
    credential = make_credential(status="expiring", why="it expires soon", expires_at=NOW + NOTICE)

    assert sync()["backInLine"] == 1
    credential.refresh_from_db()
    assert (credential.status, credential.why) == ("unchecked", "")


def test_one_that_its_provider_refused_stays_invalid(sync, make_credential):
    make_credential(status="invalid", why="it was revoked", invalid_since=NOW, expires_at=NOW + NOTICE)

    assert sync()["backInLine"] == 0


def test_without_anything_configured_or_entered_it_says_so(sync, db):
    assert "no credentials" in sync()["notConfigured"]


def test_a_dry_run_changes_nothing_and_asks_nobody(sync, db, stand_in):
    sync(META, dry_run=True)

    assert not Credential.objects.exists()
    assert stand_in.calls == []
