"""DATABASE_URL as Django's settings."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.database import from_url


def test_all_parts_of_an_address_are_used() -> None:
    settings = from_url("postgresql://app:p%40%2F%25s@db.example:5433/cron?sslmode=require")
    parts = ("NAME", "USER", "PASSWORD", "HOST", "PORT")
    assert [settings[part] for part in parts] == ["cron", "app", "p@/%s", "db.example", "5433"]
    assert settings["OPTIONS"] == {"connect_timeout": 2, "prepare_threshold": 0, "sslmode": "require"}
    assert settings["ENGINE"] == "config.postgres"


def test_a_unix_socket() -> None:
    settings = from_url("postgresql://app@/cron?host=/run/postgresql")
    assert (settings["HOST"], settings["NAME"], settings["PORT"]) == ("/run/postgresql", "cron", "")


def test_the_wait_for_a_connection_can_be_changed() -> None:
    assert from_url("postgres://a@b/c?connect_timeout=7")["OPTIONS"]["connect_timeout"] == "7"


@pytest.mark.parametrize("url", ["sqlite:///db.sqlite3", "mysql://a@b/c", "db.example", "", " postgresql://a@b/c"])
def test_another_database_is_refused_with_the_remedy(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"must begin with postgresql://.*bin/up"):
        from_url(url)


MALFORMED = [
    "postgresql://a:topsecret@b/c?no_such_option=1",
    "postgresql://a:topsecret@[::1/c",
    "postgresql://a:topsecret%zz@b/c",
]


@pytest.mark.parametrize("url", MALFORMED)
def test_a_malformed_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"DATABASE_URL cannot be understood: [a-z]") as refused:
        from_url(url)
    assert "topsecret" not in str(refused.value)
