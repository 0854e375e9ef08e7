"""`bin/test`: the static checks, then pytest on a PostgreSQL and a Valkey of its own."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local.errors import LocalError
from local.kept import new_credential_key, new_secret_key
from local.servers import Servers
from local.terminal import heading

QUICK_CHECKS = (
    ("ruff check", ["ruff", "check", "."]),
    ("ruff format", ["ruff", "format", "--check", "."]),
    ("import-linter", ["lint-imports"]),
)
SLOW_CHECK = ("mypy", ["mypy"])  # half a minute of one core in a clean clone, so it runs beside the tests
PROVIDER_URLS = ("META_GRAPH_URL", "TWILIO_API_URL", "TWILIO_IAM_URL", "TWILIO_ACCOUNTS_URL")
NOBODY = "http://127.0.0.1:9"  # a test that speaks to a provider brings its own stand-in
OWN_PREFIXES = (
    "ALERT_",
    "BACKUP_",
    "CRON_",
    "EMAIL_",
    "META_",
    "TWILIO_",
    "PROVIDER_",
    "REMINDER_",
    "REPORT_",
    "OUTGOING_",
    "OTEL_",
    "PING_URL",
    "PUBLIC_URL",
    "SECRETS_DIR",
)
# A hundred processes of the service are started, and each would compile our code and rewrite our tests anew.
SLOWING_DOWN = "PYTHONDONTWRITEBYTECODE"
# The whole suite, file by file and in our order, on two processes more than there are cores: tests of real processes
# mostly wait.
PROCESSES = min((os.cpu_count() or 1) + 2, 4)
SIDE_BY_SIDE = ["-n", str(PROCESSES), "--dist", "loadfile", "--no-loadscope-reorder"]


def main(arguments: list[str], *, root: Path) -> int:
    """Run what the arguments ask for and answer the exit code: 0 only when every step passed."""
    pytest_arguments, narrowed = read_arguments(arguments, root=root)
    with tempfile.TemporaryDirectory(prefix="cron-test-") as folder, Servers(Path(folder), durable=False) as servers:
        environment = _environment(servers)
        if "--faults" in arguments:
            environment["FAULTS"] = "long"
        if narrowed:
            return _pytest(pytest_arguments, root, environment)
        failed = [name for name, command in QUICK_CHECKS if not _passes(name, command, root, environment)]
        if failed:
            print(heading(f"failed: {', '.join(failed)}; the tests follow"), flush=True)
        with beside(*SLOW_CHECK, root, environment) as passes:
            code = _pytest([*SIDE_BY_SIDE, *pytest_arguments], root, environment)
            sound = passes() and not failed
        return code or int(not sound)


def read_arguments(arguments: list[str], *, root: Path) -> tuple[list[str], bool]:
    """What pytest gets, and whether that is less than everything. Raises LocalError on a job without tests."""
    ours: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--faults":
            ours.append("tests/faults")
        elif argument == "--job":
            ours.append(_test_file(next(rest, ""), root=root))
        elif argument.startswith("--job="):
            ours.append(_test_file(argument.removeprefix("--job="), root=root))
        else:
            ours.append(argument)
    return ours, bool(arguments)


@contextmanager
def beside(name: str, command: list[str], root: Path, environment: dict[str, str]) -> Iterator[Callable[[], bool]]:
    """Start a check, to be asked for at the end: it then says what it found. Killed when that is not waited for."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=output, stderr=subprocess.STDOUT)

        def passes() -> bool:
            passed = process.wait() == 0
            output.seek(0)
            print(heading(name), output.read().decode(errors="replace"), sep="\n", end="")
            print(f"{name}: {'passed' if passed else 'FAILED'}, beside the tests", flush=True)
            return passed

        try:
            yield passes
        finally:
            process.kill()
            process.wait()


def _pytest(arguments: list[str], root: Path, environment: dict[str, str]) -> int:
    """pytest's exit code; Ctrl-C is pytest's to answer, and we wait for its summary."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        command = [sys.executable, "-m", "pytest", *arguments]
        return subprocess.run(command, cwd=root, env=environment, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _test_file(slug: str, *, root: Path) -> str:
    folder = Path("tests", "catalog")
    file = folder / f"test_{slug.replace('-', '_')}.py"
    if (root / file).is_file():
        return str(file)
    known = sorted(path.stem.removeprefix("test_").replace("_", "-") for path in (root / folder).glob("test_*.py"))
    raise LocalError(f"--job {slug!r}: there is no {file}. Jobs with tests: {', '.join(known) or 'none'}.")


def _environment(servers: Servers) -> dict[str, str]:
    """Ours, but the settings of the person at the keyboard must not change what the tests see."""
    unwanted = (*OWN_PREFIXES, SLOWING_DOWN)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    scripts = Path(sys.executable).parent
    return {
        **inherited,
        "PATH": f"{scripts}{os.pathsep}{inherited.get('PATH', os.defpath)}",
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "SECRET_KEY": new_secret_key(),
        "CREDENTIAL_KEYS": new_credential_key(),
        "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
        "HTTPS_ONLY": "false",
        "LOG_FORMAT": "console",
        **dict.fromkeys(PROVIDER_URLS, NOBODY),
    }


def _passes(name: str, command: list[str], root: Path, environment: dict[str, str]) -> bool:
    started = time.monotonic()
    print(heading(name), flush=True)
    passed = subprocess.run(command, cwd=root, env=environment, check=False).returncode == 0
    print(f"{name}: {'passed' if passed else 'FAILED'} in {time.monotonic() - started:.1f} s", flush=True)
    return passed
