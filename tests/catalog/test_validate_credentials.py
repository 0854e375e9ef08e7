from datetime import UTC, datetime, timedelta

import pytest

from external_apis.models import Credential
from local.provider import Reply

NOW = datetime(2026, 6, 15, 1, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NOTICE = timedelta(days=14)


@pytest.fixture
def validate(run_job, configure):
    return lambda **how: run_job("validate-credentials", now=NOW, **how).result


@pytest.fixture
def make_token(make_credential, stand_in):
    """A Meta token of which the provider says these things."""

    def make(**told):
        secret = "EAAtoken"
        expires_at = told.pop("expires_at", None)
        stand_in.tokens[secret] = {"expires_at": int(expires_at.timestamp()) if expires_at else 0, **told}
        return make_credential(secret=secret, status="unchecked")

    return make


def test_it_records_what_the_provider_says(validate, make_token):
    token = make_token(scopes=["whatsapp_business_messaging", "whatsapp_business_management"])

    result = validate()

    assert (result["checked"], result["valid"], result["notAnswered"]) == (1, 1, 0)
    token.refresh_from_db()
    assert (token.status, token.expires_at, token.checked_at) == ("valid", None, NOW)
    assert token.scopes == ["whatsapp_business_messaging", "whatsapp_business_management"]


@pytest.mark.parametrize(
    ("left", "status"), [(NOTICE, "valid"), (NOTICE - SECOND, "expiring"), (SECOND, "expiring"), (-SECOND, "invalid")]
)
def test_how_long_it_still_lasts_decides(validate, make_token, left, status):
    token = make_token(expires_at=NOW + left, is_valid=left > timedelta())

    validate()

    token.refresh_from_db()
    assert token.status == status


def test_a_missing_right_is_named(validate, make_token):
    token = make_token(scopes=["whatsapp_business_management"])

    assert validate()["insufficient"] == 1
    token.refresh_from_db()
    assert "whatsapp_business_messaging" in token.why


def test_a_dead_token_is_invalid_with_the_reason(validate, make_token):
    token = make_token(is_valid=False, error={"code": 190, "message": "The session was invalidated"})

    result = validate()

    assert result["invalid"] == 1
    assert "invalidated" in result["reasons"][token.label]
    token.refresh_from_db()
    assert (token.status, token.invalid_since) == ("invalid", NOW)


def test_twilio_is_asked_for_messages_and_with_an_auth_token_for_the_account(validate, make_credential, stand_in):
    make_credential(provider="twilio", kind="auth_token", account="AC1", secret="good", status="unchecked")
    make_credential(provider="twilio", kind="standard_key", account="AC1", key_id="SK1", secret="good2")
    make_credential(provider="twilio", kind="auth_token", account="AC2", secret="dead-revoked")

    result = validate()

    assert (result["valid"], result["invalid"]) == (2, 1)
    assert [call.path for call in stand_in.calls_to("twilio.account")] == ["/2010-04-01/Accounts/AC1.json"]


@pytest.mark.parametrize("reply", [Reply(status=500), Reply(status=429), Reply(how="reset"), Reply(body="garbage")])
def test_an_outage_changes_no_state(validate, make_credential, stand_in, reply):
    credential = make_credential(status="valid", secret="EAAtoken")
    stand_in.always("meta.debug_token", reply)

    result = validate()

    assert (result["checked"], result["notAnswered"]) == (0, 1)
    credential.refresh_from_db()
    assert (credential.status, credential.checked_at) == ("valid", None)


def test_in_an_outage_the_calendar_still_counts(validate, make_credential, stand_in):
    credential = make_credential(expires_at=NOW, secret="EAAtoken")
    stand_in.always("meta.debug_token", Reply(status=500))

    assert validate()["expired"] == 1
    credential.refresh_from_db()
    assert (credential.status, credential.invalid_since, credential.why) == ("invalid", NOW, Credential.EXPIRED)


def test_without_credentials_it_says_so(validate, db):
    result = validate()

    assert result["checked"] == 0
    assert "no credentials" in result["notConfigured"]


def test_a_second_time_nothing_changes(validate, make_token):
    make_token(expires_at=NOW + SECOND)
    first = validate()

    assert validate() == {**first, "markedExpiring": 0}


def test_a_dry_run_asks_nobody(validate, make_token, stand_in):
    make_token()

    validate(dry_run=True)

    assert stand_in.calls == []
