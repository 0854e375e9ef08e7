"""Credentials from the environment and from a secrets directory, and what is refused."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import sources

SECRET = "canarySecret0123456789"
META = {"META_ACCESS_TOKEN": SECRET, "META_PHONE_NUMBER_ID": "106"}
SID, KEY, SERVICE = f"AC{'a' * 32}", f"SK{'b' * 32}", f"MG{'c' * 32}"
TWILIO = {"TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": SECRET}
KEYED = {"TWILIO_ACCOUNT_SID": SID, "TWILIO_API_KEY_SID": KEY, "TWILIO_API_KEY_SECRET": SECRET}


def refused(given: dict[str, str]) -> str:
    with pytest.raises(ImproperlyConfigured) as error:
        sources.read(given)
    assert SECRET not in str(error.value)
    return str(error.value)


def senders(given: dict[str, str]) -> list[list[tuple[str, str]]]:
    return [[(each.channel, each.address) for each in found.senders] for found in sources.read(given)]


def test_nothing_configured_is_nothing() -> None:
    assert sources.read({}) == []
    assert sources.read({"META_ACCESS_TOKEN": "", "TWILIO_FROM": ""}) == []


def test_a_token_of_meta_sends_from_its_number() -> None:
    (found,) = sources.read({**META, "META_WABA_ID": "206"})
    assert (found.provider, found.kind, found.account) == ("meta", "access_token", "106")
    assert (found.business_account, found.secret) == ("206", SECRET)
    assert senders(META) == [[("whatsapp", "106")]]
    assert SECRET not in repr(found)


def test_an_auth_token_sends_from_what_is_named() -> None:
    given = {**TWILIO, "TWILIO_FROM": "+40712345678", "TWILIO_WHATSAPP_FROM": "whatsapp:+40712345679"}
    assert senders(given) == [[("sms", "+40712345678"), ("whatsapp", "+40712345679")]]
    assert senders({**TWILIO, "TWILIO_MESSAGING_SERVICE_SID": SERVICE}) == [[("sms", SERVICE)]]


def test_beside_an_auth_token_the_api_key_sends() -> None:
    key, token = sources.read({**TWILIO, **KEYED, "TWILIO_FROM": "+40712345678"})
    assert (key.key_id, len(key.senders)) == (KEY, 1)
    assert (token.kind, token.key_id, token.senders) == ("auth_token", "", ())


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"META_ACCESS_TOKEN": SECRET}, "META_PHONE_NUMBER_ID"),
        ({"META_PHONE_NUMBER_ID": "106"}, "META_ACCESS_TOKEN"),
        ({"META_WABA_ID": "206"}, "META_ACCESS_TOKEN"),
        ({"TWILIO_ACCOUNT_SID": SID}, "TWILIO_AUTH_TOKEN or TWILIO_API_KEY_SID"),
        ({"TWILIO_ACCOUNT_SID": SID, "TWILIO_API_KEY_SID": KEY}, "TWILIO_API_KEY_SECRET"),
        ({"TWILIO_ACCOUNT_SID": SID, "TWILIO_API_KEY_SECRET": SECRET}, "TWILIO_API_KEY_SID"),
        ({"TWILIO_AUTH_TOKEN": SECRET}, "TWILIO_ACCOUNT_SID"),
        ({"TWILIO_FROM": "+40712345678"}, "TWILIO_ACCOUNT_SID"),
    ],
)
def test_half_a_configuration_names_what_is_missing(given: dict[str, str], missing: str) -> None:
    assert f"{missing} is missing" in refused(given)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("META_PHONE_NUMBER_ID", "+40712345678", "as Meta shows it"),
        ("META_PHONE_NUMBER_ID", "1/messages", "as Meta shows it"),
        ("TWILIO_ACCOUNT_SID", "SK12", "begins with AC"),
        ("TWILIO_FROM", "0712345678901", "+40712345678"),
        ("TWILIO_WHATSAPP_FROM", "Trattoria", "+40712345678"),
        ("TWILIO_MESSAGING_SERVICE_SID", SID, "MG"),
    ],
)
def test_nonsense_names_the_variable_and_what_is_allowed(name: str, value: str, allowed: str) -> None:
    assert name in refused({**META, **TWILIO, name: value})
    assert allowed in refused({**META, **TWILIO, name: value})


@pytest.mark.parametrize("sender", ["+40712345678", "12345", "Trattoria"])
def test_an_sms_may_leave_from_a_number_a_short_code_or_a_name(sender: str) -> None:
    assert senders({**TWILIO, "TWILIO_FROM": sender}) == [[("sms", sender)]]


def test_a_messaging_service_sends_in_place_of_a_single_number() -> None:
    both = {**TWILIO, "TWILIO_FROM": "+40712345678", "TWILIO_MESSAGING_SERVICE_SID": SERVICE}
    assert senders(both) == [[("sms", SERVICE)]]


@pytest.mark.parametrize("odd", [f"{SECRET} x", f"{SECRET}\nx", f"{SECRET}ă"])
def test_a_secret_that_no_header_can_hold_is_refused_unquoted(odd: str) -> None:
    assert refused({**META, "META_ACCESS_TOKEN": odd}).startswith("META_ACCESS_TOKEN holds")


def test_files_win_over_the_environment_and_lose_their_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "META_ACCESS_TOKEN").write_text("from-the-file\n")
    (found,) = sources.read({**META, "SECRETS_DIR": str(tmp_path)})
    assert (found.secret, found.account) == ("from-the-file", "106")


def test_what_changes_in_the_directory_is_read_anew(tmp_path: Path) -> None:
    read = sources.reader({**META, "SECRETS_DIR": str(tmp_path)})
    assert read()[0].secret == SECRET
    (tmp_path / "META_ACCESS_TOKEN").write_text("another")
    assert read()[0].secret == "another"


@pytest.mark.parametrize("content", [b"", b"\n", b"  \n"])
def test_an_empty_file_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "META_ACCESS_TOKEN"
    file.write_bytes(content)
    assert f"{file} is empty" in refused({**META, "SECRETS_DIR": str(tmp_path)})


def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    for name, make in (
        ("META_ACCESS_TOKEN", lambda file: file.mkdir()),
        ("META_WABA_ID", lambda file: file.write_bytes(b"\xff\xfe")),
        ("TWILIO_AUTH_TOKEN", lambda file: file.symlink_to(tmp_path / "nowhere")),
    ):
        file = tmp_path / name / name
        file.parent.mkdir()
        make(file)
        assert f"{file} cannot be read" in refused({**META, "SECRETS_DIR": str(file.parent)})


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert "SECRETS_DIR" in refused({**META, "SECRETS_DIR": str(tmp_path / "none")})


def test_a_variable_may_name_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-the-file\n")
    given = {"META_PHONE_NUMBER_ID": "106", "META_ACCESS_TOKEN_FILE": str(tmp_path / "token")}
    assert sources.read(given)[0].secret == "from-the-file"
    assert "META_ACCESS_TOKEN_FILE" in refused({**given, "META_ACCESS_TOKEN_FILE": str(tmp_path / "none")})


def test_the_document_names_every_variable() -> None:
    text = (Path(__file__).parents[2] / "docs" / "providers.md").read_text()
    told = text.split("<!-- credential variables -->")[1].split("<!-- /credential variables -->")[0]
    names = [line.split("`")[1] for line in told.splitlines() if line.startswith("| `")]
    assert sorted(names) == sorted([sources.DIRECTORY, *sources.NAMES])
