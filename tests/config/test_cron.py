"""The CRON_* values: their defaults, and what each refuses."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import cron

DEFAULTS = cron.CronConfig(
    enabled=True,
    timezone="Europe/Bucharest",
    memory_threshold_mb=500,
    cpu_threshold_percent=80,
    backup=cron.Backup(enabled=True, retention_days=30),
)


def test_the_defaults() -> None:
    assert cron.read({}) == DEFAULTS


def test_what_is_not_ours_is_not_looked_at() -> None:
    assert cron.read({"CRONTAB": "x", "PATH": "/bin", "cron_enabled": "x"}) == DEFAULTS


def test_every_value_can_be_given() -> None:
    given = {
        "CRON_ENABLED": "false",
        "CRON_TIMEZONE": "UTC",
        "CRON_MEMORY_THRESHOLD_MB": "1024",
        "CRON_CPU_THRESHOLD_PERCENT": "95",
        "CRON_BACKUP_ENABLED": "no",
        "CRON_BACKUP_RETENTION_DAYS": "7",
    }
    assert cron.read(given) == cron.CronConfig(
        enabled=False,
        timezone="UTC",
        memory_threshold_mb=1024,
        cpu_threshold_percent=95,
        backup=cron.Backup(enabled=False, retention_days=7),
    )


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "yes", "on", " true "])
def test_the_words_for_true(text: str) -> None:
    assert cron.read({"CRON_ENABLED": text}).enabled is True


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "off"])
def test_the_words_for_false(text: str) -> None:
    assert cron.read({"CRON_ENABLED": text}).enabled is False


JUST_INSIDE = [
    ("CRON_MEMORY_THRESHOLD_MB", "1"),
    ("CRON_MEMORY_THRESHOLD_MB", "10000000"),
    ("CRON_CPU_THRESHOLD_PERCENT", "1"),
    ("CRON_CPU_THRESHOLD_PERCENT", "100"),
    ("CRON_BACKUP_RETENTION_DAYS", "1"),
    ("CRON_BACKUP_RETENTION_DAYS", "36500"),
]


@pytest.mark.parametrize(("name", "value"), JUST_INSIDE)
def test_values_at_their_limit_are_taken(name: str, value: str) -> None:
    cron.read({name: value})


WHOLE = ("-1", "0", "", "  ", "1.5", "NaN", "inf", "1e3", "500MB", "80%", "0x10", "١٢", "9" * 30, "5 0", "+5", "1_0")
REFUSED = [
    *[("CRON_ENABLED", value) for value in ("", "maybe", "flase", "2", "-1", "None", "truee")],
    *[("CRON_BACKUP_ENABLED", value) for value in ("", "enabled", "ja")],
    *[
        ("CRON_TIMEZONE", value)
        for value in ("", "UTC+2", "Europe/Bucuresti", "europe/bucharest", "../etc/passwd", " UTC")
    ],
    *[("CRON_MEMORY_THRESHOLD_MB", value) for value in (*WHOLE, "10000001")],
    *[("CRON_CPU_THRESHOLD_PERCENT", value) for value in (*WHOLE, "101")],
    *[("CRON_BACKUP_RETENTION_DAYS", value) for value in (*WHOLE, "36501")],
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_nonsense_stops_the_start_and_names_variable_value_and_remedy(name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        cron.read({name: value})
    [line] = str(refused.value).splitlines()
    assert line.startswith(f"{name}={value!r} is not allowed: it must be ")
    assert len(line) > len(f"{name}={value!r} is not allowed: it must be .")


def test_a_close_zone_is_offered() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"did you mean Europe/Bucharest\?"):
        cron.read({"CRON_TIMEZONE": "Europe/Bucarest"})


@pytest.mark.parametrize(("name", "hint"), [("CRON_ENABLE", "Did you mean CRON_ENABLED?"), ("CRON_X", "Known are ")])
def test_an_unknown_name_is_refused(name: str, hint: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        cron.read({name: "true"})
    assert f"{name}='true' is not a setting." in str(refused.value)
    assert hint in str(refused.value)


def test_all_bad_values_are_named_at_once() -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        cron.read({"CRON_ENABLED": "x", "CRON_TIMEZONE": "y", "CRON_BACKUP_RETENTION_DAYS": "0"})
    assert len(str(refused.value).splitlines()) == 3
