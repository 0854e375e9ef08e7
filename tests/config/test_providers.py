"""The values about providers and reminders: their defaults, and what each refuses."""

from datetime import time
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import providers


def test_the_defaults_lead_to_the_providers_themselves() -> None:
    read = providers.read({})
    assert read.meta.graph_url == "https://graph.facebook.com"
    assert read.meta.graph_version == "v23.0"
    assert read.twilio.api_url == "https://api.twilio.com"
    assert read.twilio.iam_url == "https://iam.twilio.com"
    assert read.twilio.accounts_url == "https://accounts.twilio.com"
    assert (read.connect_timeout, read.read_timeout) == (5, 30)
    assert read.reminders.template == "reservation_reminder"
    assert read.reminders.template_languages == {"ro": "ro", "en": "en_US"}
    assert read.reminders.quiet == (time(22), time(8))
    assert read.reminders.sms_fallback is True
    assert read.public_url == ""


def test_an_address_is_kept_without_its_last_slash() -> None:
    assert providers.read({"META_GRAPH_URL": "http://127.0.0.1:9/graph/"}).meta.graph_url == "http://127.0.0.1:9/graph"


def test_a_secret_can_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from the file\n")
    assert providers.read({"META_APP_SECRET_FILE": str(file)}).meta.app_secret == "from the file"


def test_a_secret_can_stand_in_the_mounted_folder_and_wins_there(tmp_path: Path) -> None:
    (tmp_path / "META_APP_SECRET").write_text("from the folder\n")
    given = {"SECRETS_DIR": str(tmp_path), "META_APP_SECRET": "from the environment", "META_VERIFY_TOKEN": "too"}
    read = providers.read(given).meta
    assert (read.app_secret, read.verify_token) == ("from the folder", "too")


@pytest.mark.parametrize("text", ["none", "08:00-08:00"])
def test_quiet_hours_can_be_switched_off(text: str) -> None:
    assert providers.read({"REMINDER_QUIET_HOURS": text}).reminders.quiet is None


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("META_GRAPH_URL", "graph.facebook.com", "https://"),
        ("META_GRAPH_URL", "", "https://"),
        ("TWILIO_API_URL", "ftp://api.twilio.com", "https://"),
        ("META_GRAPH_VERSION", "23", "like v23.0"),
        ("PROVIDER_READ_TIMEOUT", "0", "greater than 0"),
        ("PROVIDER_READ_TIMEOUT", "121", "less than or equal to 120"),
        ("PROVIDER_CONNECT_TIMEOUT", "5s", "number"),
        ("META_MESSAGES_PER_SECOND", "-1", "greater than 0"),
        ("META_MESSAGES_PER_SECOND", "nan", "number"),
        ("REMINDER_QUIET_HOURS", "22-8", "like 22:00-08:00, or none"),
        ("REMINDER_QUIET_HOURS", "24:00-08:00", "like 22:00-08:00, or none"),
        ("REMINDER_SMS_FALLBACK", "maybe", "true or false"),
        ("REMINDER_TEMPLATE", "Reservation Reminder", "underscores"),
        ("REMINDER_TEMPLATE_LANGUAGE_EN", "english", "like ro or en_US"),
        ("TWILIO_CONTENT_SID_RO", "HX12", "32 hexadecimal digits"),
        ("PUBLIC_URL", "cron.example.com", "https://"),
    ],
)
def test_nonsense_stops_the_start_with_name_value_and_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        providers.read({name: value})
    assert name in str(refused.value)
    assert repr(value) in str(refused.value)
    assert allowed in str(refused.value)


def test_every_bad_value_is_named_at_once() -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        providers.read({"META_GRAPH_VERSION": "x", "PROVIDER_READ_TIMEOUT": "y"})
    assert len(str(refused.value).splitlines()) == 2
