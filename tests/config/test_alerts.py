"""The values about alerts: what each refuses, and that no secret is quoted."""

from base64 import b64encode
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import alerts
from config.alerts import Alerting
from monitoring.models import Cause
from tests.docs.reading import ROOT, between, table

SECRET = "x" * 24
HOOK = {"ALERT_WEBHOOK_URL": "https://example.com/in"}
DOCUMENT = (ROOT / "docs" / "alerts.md").read_text()


def test_the_document_has_every_variable() -> None:
    told = [row[0].strip("`") for row in table(between(DOCUMENT, "alert variables"))]
    assert told == [
        "ALERT_CHANNELS",
        "ALERT_WEBHOOK_URL",
        "ALERT_WEBHOOK_SECRET",
        "PING_URL",
        "OUTGOING_ALLOW_PRIVATE",
    ]


def test_the_document_has_every_cause() -> None:
    assert [row[0].strip("`") for row in table(between(DOCUMENT, "causes"))] == Cause.values


def test_nothing_is_set_by_default() -> None:
    assert alerts.read({}) == Alerting()


def test_channels_have_the_names_they_are_given_or_that_of_their_kind() -> None:
    given = "ops=mailto://a:b=c@example.com?to=x@example.com\n slack://T/B/C  slack://D/E/F"
    read = alerts.read({"ALERT_CHANNELS": given})
    assert dict(read.channels) == {
        "ops": "mailto://a:b=c@example.com?to=x@example.com",
        "slack": "slack://T/B/C",
        "slack-2": "slack://D/E/F",
    }
    assert "example.com" not in repr(read)


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        ("slack://T/B/C hidden", "entry number 2 is no address"),
        ("Ops=slack://hidden", "entry number 1 is no address"),
        ("a=slack://hidden a=tgram://hidden", "'a' is taken"),
        ("webhook=slack://hidden", "'webhook' is taken"),
    ],
)
def test_bad_channels_are_refused_without_being_quoted(channels: str, words: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=words) as refused:
        alerts.read({"ALERT_CHANNELS": channels})
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("given", [HOOK, {"ALERT_WEBHOOK_SECRET": SECRET}])
def test_an_address_and_its_key_belong_together(given: dict[str, str]) -> None:
    with pytest.raises(ImproperlyConfigured, match="belong together"):
        alerts.read(given)


@pytest.mark.parametrize(("secret", "fits"), [("x" * 23, False), ("x" * 24, True), ("ă" * 12, True)])
def test_a_key_has_24_bytes(secret: str, fits: bool) -> None:
    given = {**HOOK, "ALERT_WEBHOOK_SECRET": secret}
    if fits:
        assert alerts.read(given).webhook_secret == secret.encode()
        return
    with pytest.raises(ImproperlyConfigured, match="23 bytes") as refused:
        alerts.read(given)
    assert secret not in str(refused.value)


def test_a_key_as_the_specification_writes_it() -> None:
    secret = f"whsec_{b64encode(b'k' * 24).decode()}"
    assert alerts.read({**HOOK, "ALERT_WEBHOOK_SECRET": secret}).webhook_secret == b"k" * 24
    with pytest.raises(ImproperlyConfigured, match="no Base64"):
        alerts.read({**HOOK, "ALERT_WEBHOOK_SECRET": "whsec_?"})


@pytest.mark.parametrize("url", ["ftp://example.com", "example.com"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="ALERT_WEBHOOK_URL"):
        alerts.read({"ALERT_WEBHOOK_URL": url, "ALERT_WEBHOOK_SECRET": SECRET})


def test_secrets_may_lie_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "ALERT_CHANNELS").write_text("slack://T/B/C\n")
    assert dict(alerts.read({"SECRETS_DIR": str(tmp_path)}).channels) == {"slack": "slack://T/B/C"}
