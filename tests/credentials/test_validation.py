"""What is recorded when a provider is asked about a credential, and when it does not answer."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.db import transaction

from external_apis.clients import InTransaction
from external_apis.connections import Connections
from external_apis.models import Credential
from external_apis.validation import summary, validate
from local.provider import Reply
from tests.credentials.conftest import (
    DAY,
    NOTICE,
    NOW,
    NUMBER_ID,
    OUTAGES,
    SECOND,
    TOKEN,
    meta_error,
    provider_settings,
    twilio_error,
)


@pytest.fixture
def check(connections):
    def check(credential, now=NOW):
        checked = validate(credential, connections=connections, now=now)
        credential.refresh_from_db()
        return checked

    return check


def in_seconds(moment):
    return int(moment.timestamp())


def test_a_token_that_never_expires_is_valid(check, make_meta):
    credential = make_meta(status="unchecked", expires_at=NOW)

    assert check(credential).status == "valid"

    assert (credential.status, credential.why, credential.expires_at) == ("valid", "", None)
    assert (credential.checked_at, credential.invalid_since) == (NOW, None)
    assert credential.scopes == ["whatsapp_business_management", "whatsapp_business_messaging"]


def test_two_weeks_before_its_expiry_a_token_is_valid(check, make_meta, stand_in):
    credential = make_meta()
    stand_in.tokens[TOKEN] = {"expires_at": in_seconds(NOW + NOTICE)}

    assert check(credential).status == "valid"
    assert credential.expires_at == NOW + NOTICE


def test_less_than_two_weeks_before_its_expiry_it_is_expiring(check, make_meta, stand_in):
    credential = make_meta()
    stand_in.tokens[TOKEN] = {"expires_at": in_seconds(NOW + NOTICE - SECOND)}

    assert check(credential).status == "expiring"
    assert credential.why == "it expires soon; renew it"
    assert Credential.objects.usable().contains(credential)


def test_a_dead_token_is_invalid_and_says_why(check, make_meta, stand_in, heard):
    credential = make_meta()
    error = {"code": 190, "subcode": 463, "message": f"Session of {TOKEN} has expired"}
    stand_in.tokens[TOKEN] = {"is_valid": False, "expires_at": in_seconds(NOW - DAY), "error": error}

    check(credential)

    assert (credential.status, credential.invalid_since, credential.checked_at) == ("invalid", NOW, NOW)
    assert "has expired" in credential.why
    assert TOKEN not in credential.why
    assert heard.names == ["refused"]
    assert heard.told[0]["credential"] == credential
    assert (heard.told[0]["why"], heard.told[0]["now"]) == (credential.why, NOW)


def test_a_token_that_is_refused_at_its_number_is_invalid(check, make_meta, stand_in):
    credential = make_meta()
    stand_in.script("meta.phone_number", meta_error(190, error_subcode=460, status=401))

    check(credential)

    assert credential.status == "invalid"


@pytest.mark.parametrize(
    ("scopes", "lacking", "sends"),
    [
        (["whatsapp_business_management"], "whatsapp_business_messaging, to send", False),
        (["whatsapp_business_messaging"], "whatsapp_business_management, to read", True),
    ],
)
def test_a_token_without_a_right_is_insufficient_and_the_right_is_named(
    check, make_meta, stand_in, heard, scopes, lacking, sends
):
    credential = make_meta()
    stand_in.tokens[TOKEN] = {"scopes": scopes}

    check(credential)

    assert (credential.status, credential.invalid_since) == ("insufficient", None)
    assert lacking in credential.why
    assert Credential.objects.usable().contains(credential) is sends
    assert heard.names == ["refused"]


def test_a_number_that_may_not_be_read_names_the_missing_right(check, make_meta, stand_in):
    credential = make_meta()
    stand_in.script("meta.phone_number", meta_error(200, status=403))

    check(credential)

    assert credential.status == "insufficient"
    assert "whatsapp_business_management" in credential.why


def test_a_number_that_does_not_exist_makes_it_insufficient(check, make_meta, stand_in):
    credential = make_meta()
    stand_in.script("meta.phone_number", meta_error(100, error_subcode=33))

    check(credential)

    assert credential.status == "insufficient"
    assert "phone number id" in credential.why


@pytest.mark.parametrize("place", ["meta.debug_token", "meta.phone_number"])
@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_of_meta_changes_nothing(check, make_meta, stand_in, heard, place, outage):
    credential = make_meta(status="expiring", why="soon", expires_at=NOW + 30 * DAY, checked_at=NOW - DAY)
    stand_in.always(place, OUTAGES[outage])

    checked = check(credential)

    assert checked.not_answered
    assert (credential.status, credential.why, credential.checked_at) == ("expiring", "soon", NOW - DAY)
    assert heard.names == []
    assert summary([checked])["notAnswered"] == 1
    assert summary([checked])["reasons"] == {credential.label: checked.not_answered}


def test_an_outage_does_not_end_a_refusal_either(check, make_meta, stand_in, heard):
    credential = make_meta(status="invalid", invalid_since=NOW - DAY)
    stand_in.always("meta.debug_token", OUTAGES["in trouble"])

    check(credential)

    assert (credential.status, credential.invalid_since, heard.names) == ("invalid", NOW - DAY, [])


def test_a_refused_app_says_nothing_about_the_token(check, make_meta, stand_in):
    credential = make_meta()
    stand_in.always("meta.debug_token", meta_error(190, "Invalid OAuth access token signature", status=401))

    assert "META_APP_SECRET" in check(credential).not_answered
    assert credential.status == "valid"


def test_without_an_app_a_token_asks_for_itself(make_meta, stand_in):
    credential = make_meta()
    stand_in.always("meta.debug_token", meta_error(190, status=401))

    with Connections(provider_settings(stand_in, META_APP_ID="", META_APP_SECRET="")) as connections:
        validate(credential, connections=connections, now=NOW)

    credential.refresh_from_db()
    assert credential.status == "invalid"


@pytest.mark.parametrize("code", [3, 10, 200, 299])
def test_a_token_that_may_not_ask_for_itself_is_not_thought_dead(make_meta, stand_in, code):
    credential = make_meta()
    stand_in.always("meta.debug_token", meta_error(code, status=403))

    with Connections(provider_settings(stand_in, META_APP_ID="", META_APP_SECRET="")) as connections:
        checked = validate(credential, connections=connections, now=NOW)

    credential.refresh_from_db()
    assert (credential.status, checked.status) == ("valid", "")
    assert "META_APP_ID" in checked.not_answered


@pytest.mark.parametrize("kind", ["auth_token", "main_key", "standard_key", "restricted_key"])
def test_a_credential_of_twilio_that_may_list_messages_is_valid(check, make_twilio, stand_in, kind):
    credential = make_twilio(kind, status="unchecked")

    assert check(credential).status == "valid"

    assert credential.checked_at == NOW
    assert bool(stand_in.calls_to("twilio.account")) is (kind in ("auth_token", "main_key"))
    assert stand_in.calls_to("twilio.list")[0].query == {"PageSize": "1"}


def test_one_that_twilio_refuses_is_invalid(check, make_twilio, stand_in, heard):
    credential = make_twilio()
    stand_in.always("twilio.list", twilio_error(20003, "Authenticate", 401))

    check(credential)

    assert (credential.status, credential.invalid_since) == ("invalid", NOW)
    assert heard.names == ["refused"]


def test_a_main_key_that_proves_to_be_a_standard_one_is_valid_all_the_same(check, make_twilio, stand_in):
    credential = make_twilio("main_key")
    stand_in.always("twilio.account", twilio_error(20003, "Authenticate", 401))

    assert check(credential).status == "valid"


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_an_account_that_is_not_active_makes_its_token_invalid(check, make_twilio, stand_in, status):
    credential = make_twilio()
    stand_in.always("twilio.account", Reply(body={"sid": credential.account, "status": status}))

    check(credential)

    assert (credential.status, credential.account_status) == ("invalid", status)
    assert status in credential.why


@pytest.mark.parametrize("place", ["twilio.list", "twilio.account"])
@pytest.mark.parametrize(
    "outage", [twilio_error(20429, status=429), twilio_error(20500, status=500), Reply(how="reset"), Reply(status=503)]
)
def test_an_outage_of_twilio_changes_nothing(check, make_twilio, stand_in, heard, place, outage):
    credential = make_twilio(checked_at=NOW - DAY)
    stand_in.always(place, outage)

    assert check(credential).not_answered
    assert (credential.status, credential.checked_at, heard.names) == ("valid", NOW - DAY, [])


def test_a_code_that_nobody_knows_changes_nothing(check, make_twilio, stand_in):
    credential = make_twilio()
    stand_in.always("twilio.list", twilio_error(29999))

    assert "29999" in check(credential).not_answered
    assert credential.status == "valid"


def test_nothing_at_twilio_expires_by_itself(check, make_twilio):
    credential = make_twilio(expires_at=NOW - DAY)

    assert check(credential).status == "valid"
    assert not Credential.objects.expired(NOW).exists()


def test_a_secret_that_no_key_opens_is_not_asked_about(check, make_meta, stand_in, settings):
    credential = make_meta()
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    assert "CREDENTIAL_KEYS lacks the key" in check(credential).not_answered
    assert (credential.status, stand_in.calls) == ("valid", [])


def test_no_provider_is_asked_inside_a_transaction(connections, make_meta):
    credential = make_meta()

    with transaction.atomic(), pytest.raises(InTransaction):
        validate(credential, connections=connections, now=NOW)


def test_the_number_of_the_account_is_read(check, make_meta, stand_in):
    check(make_meta())

    assert stand_in.calls_to("meta.phone_number")[0].path.endswith(f"/{NUMBER_ID}")


def test_the_result_counts_states(check, make_meta, make_twilio, stand_in):
    stand_in.tokens["EAAexpiring"] = {"expires_at": in_seconds(NOW + DAY)}
    checked = [check(make_meta()), check(make_meta(secret="EAAexpiring", label="mine")), check(make_twilio())]

    result = summary(checked)

    assert result["reasons"] == {"mine": "it expires soon; renew it"}
    assert {name: count for name, count in result.items() if name != "reasons"} == {
        "checked": 3,
        "valid": 2,
        "expiring": 1,
        "invalid": 0,
        "insufficient": 0,
        "notAnswered": 0,
        "resumedSenders": 0,
    }


def test_an_answer_from_the_past_is_not_recorded(check, make_meta, stand_in):
    credential = make_meta(checked_at=NOW)
    stand_in.tokens[TOKEN] = {"is_valid": False, "error": {"code": 190, "message": "dead"}}

    assert check(credential, now=NOW - timedelta(minutes=1)).not_answered
    assert credential.status == "valid"
