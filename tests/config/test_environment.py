"""Where values come from: the environment, or what the local servers left for this clone."""

from pathlib import Path

import pytest

from config import environment


@pytest.fixture
def local_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "local.env"
    monkeypatch.setattr(environment, "LOCAL_FILE", path)
    monkeypatch.delenv("DATABASE_URL")
    return path


def test_the_local_file_completes_the_environment(local_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local_file.write_text("# by bin/up\n\nDATABASE_URL=postgresql://a@/b?host=/c=d\n SECRET_KEY=local \nREDIS_URL=x\n")
    monkeypatch.setenv("SECRET_KEY", "real")
    monkeypatch.delenv("REDIS_URL")
    loaded = environment.load()
    assert loaded["DATABASE_URL"] == "postgresql://a@/b?host=/c=d"
    assert (loaded["SECRET_KEY"], loaded["REDIS_URL"]) == ("real", "x")


def test_it_is_ignored_where_a_database_is_given(local_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local_file.write_text("SECRET_OF_LOCAL=1\n")
    monkeypatch.setenv("DATABASE_URL", "postgresql://real")
    assert "SECRET_OF_LOCAL" not in environment.load()


def test_without_the_file_there_is_only_the_environment(local_file: Path) -> None:
    assert "DATABASE_URL" not in environment.load()


def test_a_secret_is_a_value_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("from a file\n")
    assert environment.secret({"KEY": "value"}, "KEY") == "value"
    assert environment.secret({"KEY": "value", "KEY_FILE": str(path)}, "KEY") == "from a file"
    assert environment.secret({}, "KEY") == ""
