"""The values about mail: what each refuses, and that no secret is quoted."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import mail
from tests.docs.reading import ROOT, between, table

SERVER = {"EMAIL_HOST": "mail.example.com", "EMAIL_FROM": "Reports <cron@example.com>"}


def test_the_document_has_every_variable() -> None:
    document = (ROOT / "docs" / "daily-report.md").read_text()
    told = [row[0].strip("`") for row in table(between(document, "mail variables"))]
    assert told == list(mail._Variables.model_fields)


def test_nothing_is_sent_by_default_and_it_says_what_is_lacking() -> None:
    assert mail.read({}).lacking == "EMAIL_HOST, EMAIL_FROM, REPORT_RECIPIENTS"
    assert mail.read({**SERVER, "REPORT_RECIPIENTS": "ana@example.com"}).lacking == ""


def test_readers_stand_with_commas_between_them_each_once() -> None:
    read = mail.read({"REPORT_RECIPIENTS": " ana@example.com,dan@example.com , ana@example.com,"})
    assert read.recipients == ("ana@example.com", "dan@example.com")


@pytest.mark.parametrize(
    ("security", "tls", "ssl"), [("starttls", True, False), ("tls", False, True), ("none", False, False)]
)
def test_how_the_connection_is_secured(security: str, *, tls: bool, ssl: bool) -> None:
    server = mail.read({**SERVER, "EMAIL_SECURITY": security}).server()
    assert (server.use_tls, server.use_ssl, server.timeout, server.port) == (tls, ssl, 10, 587)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMAIL_PORT", "0"),
        ("EMAIL_PORT", "65536"),
        ("EMAIL_PORT", "smtp"),
        ("EMAIL_SECURITY", "ssl"),
        ("EMAIL_FROM", "nobody"),
        ("EMAIL_FROM", "cron@example.com\r\nBcc: x@example.com"),
        ("EMAIL_FROM", "Reports\n <cron@example.com>"),
        ("REPORT_RECIPIENTS", "ana@example.com; dan@example.com"),
        ("REPORT_RECIPIENTS", "ana@example.com\nBcc: x@example.com"),
    ],
)
def test_a_bad_value_is_named(name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        mail.read({name: value})


@pytest.mark.parametrize(("count", "fits"), [(50, True), (51, False)])
def test_so_many_readers_at_the_most(count: int, *, fits: bool) -> None:
    given = {"REPORT_RECIPIENTS": ",".join(f"a{number}@example.com" for number in range(count))}
    if fits:
        assert len(mail.read(given).recipients) == 50
        return
    with pytest.raises(ImproperlyConfigured, match="51 addresses"):
        mail.read(given)


def test_the_password_may_lie_in_a_folder_and_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "EMAIL_HOST_PASSWORD").write_text("hidden\n")
    read = mail.read({"SECRETS_DIR": str(tmp_path)})
    assert read.password == "hidden"
    assert "hidden" not in repr(read)
