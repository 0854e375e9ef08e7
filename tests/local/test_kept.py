import base64
import stat
from pathlib import Path

import pytest

from local.errors import LocalError
from local.kept import kept_secret, new_credential_key, new_token, read_values, write_private, write_values


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_made_once_and_readable_by_the_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "api-token"
    first = kept_secret(file, make=new_token)
    assert first.startswith("cron_")
    assert kept_secret(file, make=new_token) == first
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)


def test_a_secret_that_others_could_read_is_closed_again(tmp_path: Path) -> None:
    file = tmp_path / "api-token"
    file.write_text("cron_before\n")
    file.chmod(0o644)
    assert kept_secret(file, make=new_token) == "cron_before"
    assert mode(file) == 0o600


def test_an_empty_file_is_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "api-token"
    file.touch()
    assert kept_secret(file, make=lambda: "fresh") == "fresh"


def test_writing_goes_on_after_a_write_that_was_cut_off(tmp_path: Path) -> None:
    (tmp_path / "file.new").write_text("half")
    write_private(tmp_path / "file", "whole")
    assert (tmp_path / "file").read_text() == "whole"


def test_values_come_back_as_written(tmp_path: Path) -> None:
    file = tmp_path / "local.env"
    values = {"SECRET_KEY": "a=b==", "DATABASE_URL": "postgresql://u@/d?host=/x"}
    write_values(file, values)
    assert read_values(file) == values
    assert mode(file) == 0o600


def test_a_value_of_two_lines_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="SECRET_KEY contains a line break"):
        write_values(tmp_path / "local.env", {"SECRET_KEY": "a\nDEBUG=1"})


def test_a_credential_key_is_32_bytes() -> None:
    assert len(base64.urlsafe_b64decode(new_credential_key())) == 32
