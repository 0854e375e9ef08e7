"""The values about backups: what each refuses, what is never quoted, and what is not imported."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pyrage import x25519

from config import backups
from maintenance.backup.local import LocalStore
from maintenance.backup.stores import StoreError
from tests.docs.reading import ROOT, between, table

ONE, OTHER = (str(x25519.Identity.generate().to_public()) for _ in range(2))
BUCKET = {"BACKUP_S3_BUCKET": "backups", "BACKUP_S3_ENDPOINT_URL": "http://127.0.0.1:9"}


def test_the_document_has_every_variable() -> None:
    told = [row[0].strip("`") for row in table(between((ROOT / "docs" / "backups.md").read_text(), "backup variables"))]
    assert told == list(backups._Variables.model_fields)


def test_nothing_is_set_by_default() -> None:
    assert backups.read({}) == backups.Backups(stores=(), recipients=(), proof_database=None, pg_bin=None)


def test_a_folder_and_a_bucket_are_both_used_the_folder_first(tmp_path: Path) -> None:
    keys = {"BACKUP_S3_ACCESS_KEY_ID": "id", "BACKUP_S3_SECRET_ACCESS_KEY": "key"}
    read = backups.read({"BACKUP_DIR": str(tmp_path), "BACKUP_S3_PREFIX": "a/b", **BUCKET, **keys})
    folder, bucket = (opened() for opened in read.stores)
    assert isinstance(folder, LocalStore)
    assert (folder.name, bucket.name) == (str(tmp_path), "s3://backups/a/b")


def test_a_folder_is_made_when_it_is_needed_and_not_before(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    read = backups.read({"BACKUP_DIR": str(folder)})
    assert not folder.exists()
    read.stores[0]()
    assert folder.is_dir()


def test_recipients_stand_with_commas_between_them() -> None:
    assert backups.read({"BACKUP_RECIPIENTS": f"{ONE}, {OTHER},"}).recipients == (ONE, OTHER)


def test_a_private_key_stops_the_start_and_is_not_quoted() -> None:
    private = str(x25519.Identity.generate())
    for given in (private, private.lower(), f"{ONE},{private}"):
        with pytest.raises(ImproperlyConfigured, match="holds a private key") as refused:
            backups.read({"BACKUP_RECIPIENTS": given})
        assert private[20:].lower() not in str(refused.value).lower()


@pytest.mark.parametrize(
    "key",
    ["age1abc", ONE[:-1], f"{ONE}q", ONE.upper(), f"{ONE};{OTHER}"],
    ids=["short", "cut off", "too long", "in capitals", "two"],
)
def test_what_is_no_public_key_is_quoted(key: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"BACKUP_RECIPIENTS holds '{key}', which is no public key"):
        backups.read({"BACKUP_RECIPIENTS": key})


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("BACKUP_DIR", "var/backups", "the whole path of a folder"),
        ("BACKUP_PG_BIN", "bin", "the whole path of a folder"),
        ("BACKUP_S3_BUCKET", "No", "the name of a bucket"),
        ("BACKUP_S3_BUCKET", "a/b", "the name of a bucket"),
        ("BACKUP_S3_PREFIX", "../other", "like backups/cron"),
        ("BACKUP_S3_PREFIX", "/a", "like backups/cron"),
        ("BACKUP_S3_PREFIX", "a//b", "like backups/cron"),
        ("BACKUP_S3_ENDPOINT_URL", "s3.example.com", "https://"),
        ("BACKUP_S3_REGION", "eu central", "like eu-central-1"),
    ],
)
def test_nonsense_names_variable_value_and_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        backups.read({name: value})
    assert f"{name}={value!r} is not allowed" in str(refused.value)
    assert allowed in str(refused.value)


@pytest.mark.parametrize("name", ["BACKUP_S3_ACCESS_KEY_ID", "BACKUP_S3_SECRET_ACCESS_KEY"])
def test_half_a_pair_of_keys_stops_the_start(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="belong together, and only one of them is set") as refused:
        backups.read({**BUCKET, name: "half-a-pair"})
    assert "half-a-pair" not in str(refused.value)


def test_secrets_can_stand_in_files(tmp_path: Path) -> None:
    (tmp_path / "BACKUP_S3_ACCESS_KEY_ID").write_text("id\n")
    (tmp_path / "key").write_text("key\n")
    (tmp_path / "BACKUP_PROOF_DATABASE_URL").write_text("postgresql://me:pass@proofs:5433/any\n")
    read = backups.read(
        {**BUCKET, "SECRETS_DIR": str(tmp_path), "BACKUP_S3_SECRET_ACCESS_KEY_FILE": str(tmp_path / "key")}
    )
    assert read.stores[0]()._storage.access_key == "id"  # type: ignore[attr-defined]
    assert read.stores[0]()._storage.secret_key == "key"  # type: ignore[attr-defined]
    assert read.proof_database is not None
    assert (read.proof_database["HOST"], read.proof_database["PASSWORD"]) == ("proofs", "pass")
    assert "pass" not in repr(read)


def test_the_proofs_address_is_named_and_not_quoted() -> None:
    for address in ("mysql://me:hidden@proofs/any", "postgresql://me:hidden@proofs/any?nonsense=1"):
        with pytest.raises(ImproperlyConfigured, match=r"^BACKUP_PROOF_DATABASE_URL ") as refused:
            backups.read({"BACKUP_PROOF_DATABASE_URL": address})
        assert "hidden" not in str(refused.value)


def test_a_bucket_without_the_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "maintenance.backup.s3", None)
    opened = backups.read(BUCKET).stores[0]
    with pytest.raises(StoreError, match="Install the extra s3"):
        opened()


def test_reading_the_values_loads_no_large_library(tmp_path: Path) -> None:
    given = {"BACKUP_DIR": str(tmp_path), "BACKUP_RECIPIENTS": ONE, **BUCKET}
    read = f"import sys; from config import backups; backups.read({given})"
    code = f"{read}; print({{'boto3', 'pyrage'}} & {{*sys.modules}})"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == "set()\n"
