"""`bin/up`: the whole service on one machine, in one merged log, until Ctrl-C."""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from local.claims import claim_folder, claim_port, free_port
from local.kept import (
    kept_secret,
    new_backup_key,
    new_credential_key,
    new_password,
    new_secret_key,
    new_token,
    public_key,
    read_values,
    write_values,
)
from local.postgres import Postgres, find_binaries
from local.programs import Program
from local.runner import Runner, Stopped
from local.sockets import short_digest
from local.terminal import Lines
from local.test import PROVIDER_URLS
from local.valkey import Valkey

GROUPS = ("cron", "scheduled", "cleanup")
HOST = "127.0.0.1"
READY_SECONDS = 60
ASK_EVERY_SECONDS = 0.5
#: Root is what there is in many containers; every worker would say so in seven lines.
QUIET_ABOUT_ROOT = "ignore:You're running the worker with superuser privileges"


def main(*, root: Path) -> int:
    """Serve until stopped; answers the exit code. Raises LocalError when the start fails."""
    var = root / "var"
    var.mkdir(mode=0o700, exist_ok=True)
    with claim_folder(var / "up.lock"):
        port = claim_port(os.environ.get("PORT", "8000"), host=HOST)
        runner = Runner(Lines())
        runner.listen()
        try:
            Stack(runner, root=root, port=port).serve()
        except Stopped:
            runner.say("stopping; press Ctrl-C again to hurry")
        finally:
            runner.stop()
            print("Stopped.", flush=True)
    return 0


def _given(*names: str) -> bool:
    """Whether the environment has any of them."""
    return any(os.environ.get(name) for name in names)


class Stack:
    """The parts of the service, started in order."""

    def __init__(self, runner: Runner, *, root: Path, port: int) -> None:
        self.runner = runner
        self.var = root / "var"
        self.manage = [sys.executable, str(root / "manage.py")]
        self.address = f"http://{HOST}:{port}"
        self.port = port
        # Taken out of the environment: no process but the one that creates the operator is to see them.
        self.given_password = os.environ.pop("OPERATOR_PASSWORD", "")
        self.given_token = os.environ.pop("LOCAL_API_TOKEN", "")
        self.values: Mapping[str, str] = {}
        self.messages = "go to the providers that the environment names"
        self.backups = "go where the environment says"

    def serve(self) -> None:
        """Start everything and keep it running. Raises Stopped, or LocalError when a step of the start fails."""
        self.values = {**self._start_servers(), **self._start_stand_in(), **self._backups()}
        write_values(self.var / "local.env", self.values)
        self._prepare_database()
        self.runner.start(*self._workers(), self._celery("beat", "beat"), self._web())
        if not self.runner.watch(until=self._is_ready, seconds=READY_SECONDS, every=ASK_EVERY_SECONDS):
            self.runner.say(f"not ready after {READY_SECONDS} s, still trying; {self.address}/readyz {self._answer()}")
            self.runner.watch(until=self._is_ready, every=ASK_EVERY_SECONDS)
        print(self._banner(), flush=True)
        self.runner.watch(until=lambda: False)

    def _start_servers(self) -> dict[str, str]:
        earlier = read_values(self.var / "local.env")
        servers: dict[str, Postgres | Valkey] = {}
        if not os.environ.get("DATABASE_URL"):
            servers["DATABASE_URL"] = Postgres(self.var / "postgres", durable=True)
        if not os.environ.get("REDIS_URL"):
            servers["REDIS_URL"] = Valkey(self.var / "valkey", durable=True)
        self.runner.start(*(server.program() for server in servers.values()))
        defaults = {
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "SECRET_KEY": earlier.get("SECRET_KEY") or new_secret_key(),
            "CREDENTIAL_KEYS": earlier.get("CREDENTIAL_KEYS") or new_credential_key(),
            "ALLOWED_HOSTS": f"localhost,{HOST}",
            "HTTPS_ONLY": "false",
            "LOG_FORMAT": "console",
            **{name: server.url for name, server in servers.items()},
        }
        return {name: os.environ.get(name) or default for name, default in defaults.items()}

    def _start_stand_in(self) -> dict[str, str]:
        """Start the stand-in for the messaging providers, unless the environment says where they are."""
        if _given(*PROVIDER_URLS):
            return {}
        port = free_port(host=HOST)
        log = str(self.var / "messages.jsonl")
        self.messages = f"go to a stand-in for Meta and Twilio, which notes them in {log}"
        command = [sys.executable, "-m", "local", "provider", "--port", str(port), "--log", log]
        self.runner.start(self._program("providers", command))
        return dict.fromkeys(PROVIDER_URLS, f"http://{HOST}:{port}")

    def _backups(self) -> dict[str, str]:
        """Where backups go and who can open them, as far as the environment does not say."""
        values = {}
        if not _given("BACKUP_DIR", "BACKUP_S3_BUCKET"):
            values["BACKUP_DIR"] = str(self.var / "backups")
            self.backups = f"lie in {values['BACKUP_DIR']}"
        if not _given("BACKUP_RECIPIENTS"):
            file = self.var / "secrets" / "backup.key"
            values["BACKUP_RECIPIENTS"] = public_key(kept_secret(file, make=new_backup_key))
            self.backups += f", and open with {file}"
        if not _given("DATABASE_URL", "BACKUP_PG_BIN"):
            values["BACKUP_PG_BIN"] = str(find_binaries())
        return values

    def _prepare_database(self) -> None:
        self._run("migrate", "migrate", "--no-input", "--verbosity", "1")
        self._run("sync", "cron", "sync")
        seeded = self._seed_stamp()
        if not seeded.exists() and self._may_have_demo_data():
            self._run("demo", "seed_demo")
            seeded.touch()
        self._run("operator", "create_operator", OPERATOR_PASSWORD=self._password(), LOCAL_API_TOKEN=self._token())

    def _may_have_demo_data(self) -> bool:
        """The demo's guests have numbers that somebody may own: they must never reach a real provider."""
        addresses = (os.environ.get(name) or self.values.get(name, "") for name in PROVIDER_URLS)
        if all(urlsplit(address).hostname in (HOST, "localhost") for address in addresses):
            return True
        self.runner.say("no demo data: the environment names providers, and the demo's guests must not be written to")
        return False

    def _seed_stamp(self) -> Path:
        """Beside our own database, so that removing it removes the stamp; one for each foreign database."""
        if not os.environ.get("DATABASE_URL"):
            return self.var / "postgres" / "seeded"
        return self.var / f"seeded-{short_digest(self.values['DATABASE_URL'])}"

    def _run(self, name: str, *arguments: str, **environment: str) -> None:
        self.runner.run(self._program(name, [*self.manage, *arguments], **environment))

    def _program(self, name: str, command: list[str], **environment: str) -> Program:
        shared = {**self.values, "PYTHONUNBUFFERED": "1"}
        return Program(name=name, command=command, environment={**shared, **environment})

    def _workers(self) -> list[Program]:
        return [self._celery(group, "worker", "-c", "1", "-Q", group, "-n", f"{group}@%h") for group in GROUPS]

    def _celery(self, name: str, *arguments: str) -> Program:
        command = [sys.executable, "-m", "celery", "--quiet", "-A", "config", *arguments, "-l", "INFO"]
        return self._program(name, command, PYTHONWARNINGS=os.environ.get("PYTHONWARNINGS") or QUIET_ABOUT_ROOT)

    def _web(self) -> Program:
        (self.var / "static").mkdir(exist_ok=True)  # STATIC_ROOT: it stays empty here, but must exist
        uvicorn = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--no-access-log"]
        return self._program("web", [*uvicorn, "--host", HOST, "--port", str(self.port)])

    def _password(self) -> str:
        return self.given_password or kept_secret(self.var / "secrets" / "operator-password", make=new_password)

    def _token(self) -> str:
        return self.given_token or kept_secret(self.var / "secrets" / "api-token", make=new_token)

    def _is_ready(self) -> bool:
        return self._answer().startswith("200")

    def _answer(self) -> str:
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=3) as answer:  # noqa: S310 - our own address
                return f"{answer.status}"
        except urllib.error.HTTPError as error:
            return f"answers {error.code}: {error.read(500).decode(errors='replace').strip()}"
        except OSError as error:
            return f"does not answer: {error}"

    def _banner(self) -> str:
        password = "as given in OPERATOR_PASSWORD" if self.given_password else self._password()
        token = "as given in LOCAL_API_TOKEN" if self.given_token else self._token()
        bearer = "$LOCAL_API_TOKEN" if self.given_token else token
        return f"""
  The service is up: {self.address}
    page       {self.address}/   user: operator   password: {password}
    admin      {self.address}/admin/
    API token  {token}
    trigger    curl -X POST -H "Authorization: Bearer {bearer}" {self.address}/cron/trigger/cleanup-sessions
    messages   {self.messages}
    backups    {self.backups}
    stop       Ctrl-C
"""
