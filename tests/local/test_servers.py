import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from local.errors import LocalError
from local.identity import AS_NOBODY, AS_NOBODY_PASSING, NOBODY, Identity
from local.postgres import SYSTEM_FOLDER, Postgres, find_binaries
from local.programs import recorded_pid, wait_until
from local.servers import Server, Servers
from local.sockets import socket_folder
from tests.local.conftest import ROOT, SITE_PACKAGES, Script, all_gone

HOLD = """
import signal
from pathlib import Path
from local.servers import Servers
servers = Servers(Path({folder!r}), durable=False)
servers.start()
print("pid", servers.postgres.pid)
print("pid", servers.valkey.pid)
print("serving", flush=True)
signal.pause()
"""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with Servers(tmp_path_factory.mktemp("servers"), durable=False) as running:
        yield running


def database_answers(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def broker(servers: Servers) -> redis.Redis:
    path = servers.redis_url.removeprefix("redis+socket://")
    return redis.Redis(unix_socket_path=path, socket_timeout=1, retry=Retry(NoBackoff(), 0))


def test_both_servers_answer_on_unix_sockets_only(servers: Servers) -> None:
    assert database_answers(servers.database_url)
    assert broker(servers).config_get("port", "maxmemory-policy") == {"port": "0", "maxmemory-policy": "noeviction"}
    with psycopg.connect(servers.database_url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_a_killed_postgres_starts_again_on_its_data_at_once(servers: Servers) -> None:
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (n int)")
    first = servers.postgres.pid
    servers.postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        database_answers(servers.database_url)
    servers.postgres.start()
    assert servers.postgres.pid != first
    with psycopg.connect(servers.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_a_killed_valkey_starts_again(servers: Servers) -> None:
    servers.valkey.kill()
    with pytest.raises(redis.ConnectionError):
        broker(servers).ping()
    servers.valkey.start()
    assert broker(servers).ping()


def test_a_paused_valkey_is_silent_until_resumed(servers: Servers) -> None:
    servers.valkey.pause()
    with pytest.raises(redis.TimeoutError):
        broker(servers).ping()
    servers.valkey.resume()
    assert broker(servers).ping()


def test_pausing_postgres_stops_its_open_connections_too(servers: Servers) -> None:
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        servers.postgres.pause()
        connection.pgconn.send_query(b"SELECT 1")

        def answered() -> bool:
            connection.pgconn.consume_input()
            return not connection.pgconn.is_busy()

        assert not wait_until(answered, seconds=0.2)
        servers.postgres.resume()
        assert wait_until(answered, seconds=60)
        while connection.pgconn.get_result():
            pass


def test_a_stale_pid_that_names_a_living_stranger_does_not_hinder_the_start(servers: Servers) -> None:
    data = servers.postgres.files.folder / "data"
    servers.postgres.stop()
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n1700000000\n5432\n/nowhere\n\n\n")
    servers.postgres.start()
    assert database_answers(servers.database_url)


def test_servers_die_with_the_process_that_started_them(run_script: Callable[..., Script], tmp_path: Path) -> None:
    script = run_script(HOLD.format(folder=str(tmp_path / "held")))
    script.wait_for("serving")
    pids = script.numbers("pid ")
    script.signal(signal.SIGKILL)
    script.wait()
    assert len(pids) == 2
    assert all_gone(pids)


def test_a_server_left_behind_by_a_killed_start_is_stopped_first(tmp_path: Path) -> None:
    left, again = (Server(Postgres(tmp_path, durable=False)) for _ in range(2))
    left.start()
    again.start()
    try:
        assert recorded_pid(tmp_path / "data" / "postmaster.pid") == again.pid
        assert all_gone([left.pid])
        assert database_answers(again.url)
    finally:
        again.stop()
        left.kill()


def test_a_folder_with_a_very_long_or_odd_name_gets_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 60) / ("o dată și " + "b" * 50)
    with Servers(deep, durable=False) as servers:
        assert database_answers(servers.database_url)
        assert broker(servers).ping()
    for folder in (socket_folder(deep / "postgres"), socket_folder(deep / "valkey")):
        assert len(str(folder)) < 40
        shutil.rmtree(folder)


def test_data_of_another_major_version_is_refused_with_the_way_out(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("11\n")
    with pytest.raises(LocalError, match=r"made by PostgreSQL 11, but the server .* LOCAL_PG_BIN"):
        Server(Postgres(tmp_path, durable=False)).start()


def test_a_wrong_bin_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_PG_BIN", str(tmp_path))
    with pytest.raises(LocalError, match=f"LOCAL_PG_BIN={tmp_path} holds no program named postgres"):
        find_binaries()


def test_a_bin_folder_of_the_system_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = sorted(SYSTEM_FOLDER.glob("*/bin/postgres"))
    if not found:
        pytest.skip("no PostgreSQL of the system here")
    monkeypatch.setenv("LOCAL_PG_BIN", str(found[0].parent))
    server = Server(Postgres(tmp_path, durable=False))
    server.start()
    assert database_answers(server.url)
    server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
@pytest.mark.parametrize("identity", [AS_NOBODY, AS_NOBODY_PASSING], ids=["setpriv", "setpriv, closed folders"])
def test_root_falls_back_to_nobody_with_the_data_in_var_tmp(tmp_path: Path, identity: Identity) -> None:
    postgres = Postgres(tmp_path, durable=False, identity=identity)
    if subprocess.run([*identity.prefix, postgres.binaries / "postgres", "--version"], check=False).returncode:
        pytest.skip("nobody may not run the binaries here")
    server = Server(postgres)
    try:
        server.start()
        assert database_answers(server.url)
        assert (postgres.data / "PG_VERSION").stat().st_uid == NOBODY
    finally:
        server.stop()
        subprocess.run(["rm", "-rf", str(postgres.home)], check=True)


@pytest.fixture
def python_of_nobody() -> list[str]:
    """The command of a Python that an ordinary user may run, with our libraries."""
    if os.geteuid() != 0:
        pytest.skip("every other test has an ordinary user already")
    python = f"/usr/bin/python3.{sys.version_info.minor}"
    command = [*AS_NOBODY.prefix, python]
    reading = f"import os; os.listdir({str(SITE_PACKAGES / 'psutil')!r}); os.listdir({str(ROOT / 'local')!r})"
    if subprocess.run([*command, "-c", reading], check=False, capture_output=True).returncode:
        pytest.skip(f"an ordinary user may not run {python} with the libraries of this environment")
    return command


def test_it_works_for_an_ordinary_user(run_script: Callable[..., Script], python_of_nobody: list[str]) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        os.chown(folder, NOBODY, NOBODY)
        script = run_script(HOLD.format(folder=folder), python_of_nobody)
        script.wait_for("serving")
        assert Path(folder, "postgres", "data").stat().st_uid == NOBODY
        pids = script.numbers("pid ")
        script.signal(signal.SIGKILL)
        assert all_gone(pids)
