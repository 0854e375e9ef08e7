"""What a user does: a clean clone, one command, sixteen triggers, Ctrl-C, and once more."""

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import psutil
import pytest

from local.programs import wait_until
from local.test import PROVIDER_URLS
from tests.integration.stack import ROOT, TOKEN, call
from tests.integration.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1200)]

FIRST_START, SECOND_START, STOP = 150, 60, 160
DEMO = "Loaded demo data"
OURS = {
    *("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "CREDENTIAL_KEYS", "ALLOWED_HOSTS", "LOG_FORMAT", "PYTHONPATH"),
    *PROVIDER_URLS,
    *("BACKUP_DIR", "BACKUP_RECIPIENTS", "BACKUP_PG_BIN"),
}
STATUS = {"status", "lastRun", "nextRun", "jobs"}
HEALTH = {"status", "timestamp", "uptime", "memoryUsage", "activeJobs", "lastError"}
METRICS = {
    *("timestamp", "totalJobsExecuted", "successfulJobs", "failedJobs", "averageExecutionTime", "memoryUsage"),
    "cpuUsage",
}
# The contract's trigger paths.
SIXTEEN = """
cleanup-sessions check-inactive-sessions reservation-reminders backup-data validate-credentials daily-report
check-system-performance check-abandoned-sessions sync-credentials check-unprocessed-messages check-error-sessions
cleanup-old-messages cleanup-old-logs optimize-database cleanup-old-sessions cleanup-expired-credentials
"""
PATHS = SIXTEEN.split()
# It reaches a channel for reports, and none is set up in a clean clone.
NOT_CONFIGURED = {"daily-report"}


class Up:
    """One `bin/up` in a clone."""

    def __init__(self, clone: Path, port: int, number: int) -> None:
        self.clone = clone
        self.address = f"http://127.0.0.1:{port}"
        self._output = clone.parent / f"up-{number}.log"
        environment = {name: value for name, value in os.environ.items() if name not in OURS}
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [clone / "bin" / "up"],
                env={**environment, "PORT": str(port), "LOCAL_API_TOKEN": TOKEN},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        return self._output.read_text(errors="replace")

    def when_ready(self, *, seconds: float) -> float:
        """Wait until it says that it serves; how long that took."""
        began = monotonic()
        eventually(
            lambda: "The service is up" in self.log or self.process.poll() is not None,
            seconds=seconds,
            what="the service is up",
            told=lambda: self.log[-3000:],
        )
        assert self.process.poll() is None, self.log[-3000:]
        return monotonic() - began

    def family(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(STOP)

    def get(self, path: str) -> dict[str, Any]:
        status, body, _ = call("GET", f"{self.address}{path}")
        assert status == 200, body
        answer: dict[str, Any] = json.loads(body)
        return answer


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What a commit of the working tree would hold, with the libraries that are installed already."""
    folder = tmp_path / "clone"
    for name in files_of_a_commit():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def files_of_a_commit() -> list[str]:
    """Every file that git would take, by its name; outside of a repository every file but those made by running."""
    if (ROOT / ".git").exists():
        command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
        return [name for name in listed if (ROOT / name).is_file()]
    made = {"var", "__pycache__"}
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [str(path) for path in found if not any(part in made or part.startswith(".venv") for part in path.parts)]


@pytest.fixture
def ups() -> Iterator[list[Up]]:
    started: list[Up] = []
    yield started
    for up in started:
        if up.process.poll() is None:
            family = up.family()
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.kill()
            up.process.wait()


def is_gone(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


def ended(up: Up, run_id: str) -> dict[str, Any] | None:
    run = up.get(f"/cron/runs/{run_id}")
    return run if run["state"] not in ("queued", "running", "retrying") else None


def test_a_clean_clone_serves_runs_all_sixteen_jobs_and_stops(clone: Path, ups: list[Up]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    up = Up(clone, port, 1)
    ups.append(up)
    up.when_ready(seconds=FIRST_START)
    installed = (clone / ".venv" / ".installed").stat().st_mtime_ns
    assert DEMO in up.log
    assert call("GET", f"{up.address}/readyz")[0] == 200
    assert call("POST", f"{up.address}/cron/trigger/cleanup-sessions", token="forged")[0] == 401

    every_job_runs(up)
    every_report_has_the_keys_of_the_contract(up)

    family = up.family()
    assert up.interrupt() == 0, up.log[-3000:]
    assert wait_until(lambda: all(map(is_gone, family)), seconds=60), [each for each in family if not is_gone(each)]
    assert "Traceback" not in up.log

    again = Up(clone, port, 2)
    ups.append(again)
    again.when_ready(seconds=SECOND_START)
    assert again.get("/cron/metrics")["totalJobsExecuted"] >= len(PATHS)
    assert again.interrupt() == 0
    assert (clone / ".venv" / ".installed").stat().st_mtime_ns == installed  # nothing was installed anew,
    assert DEMO not in again.log  # and nothing filled in


def every_job_runs(up: Up) -> None:
    """Trigger all sixteen, wait for each, and look at what each said."""
    triggered, results = {}, {}
    for path in PATHS:
        status, body, headers = call("POST", f"{up.address}/cron/trigger/{path}")
        assert status == 202, (path, body)
        answer = json.loads(body)
        assert headers["Location"].endswith(answer["url"])
        assert answer["url"] == f"/cron/runs/{answer['runId']}"
        triggered[path] = answer["runId"]
    for path, run_id in triggered.items():
        run = eventually(
            lambda run_id=run_id: ended(up, run_id), seconds=60, what=f"the end of {path}", told=lambda: up.log[-3000:]
        )
        assert run is not None
        assert (run["job"], run["state"], run["attempt"]) == (path, "succeeded", 1), run
        assert ("notConfigured" in run["result"]) == (path in NOT_CONFIGURED), run["result"]
        results[path] = run["result"]
    sent = (up.clone / "var" / "messages.jsonl").read_text().splitlines()
    assert len(sent) >= results["reservation-reminders"]["sent"] > 0
    assert results["validate-credentials"]["checked"] > 0
    assert Path(results["backup-data"]["location"][0]).parent == up.clone / "var" / "backups"
    assert up.get("/cron/health")["lastProvenBackup"]["id"] == results["backup-data"]["backup"]
    verified = subprocess.run(
        [
            *(ROOT / ".venv" / "bin" / "python", "manage.py", "backup", "verify", results["backup-data"]["backup"]),
            *("--identity", "var/secrets/backup.key"),
        ],
        cwd=up.clone,
        env={name: value for name, value in os.environ.items() if name not in OURS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (verified.returncode, "all is there" in verified.stdout) == (0, True), verified.stderr


def every_report_has_the_keys_of_the_contract(up: Up) -> None:
    """The three endpoints, by their required keys."""
    status, health, metrics = (up.get(f"/cron/{name}") for name in ("status", "health", "metrics"))
    assert status.keys() >= STATUS
    assert health.keys() >= HEALTH
    assert metrics.keys() >= METRICS
    assert status["status"] == "active"
    assert all(job.keys() >= {"name", "schedule", "description"} for job in status["jobs"])
    names = ["cleanup-resolved-sessions" if path == "cleanup-sessions" else path for path in PATHS]
    assert sorted(job["name"] for job in status["jobs"]) == sorted(names)
    assert (health["status"], health["activeJobs"], health["lastError"]) == ("healthy", 16, None)
    assert (metrics["failedJobs"], metrics["successfulJobs"]) == (0, metrics["totalJobsExecuted"])
    assert metrics["totalJobsExecuted"] >= len(PATHS)
