import os
import subprocess
import sys
import tomllib
from pathlib import Path

import psutil
import pytest
from packaging.requirements import Requirement

from local.errors import LocalError
from local.programs import wait_until
from local.test import beside, read_arguments
from tests.local.conftest import ROOT


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tests" / "catalog"
    folder.mkdir(parents=True)
    (folder / "test_cleanup_sessions.py").touch()
    return tmp_path


def test_no_arguments_mean_everything(tree: Path) -> None:
    assert read_arguments([], root=tree) == ([], False)


@pytest.mark.parametrize("arguments", [["--job", "cleanup-sessions"], ["--job=cleanup-sessions"]])
def test_a_job_means_its_test_file(tree: Path, arguments: list[str]) -> None:
    assert read_arguments(arguments, root=tree) == (["tests/catalog/test_cleanup_sessions.py"], True)


def test_a_job_without_tests_is_answered_with_those_that_have_some(tree: Path) -> None:
    with pytest.raises(LocalError, match=r"--job 'cleanup-session': there is no .* Jobs with tests: cleanup-sessions"):
        read_arguments(["--job", "cleanup-session"], root=tree)


def test_faults_and_further_arguments_reach_pytest(tree: Path) -> None:
    assert read_arguments(["--faults", "-k", "f10"], root=tree) == (["tests/faults", "-k", "f10"], True)


@pytest.mark.parametrize(("code", "sound", "said"), [(0, True, "passed"), (3, False, "FAILED")])
def test_a_check_beside_the_tests_tells_at_the_end_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: int, sound: bool, said: str
) -> None:
    check = [sys.executable, "-c", f"print('found this'); raise SystemExit({code})"]

    with beside("check", check, tmp_path, {}) as passes:
        assert capsys.readouterr().out == ""
        assert passes() is sound

    assert f"found this\ncheck: {said}" in capsys.readouterr().out


def test_a_check_that_nobody_waits_for_is_ended(tmp_path: Path) -> None:
    script = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(60)"

    with beside("check", [sys.executable, "-c", script], tmp_path, {}):
        assert wait_until((pid := tmp_path / "pid").is_file, seconds=60)
        assert wait_until(lambda: pid.read_text() != "", seconds=60)

    assert not psutil.pid_exists(int(pid.read_text()))


def test_the_lock_names_no_host() -> None:
    locks = sorted((ROOT / "locks").glob("*.txt"))
    assert [lock.name for lock in locks] == ["local.txt", "run.txt", "test.txt"]
    for lock in locks:
        assert "://" not in lock.read_text()
        assert "--index-url" not in lock.read_text()


def pins(lock: str) -> set[str]:
    lines = (ROOT / "locks" / f"{lock}.txt").read_text().splitlines()
    return {line.removesuffix(" \\").split(" ;")[0] for line in lines if not line.startswith(" ")}


def test_the_narrower_locks_are_part_of_the_wider_ones() -> None:
    assert pins("run") < pins("test")
    assert pins("local") < pins("test")


@pytest.mark.parametrize(("lock", "extras"), [("run", []), ("local", ["local"]), ("test", ["local", "ops", "test"])])
def test_a_lock_has_what_the_project_asks_for(lock: str, extras: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    locked = dict(pin.split("==") for pin in pins(lock))
    for requirement in map(Requirement, wanted):
        if requirement.name != project["name"]:
            assert locked.get(requirement.name, "missing") in requirement.specifier, f"{requirement}: run bin/lock"


@pytest.mark.parametrize(
    ("version", "has_venv", "said"),
    [
        ("3.10", True, "Python 3.11, 3.12 or 3.13 is needed"),
        ("3.14", True, "Python 3.11, 3.12 or 3.13 is needed"),
        ("3.12", False, "apt-get install python3.12-venv"),
    ],
)
def test_an_unfit_python_gets_a_sentence(tmp_path: Path, version: str, has_venv: bool, said: str) -> None:
    folder = _folder_with_python(tmp_path, version=version, has_venv=has_venv)
    done = subprocess.run(
        ["/bin/sh", "-c", ". bin/env.sh; prepare local"],
        cwd=folder,
        env={**os.environ, "PATH": f"{tmp_path / 'path'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert said in done.stderr


def _folder_with_python(tmp_path: Path, *, version: str, has_venv: bool) -> Path:
    """A clone with nothing but the scripts, and a PATH with one pretended Python that answers as that version would."""
    (tmp_path / "path").mkdir()
    major, minor = version.split(".")
    python = tmp_path / "path" / "python3"
    python.write_text(
        "#!/bin/sh\n"
        'case "$2$1" in\n'
        f"  *ensurepip*) exit {int(not has_venv)} ;;\n"
        f"  *sys.exit*) [ {major} -eq 3 ] && [ {minor} -ge 11 ] && [ {minor} -le 13 ] ;;\n"
        f"  *) echo {version} ;;\n"
        "esac\n"
    )
    python.chmod(0o755)
    clone = tmp_path / "clone"
    (clone / "bin").mkdir(parents=True)
    (clone / "bin" / "env.sh").write_text((ROOT / "bin" / "env.sh").read_text())
    return clone
