"""/cron/backups."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from maintenance.models import Backup
from tests.api.test_jobs import kind

MADE = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)


@pytest.fixture
def backups(db: None) -> None:
    for day in range(1, 4):
        at = MADE.replace(day=day)
        Backup.objects.create(
            id=f"202603{day:02}T010000Z-abcd",
            created_at=at,
            location=f"/backups/{day}.age\ns3://bucket/{day}.age",
            bytes=1000 * day,
            sha256="ab" * 32,
            took=timedelta(seconds=1.5),
            proven_at=at + timedelta(minutes=5) if day == 1 else None,
            error="" if day < 3 else "no space left",
        )


def test_they_are_told_newest_first_with_what_is_proven(caller: Callable[..., Client], backups: None) -> None:
    client = caller("read")
    first = client.get("/cron/backups?limit=2").json()
    assert [each["error"] for each in first["backups"]] == ["no space left", None]
    [oldest] = client.get(first["next"]).json()["backups"]
    assert oldest == {
        "id": "20260301T010000Z-abcd",
        "url": "/cron/backups/20260301T010000Z-abcd",
        "createdAt": "2026-03-01T01:00:00.000Z",
        "location": "/backups/1.age",
        "locations": ["/backups/1.age", "s3://bucket/1.age"],
        "bytes": 1000,
        "sha256": "ab" * 32,
        "encrypted": True,
        "seconds": 1.5,
        "provenAt": "2026-03-01T01:05:00.000Z",
        "error": None,
    }
    assert client.get(oldest["url"]).json() == oldest


def test_none_is_an_empty_list(caller: Callable[..., Client]) -> None:
    assert caller("read").get("/cron/backups").json() == {"backups": [], "next": None}


def test_an_unknown_one_is_not_found(caller: Callable[..., Client]) -> None:
    answer = caller("read").get("/cron/backups/none")
    assert (answer.status_code, kind(answer)) == (404, "unknown-backup")
