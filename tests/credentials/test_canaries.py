"""Whatever a provider says and however it fails, no secret leaves in a log, a result, an event or an exception."""

import logging

import pytest

from config import sources
from external_apis import copying, exchange, sync
from external_apis.models import Credential
from external_apis.validation import summary, validate
from local.provider import Reply
from tests.credentials.conftest import ACCOUNT, KEY, NOW, NUMBER_ID, TOKEN, WABA_ID, meta_error, twilio_error

AUTH, SECRET = "canaryAuthTokenOfTwilio012345678", "canarySecretOfAKey01234567890123"
CANARIES = (TOKEN, AUTH, SECRET, "canarySecretOfTheApp0123456789", "the-auth-token-in-the-account-body")
GIVEN = {
    "META_ACCESS_TOKEN": TOKEN,
    "META_PHONE_NUMBER_ID": NUMBER_ID,
    "META_WABA_ID": WABA_ID,
    "TWILIO_ACCOUNT_SID": ACCOUNT,
    "TWILIO_AUTH_TOKEN": AUTH,
    "TWILIO_API_KEY_SID": KEY,
    "TWILIO_API_KEY_SECRET": SECRET,
    "TWILIO_FROM": "+40712345678",
}
EVERYTHING = " ".join(CANARIES[:-1])
ANSWERS = {
    "all is well": (None, None),
    "errors that quote secrets": (meta_error(190, EVERYTHING, 401), twilio_error(20003, EVERYTHING, 401)),
    "refusals that quote secrets": (meta_error(100, EVERYTHING), twilio_error(20404, EVERYTHING, 404)),
    "outages that quote secrets": (meta_error(2, EVERYTHING, 503), twilio_error(20500, EVERYTHING, 500)),
    "nonsense": (Reply(body=EVERYTHING), Reply(body=EVERYTHING)),
    "silence": (Reply(how="reset"), Reply(how="reset")),
}
PLACES = {
    "meta": ("meta.debug_token", "meta.exchange", "meta.phone_number", "meta.phone_numbers", "meta.templates"),
    "twilio": ("twilio.list", "twilio.account", "twilio.keys"),
}


@pytest.mark.parametrize("answers", ANSWERS)
def test_no_secret_is_told_by_anything(connections, stand_in, heard, caplog, answers):
    caplog.set_level(logging.DEBUG)
    for provider, reply in zip(PLACES, ANSWERS[answers], strict=True):
        for place in PLACES[provider]:
            stand_in.always(place, reply)
    how = {"connections": connections, "now": NOW}

    taken = [sync.take_over(each, **how) for each in sources.read(GIVEN)]
    credentials = list(Credential.objects.all())
    checked = [validate(each, **how) for each in credentials]
    copied = [copying.copy(each, **how) for each in credentials]
    exchanged = exchange.exchange(Credential.objects.get(provider="meta", in_use=True), **how)

    stored = list(Credential.objects.values_list("why", "label", "fingerprint", "account_status"))
    told = f"{taken} {checked} {summary(checked)} {copied} {exchanged} {heard.told} {stored} {credentials}"
    for canary in CANARIES:
        assert canary not in told
        assert canary not in caplog.text
