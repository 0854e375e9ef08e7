"""Backups in the admin: all that is known of them, to look at."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from maintenance.models import Backup

MADE = datetime(2026, 1, 15, 3, 0, tzinfo=UTC)
ADDRESS = "/admin/maintenance/backup/"


@pytest.fixture
def backup(db: None) -> Backup:
    return Backup.objects.create(
        id="20260115T030000Z-4f2a9c",
        created_at=MADE,
        location="/backups/a.dump.zst.age\ns3://bucket/a.dump.zst.age",
        bytes=5 << 19,
        sha256="ab" * 32,
        took=timedelta(seconds=12.34),
        proven_at=MADE + timedelta(minutes=5),
    )


def test_the_list_tells_size_proof_and_duration(admin_client: Client, backup: Backup) -> None:
    text = admin_client.get(ADDRESS).content.decode()
    for told in (backup.pk, "2.5 MiB", "12.3 s", "Thu 2026-01-15 05:00 EET", "Thu 2026-01-15 05:05 EET"):
        assert told in text


def test_a_page_tells_where_it_lies_and_in_local_time(admin_client: Client, backup: Backup) -> None:
    text = admin_client.get(f"{ADDRESS}{backup.pk}/change/").content.decode()
    for told in ("s3://bucket/a.dump.zst.age", backup.sha256, "12.3 s", "Thu 2026-01-15 05:05 EET"):
        assert told in text


def test_an_attempt_that_failed_has_dashes_and_its_reason(admin_client: Client, db: None) -> None:
    failed = Backup.objects.create(id="20260116T030000Z-000000", created_at=MADE, error="the disk is full")
    for address in (ADDRESS, f"{ADDRESS}{failed.pk}/change/"):
        answer = admin_client.get(address)
        assert answer.status_code == 200
        assert "the disk is full" in answer.content.decode()


def test_nothing_can_be_changed(admin_client: Client, backup: Backup) -> None:
    for verb in ("delete", "change"):
        assert admin_client.post(f"{ADDRESS}{backup.pk}/{verb}/", {"post": "yes"}).status_code == 403
    assert Backup.objects.get() == backup
