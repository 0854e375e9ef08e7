"""backup-data, as a run: what it makes, what it says, and what becomes of it when it fails or is stopped."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import OperationalError
from pyrage import x25519

from config.backups import Backups
from jobs.engine import registry, runs
from jobs.engine.context import RunContext
from jobs.models import Run, State
from local.postgres import find_binaries
from maintenance.backup import archives
from maintenance.backup.errors import NotPossible, ToolFailed, Unproven
from maintenance.backup.local import LocalStore
from maintenance.backup.manifest import archive_of
from maintenance.backup.stores import StoreError
from maintenance.models import Backup


@pytest.fixture
def store(tmp_path: Path, settings: Any) -> LocalStore:
    store = LocalStore(tmp_path / "backups")
    key = x25519.Identity.generate()
    settings.BACKUPS = Backups(stores=(lambda: store,), recipients=(str(key.to_public()),), pg_bin=find_binaries())
    return store


def test_it_leaves_a_proven_backup(run_job: Callable[..., Run], store: LocalStore) -> None:
    run = run_job("backup-data")

    assert run.state == State.SUCCEEDED
    made = Backup.objects.get()
    told = dict(run.result)
    assert told.pop("seconds") > 0
    assert told.pop("tables") > 30
    assert told.pop("rows") > 30
    assert told == {
        "backup": made.pk,
        "location": [store.location(archive_of(made.pk))],
        "bytes": made.bytes,
        "provenAt": made.proven_at.isoformat(),
        "deleted": [],
    }


def test_old_backups_go_but_never_the_last_proven(
    run_job: Callable[..., Run], store: LocalStore, settings: Any
) -> None:
    settings.CRON = replace(configured.CRON, backup=replace(configured.CRON.backup, retention_days=1))
    first = run_job("backup-data")
    day_after_next = first.created_at + timedelta(days=2)

    second = run_job("backup-data", now=day_after_next)

    assert second.result["deleted"] == [first.result["backup"]]
    assert archives.ids(store) == [second.result["backup"]]


def test_what_cannot_be_deleted_fails_the_run_but_makes_no_second_backup(
    run_job: Callable[..., Run], store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_job("backup-data")

    def refuse(_store: LocalStore, file: str) -> None:
        raise StoreError(f"{file} cannot be deleted: Permission denied.")

    monkeypatch.setattr(LocalStore, "delete", refuse)
    second = run_job("backup-data", now=first.created_at + timedelta(days=31))

    assert second.state == State.FAILED
    assert "is made and proven, but old ones cannot be deleted" in second.error
    assert "Permission denied" in second.error
    assert not registry.get("backup-data").retry.is_worth_it(NotPossible(second.error), 1)
    assert Backup.objects.proven().count() == 2


def test_a_dry_run_tells_and_makes_nothing(run_job: Callable[..., Run], store: LocalStore) -> None:
    told = run_job("backup-data", dry_run=True).result

    assert told["backup"] is None
    assert told["stores"] == [str(store.folder)]
    assert told["expectedBytes"] > 0
    assert told["wouldDelete"] == []
    assert store.files() == []
    assert not Backup.objects.exists()


def test_without_a_place_it_fails_and_says_what_to_set(run_job: Callable[..., Run]) -> None:
    run = run_job("backup-data")

    assert run.state == State.FAILED
    assert "Set BACKUP_DIR or BACKUP_S3_BUCKET" in run.error
    assert run.attempt == 1, "trying again would not help"


def test_a_place_that_is_gone_is_named_and_worth_another_attempt(
    run_job: Callable[..., Run], store: LocalStore
) -> None:
    store.folder.rmdir()
    store.folder.touch()

    run = run_job("backup-data")  # in the foreground, where there is no other attempt

    assert run.state == State.FAILED
    assert f"{store.folder}" in run.error
    assert "Not a directory" in run.error


@pytest.mark.parametrize(
    ("error", "worth_it"),
    [
        (StoreError("the upload failed"), True),
        (ToolFailed("pg_dump was killed by SIGKILL"), True),
        (Unproven("a row is missing"), True),
        (OSError("No space left on device"), True),
        (OperationalError("the server is gone"), True),
        (NotPossible("BACKUP_RECIPIENTS is empty"), False),
        (TypeError("a mistake of ours"), False),
    ],
)
def test_only_what_may_be_gone_the_next_time_is_tried_again(error: Exception, worth_it: bool) -> None:
    assert registry.get("backup-data").retry.is_worth_it(error, 1) is worth_it


@pytest.mark.parametrize("step", ["dumping", "restoring"])
def test_a_cancelled_run_leaves_nothing_behind(
    run_job: Callable[..., Run], store: LocalStore, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    progress = RunContext.progress

    def cancel_then(run: RunContext, done: int, total: int | None, note: str) -> None:
        if note == step:
            runs.cancel(run.id, by="operator")
        progress(run, done, total, note)

    monkeypatch.setattr(RunContext, "progress", cancel_then)

    run = run_job("backup-data")

    assert run.state == State.CANCELLED
    assert list(store.folder.iterdir()) == []
    assert not Backup.objects.exists()


def test_switched_off_it_says_so_and_by_which_variable(run_job: Callable[..., Run], settings: Any) -> None:
    settings.CRON = replace(configured.CRON, backup=replace(configured.CRON.backup, enabled=False))

    assert run_job("backup-data").result == {
        "backup": None,
        "skipped": "CRON_BACKUP_ENABLED is false: backups are switched off.",
    }
