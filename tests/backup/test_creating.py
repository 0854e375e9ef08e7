"""A backup is made whole and proven."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from pyrage import x25519

from maintenance.backup.local import LocalStore
from maintenance.backup.manifest import Manifest
from maintenance.backup.means import Means
from maintenance.models import Backup
from sessions_app.models import Message
from tests.backup.conftest import LINES, NOW, databases

Make = Callable[..., Manifest]


def test_it_leaves_an_archive_and_its_manifest(
    back_up: Make, store: LocalStore, key: x25519.Identity, conversations: int
) -> None:
    made = back_up()

    assert sorted(store.files()) == [f"{made.id}.dump.zst.age", f"{made.id}.json"]
    manifest = json.loads((store.folder / f"{made.id}.json").read_text())
    assert manifest["createdAt"] == "2026-01-15T03:00:00Z"
    assert manifest["keys"] == [str(key.to_public())]
    assert manifest["tables"]["public.sessions_app_message"][0] == LINES + 3
    assert "maintenance.0001_initial" in manifest["migrations"]
    assert manifest["bytes"] == (store.folder / f"{made.id}.dump.zst.age").stat().st_size
    assert int(manifest["serverVersion"].split(".")[0]) >= 15
    assert manifest["provenAt"] == "2026-01-15T03:00:00Z"
    assert made.id.startswith("20260115T030000Z-")


def test_nobody_reads_what_customers_wrote(back_up: Make, store: LocalStore, conversations: int) -> None:
    back_up()

    for file in store.folder.iterdir():
        content = file.read_bytes()
        assert b"+40700" not in content
        assert "Bună ziua".encode() not in content


def test_it_is_on_record(back_up: Make, store: LocalStore, conversations: int) -> None:
    made = back_up()

    row = Backup.objects.get()
    assert (row.pk, row.created_at, row.proven_at, row.error) == (made.id, NOW, NOW, "")
    assert row.location == store.location(f"{made.id}.dump.zst.age")
    assert (row.bytes, row.sha256) == (made.size, made.sha256)


def test_nothing_is_left_of_the_proof(back_up: Make, means: Means, conversations: int) -> None:
    before = databases(means.database)

    back_up()

    assert databases(means.database) == before


def test_what_is_written_meanwhile_is_in_no_part_of_it(back_up: Make, make_message: Any, conversations: int) -> None:
    """Were the rows counted in another state than the dump shows, the proof would find more of them."""
    more = iter(range(10))

    def write(done: int, total: int | None, note: str) -> None:
        if note == "dumping" and next(more, None) is not None:
            make_message(sent_at=NOW)

    made = back_up(tell=write)

    assert made.proven_at
    assert made.tables["public.sessions_app_message"][0] == LINES + 3
    assert Message.objects.count() > LINES + 3


def test_a_second_one_stands_beside_the_first(back_up: Make, store: LocalStore, conversations: int) -> None:
    first, second = back_up(), back_up()

    assert first.id != second.id
    assert len(store.files()) == 4
    assert Backup.objects.proven().count() == 2


def test_it_is_copied_to_every_store(back_up: Make, means: Means, tmp_path: Path, conversations: int) -> None:
    second = LocalStore(tmp_path / "second")

    made = back_up(using=replace(means, stores=(*means.stores, second)))

    assert sorted(second.files()) == [f"{made.id}.dump.zst.age", f"{made.id}.json"]
    for file in second.files():
        assert (second.folder / file).read_bytes() == (means.stores[0].folder / file).read_bytes()  # type: ignore[attr-defined]
    assert Backup.objects.get().location.count("\n") == 1


def test_it_tells_how_far_it_is(back_up: Make, conversations: int) -> None:
    heard: list[str] = []

    back_up(tell=lambda *told: heard.append(told[2]))

    assert [note for note, _again in groupby(heard)] == ["dumping", "counting rows", "restoring", "comparing"]
