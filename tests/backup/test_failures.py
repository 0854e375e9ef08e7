"""What goes wrong with a backup is told, and leaves nothing half-written behind."""

import errno
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyrage import x25519

from maintenance import events
from maintenance.backup.errors import NotPossible, ToolFailed
from maintenance.backup.local import LocalStore
from maintenance.backup.manifest import Manifest
from maintenance.backup.means import Means
from maintenance.backup.stores import StoreError
from maintenance.models import Backup
from tests.backup.conftest import NOW, databases
from tests.backup.folder import SmallStore, TornStore

Make = Callable[..., Manifest]


@pytest.fixture
def told() -> Any:
    """What was announced: the signal's name and why."""
    heard: list[tuple[str, str]] = []

    def failed(*, why: str, **_: Any) -> None:
        heard.append(("failed", why))

    def unproven(*, why: str, **_: Any) -> None:
        heard.append(("unproven", why))

    events.backup_failed.connect(failed)
    events.backup_unproven.connect(unproven)
    yield heard
    events.backup_failed.disconnect(failed)
    events.backup_unproven.disconnect(unproven)


def test_without_a_recipient_nothing_is_made(back_up: Make, means: Means, store: LocalStore, told: Any) -> None:
    with pytest.raises(NotPossible, match="backup keygen"):
        back_up(using=replace(means, recipients=()))

    assert store.files() == []
    assert Backup.objects.get().error.startswith("No backup is made, because nobody could open it")
    assert told == [("failed", Backup.objects.get().error)]


def test_a_private_key_among_the_recipients_is_refused_and_not_quoted(back_up: Make, means: Means) -> None:
    private = str(x25519.Identity.generate())

    with pytest.raises(NotPossible, match="AGE-SECR…, which is mistyped or no public key") as refused:
        back_up(using=replace(means, recipients=(private,)))

    assert private[8:20] not in str(refused.value)


def test_a_mistyped_recipient_is_told_by_its_beginning(back_up: Make, means: Means) -> None:
    with pytest.raises(NotPossible, match="age1nons…, which is mistyped"):
        back_up(using=replace(means, recipients=("age1nonsense",)))


def test_without_pg_dump_nothing_is_made(back_up: Make, means: Means, store: LocalStore, tmp_path: Path) -> None:
    with pytest.raises(NotPossible, match=f"pg_dump is missing: there is none in {tmp_path}"):
        back_up(using=replace(means, pg_bin=tmp_path))

    assert store.files() == []


def pretended(folder: Path, program: str, script: str) -> None:
    file = folder / program
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


@pytest.fixture
def old_tools(tmp_path: Path) -> Path:
    for program in ("pg_dump", "pg_restore"):
        pretended(tmp_path, program, f"echo '{program} (PostgreSQL) 14.9'")
    return tmp_path


def test_a_pg_dump_that_is_too_old_is_refused(back_up: Make, means: Means, store: LocalStore, old_tools: Path) -> None:
    with pytest.raises(NotPossible, match=r"pg_dump does not fit a server of PostgreSQL \d+: .* is of PostgreSQL 14"):
        back_up(using=replace(means, pg_bin=old_tools))

    assert store.files() == []


def broken_tools(folder: Path, real: Path, script: str) -> Path:
    """The real tools, but pg_dump goes on with a script of its own once it was asked for its version."""
    (folder / "pg_restore").symlink_to(real / "pg_restore")
    pretended(folder, "pg_dump", f'[ "$1" = --version ] && exec {real}/pg_dump --version\n{script}')
    return folder


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ('{real}/pg_dump "$@" | head -c 20000; kill -KILL $$', "pg_dump was killed by SIGKILL"),
        ("echo 'pg_dump: error: out of luck' >&2; exit 1", "pg_dump ended with code 1: pg_dump: error: out of luck"),
        ('{real}/pg_dump "$@" | head -c 20000; exit 3', "pg_dump ended with code 3"),
    ],
)
def test_a_pg_dump_that_dies_leaves_nothing(
    back_up: Make,
    means: Means,
    store: LocalStore,
    tmp_path: Path,
    conversations: int,
    script: str,
    why: str,
    told: Any,
) -> None:
    assert means.pg_bin
    tools = broken_tools(tmp_path, means.pg_bin, script.replace("{real}", str(means.pg_bin)))

    with pytest.raises(ToolFailed, match=why):
        back_up(using=replace(means, pg_bin=tools))

    assert list(store.folder.iterdir()) == []
    row = Backup.objects.get()
    assert (row.location, row.proven_at) == ("", None)
    assert why in row.error
    assert [name for name, _ in told] == ["failed"]


def test_a_dump_that_is_cut_off_without_an_error_is_not_proven(
    back_up: Make, means: Means, store: LocalStore, tmp_path: Path, conversations: int, told: Any
) -> None:
    assert means.pg_bin
    tools = broken_tools(tmp_path, means.pg_bin, f'{means.pg_bin}/pg_dump "$@" | head -c 200000')

    with pytest.raises(ToolFailed, match="pg_restore ended with code 1"):
        back_up(using=replace(means, pg_bin=tools))

    assert Backup.objects.get().proven_at is None
    assert [name for name, _ in told] == ["unproven"]


@pytest.mark.parametrize(
    "error", [StoreError("s3://bucket: the upload failed."), OSError(errno.ENOSPC, "No space left on device")]
)
def test_a_store_that_breaks_in_the_middle_leaves_nothing(
    back_up: Make, means: Means, tmp_path: Path, conversations: int, error: Exception
) -> None:
    torn = TornStore(tmp_path / "torn", after=100_000, error=error)

    with pytest.raises(type(error)) as failed:
        back_up(using=replace(means, stores=(torn,)))

    assert failed.value is error
    assert list(torn.folder.iterdir()) == []
    assert str(error) in Backup.objects.get().error


def test_a_copy_that_fails_is_a_failure_and_the_proven_one_stays(
    back_up: Make, means: Means, store: LocalStore, tmp_path: Path, conversations: int
) -> None:
    torn = TornStore(tmp_path / "torn", after=100_000, error=StoreError("the upload failed"))

    with pytest.raises(StoreError):
        back_up(using=replace(means, stores=(store, torn)))

    assert list(torn.folder.iterdir()) == []
    row = Backup.objects.get()
    assert (row.proven_at, row.error) == (NOW, "the upload failed")


def test_too_little_space_is_noticed_before_anything_is_written(
    back_up: Make, means: Means, tmp_path: Path, conversations: int
) -> None:
    made = back_up()
    small, enough = (SmallStore(tmp_path / name, free=made.size + more) for name, more in (("a", -1), ("b", 0)))

    with pytest.raises(NotPossible, match=f"too little space in {small.name}"):
        back_up(using=replace(means, stores=(small,)))

    assert small.files() == []
    assert back_up(using=replace(means, stores=(enough,))).proven_at


class Stopped(Exception):
    pass


@pytest.mark.parametrize("step", ["counting rows", "dumping", "restoring", "comparing"])
def test_stopped_at_any_step_it_leaves_nothing_behind(
    back_up: Make, means: Means, store: LocalStore, conversations: int, step: str
) -> None:
    before = databases(means.database)

    def stop(done: int, total: int | None, note: str) -> None:
        if note == step:
            raise Stopped

    with pytest.raises(Stopped):
        back_up(tell=stop, unwanted=(Stopped,))

    assert list(store.folder.iterdir()) == []
    assert databases(means.database) == before
    assert not Backup.objects.exists()


def test_an_account_that_may_not_create_databases_is_told_so(
    back_up: Make, means: Means, store: LocalStore, conversations: int
) -> None:
    role = "may_not_create"
    with means.database.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN IN ROLE pg_read_all_data")
    try:
        poor = replace(means.database, parameters={**means.database.parameters, "user": role})
        with pytest.raises(NotPossible, match=f"ALTER ROLE {role} CREATEDB"):
            back_up(using=replace(means, proof=poor))
    finally:
        with means.database.connect() as connection:
            connection.execute(f"DROP ROLE {role}")

    assert Backup.objects.get().location
    assert Backup.objects.get().proven_at is None


def test_what_a_killed_proof_left_is_dropped_after_a_day(back_up: Make, means: Means) -> None:
    old, fresh = (
        means.database.beside(f"_proof_{NOW - age:%Y%m%dT%H%M%SZ}-abcdef").name
        for age in (timedelta(days=1, seconds=1), timedelta(hours=23))
    )
    with means.database.connect() as connection:
        for name in (old, fresh):
            connection.execute(f'CREATE DATABASE "{name}"')
    try:
        back_up()
        assert databases(means.database) & {old, fresh} == {fresh}
    finally:
        with means.database.connect() as connection:
            connection.execute(f'DROP DATABASE "{fresh}"')
