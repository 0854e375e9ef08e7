"""The image: what is copied exists and is enough, it is locked, and it does not run as root."""

import re
import shlex

from django.conf import settings

from tests.docs.reading import ROOT, required_variables

TEXT = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
LINES = [line.split(maxsplit=1) for line in TEXT.splitlines() if line and not line.startswith("#")]
FINAL = TEXT.rpartition("\nFROM ")[2]
COPIED = [shlex.split(rest)[0] for word, rest in LINES if word == "COPY" and not rest.startswith("--from")]
NEEDED = {"manage.py", "config"} | {app.partition(".")[0] for app in settings.INSTALLED_APPS if (ROOT / app).is_dir()}


def test_everything_that_is_copied_exists():
    assert [name for name in COPIED if not (ROOT / name).exists()] == []


def test_everything_that_the_service_imports_is_copied_and_nothing_else():
    assert set(COPIED) == NEEDED | {"locks/run.txt"}


def test_the_context_holds_just_what_is_copied():
    rules = (ROOT / ".dockerignore").read_text().splitlines()

    assert "*" in rules
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(COPIED)


def test_what_is_installed_is_locked_by_hash():
    install = next(rest for word, rest in LINES if word == "RUN" and "install" in rest)
    lock = (ROOT / "locks" / "run.txt").read_text()

    assert "--require-hashes" in install
    assert "-r locks/run.txt" in install
    assert [name for name in ("celery", "django", "flower", "gunicorn") if f"\n{name}==" not in lock] == []


def test_files_are_collected_with_all_that_the_settings_demand_in_that_step_only():
    step = next(rest for word, rest in LINES if word == "RUN" and "collectstatic" in rest)

    assert {name for name in required_variables() if f"{name}=" in step} == required_variables()
    assert not any(name in FINAL for name in required_variables())


def test_it_is_a_python_that_the_project_supports():
    images = {rest.split()[0] for word, rest in LINES if word == "FROM"}

    assert images == {"python:3.13-slim-trixie"}
    assert 'requires-python = ">=3.11,<3.14"' in (ROOT / "pyproject.toml").read_text()


def test_it_does_not_run_as_root_and_builds_nothing_in_its_final_stage():
    assert re.search(r"^USER (?!root|0)\w+", FINAL, re.MULTILINE)
    assert "pip" not in FINAL
    assert "apt-get" not in TEXT.removesuffix(FINAL)


def test_its_client_programs_are_those_of_the_server_in_the_compose_file():
    assert re.findall(r"apt-get install -y --no-install-recommends (.+?) &&", FINAL) == ["postgresql-client-17"]
    assert "image: postgres:17-trixie\n" in (ROOT / "docker-compose.yml").read_text()
