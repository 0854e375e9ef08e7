"""Signatures, against vectors that were computed elsewhere: Twilio's documentation, and openssl."""

from urllib.parse import parse_qs

import pytest

from external_apis.webhooks.signatures import is_from_meta, is_from_twilio

META_BODY = b'{"object":"whatsapp_business_account","entry":[]}'
META_SIGNATURE = "sha256=d3e4f9da0ce6c71ab3dba55929b8eeeee2455349e534924ead19f98d143e904f"

TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
TWILIO_FORM = {
    "CallSid": ["CA1234567890ABCDE"],
    "Caller": ["+12349013030"],
    "Digits": ["1234"],
    "From": ["+12349013030"],
    "To": ["+18005551212"],
}
TWILIO_SIGNATURE = "0/KCTR6DLpKmkAf8muzZqo1nDgQ="

OWN_URL = "https://cron.example.com/webhooks/twilio?reference=3f2b"
OWN_FORM = "MessageSid=SM1&From=%2B40712345678&To=%2B40700000000&Tag=b&Tag=a&Tag=b&Body=Salut%2C+ce+faci%3F&NumMedia=0"
OWN_SIGNATURE = "5TFfsdSLl3c1CbgYmqUBcUh6PV4="


def test_metas_signature_of_a_body_is_accepted():
    assert is_from_meta(META_BODY, META_SIGNATURE, app_secret="app-secret")


@pytest.mark.parametrize("at", range(0, len(META_BODY), 7))
def test_a_body_with_one_byte_changed_is_refused(at):
    changed = META_BODY[:at] + bytes([META_BODY[at] ^ 1]) + META_BODY[at + 1 :]

    assert not is_from_meta(changed, META_SIGNATURE, app_secret="app-secret")


@pytest.mark.parametrize("signature", ["", "sha256=", META_SIGNATURE[7:], META_SIGNATURE.upper(), "sha256=ţ", "\udc80"])
def test_what_is_no_signature_of_metas_is_refused(signature):
    assert not is_from_meta(META_BODY, signature, app_secret="app-secret")


def test_the_signature_of_another_app_is_refused():
    assert not is_from_meta(META_BODY, META_SIGNATURE, app_secret="app-secreT")


def test_twilios_own_example_is_accepted():
    assert is_from_twilio(TWILIO_URL, TWILIO_FORM, TWILIO_SIGNATURE, tokens=["12345"])


def test_a_name_that_comes_several_times_counts_each_of_its_values_once_and_sorted():
    form = parse_qs(OWN_FORM, keep_blank_values=True)

    assert form["Tag"] == ["b", "a", "b"]
    assert is_from_twilio(OWN_URL, form, OWN_SIGNATURE, tokens=["auth-token"])


def test_any_of_several_tokens_will_do():
    assert is_from_twilio(TWILIO_URL, TWILIO_FORM, TWILIO_SIGNATURE, tokens=["new", "12345"])
    assert not is_from_twilio(TWILIO_URL, TWILIO_FORM, TWILIO_SIGNATURE, tokens=["new", "1234"])
    assert not is_from_twilio(TWILIO_URL, TWILIO_FORM, TWILIO_SIGNATURE, tokens=[])


@pytest.mark.parametrize("signature", ["", TWILIO_SIGNATURE[:-1], TWILIO_SIGNATURE.lower(), "ţ", "\udc80"])
def test_what_is_no_signature_of_twilios_is_refused(signature):
    assert not is_from_twilio(TWILIO_URL, TWILIO_FORM, signature, tokens=["12345"])


@pytest.mark.parametrize(
    "form",
    [
        {**TWILIO_FORM, "Digits": ["1235"]},
        {**TWILIO_FORM, "More": [""]},
        {name: values for name, values in TWILIO_FORM.items() if name != "Digits"},
    ],
)
def test_a_form_that_was_changed_is_refused(form):
    assert not is_from_twilio(TWILIO_URL, form, TWILIO_SIGNATURE, tokens=["12345"])


def test_an_address_that_was_changed_is_refused():
    assert not is_from_twilio(TWILIO_URL.replace("bar=2", "bar=3"), TWILIO_FORM, TWILIO_SIGNATURE, tokens=["12345"])


# Signed with openssl over https://mycompany.com:443/… and https://mycompany.com:8443/…
@pytest.mark.parametrize(
    ("called", "signature"),
    [
        ("https://mycompany.com:443/myapp.php?foo=1&bar=2", TWILIO_SIGNATURE),
        ("https://mycompany.com:8443/myapp.php?foo=1&bar=2", TWILIO_SIGNATURE),
        (TWILIO_URL, "EpDEmp1PyjDYp77YxYU3GILBWzE="),
        ("https://mycompany.com:8443/myapp.php?foo=1&bar=2", "SffuNP6bC3hHFCUbsco6GyaPyas="),
    ],
)
def test_it_does_not_matter_whether_twilio_signs_the_port(called, signature):
    assert is_from_twilio(called, TWILIO_FORM, signature, tokens=["12345"])


def test_the_port_of_another_address_does_matter():
    assert not is_from_twilio(TWILIO_URL, TWILIO_FORM, "SffuNP6bC3hHFCUbsco6GyaPyas=", tokens=["12345"])
