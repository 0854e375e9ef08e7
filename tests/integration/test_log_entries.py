"""What a process logs just before it ends is in the database, and no outage of it holds anybody up."""

import signal
from collections.abc import Iterator

import pytest

from tests.integration.prepared import prepared
from tests.integration.stack import Process, Stack, call
from tests.integration.waiting import eventually, within

LAST_WORD = "This was the last word."  # as tests/integration/leaving.py has it


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("lines")
    with (
        prepared(folder) as servers,
        Stack(servers, folder, settings="tests.integration.leaving", environment={}) as stack,
    ):
        yield stack


@pytest.fixture(autouse=True)
def alone(stack: Stack) -> Iterator[None]:
    yield
    stack.end_processes()


def processes_that_said(stack: Stack, message: str) -> list[str]:
    found = stack.rows("SELECT process FROM monitoring_logentry WHERE message = %s ORDER BY id", [message])
    return [process for (process,) in found]


def said(stack: Stack, message: str, process: Process) -> bool:
    return any(name.endswith(f"#{process.pid}") for name in processes_that_said(stack, message))


def test_the_last_words_of_a_worker_a_beat_and_a_command(stack: Stack) -> None:
    worker, beat = stack.start_worker(), stack.start_beat()
    worker.stop()
    beat.stop()
    stack.manage("cron", "list")

    assert said(stack, LAST_WORD, worker)
    assert said(stack, LAST_WORD, beat)
    assert [name.partition("@")[0] for name in processes_that_said(stack, LAST_WORD)][-1] == "manage.py cron"


def test_the_last_lines_of_a_worker_s_child(stack: Stack) -> None:
    worker = stack.start_worker()
    [child] = worker.children
    stack.manage("cron", "trigger", "check-system-performance")
    worker.wait_for("A run started.")
    worker.stop()

    [process] = processes_that_said(stack, "This was a run.")
    assert process.endswith(f"#{child.pid}")


def test_the_last_lines_of_the_local_web_server(stack: Stack) -> None:
    address = stack.start_web()
    [web] = stack.processes
    assert call("GET", f"{address}/not-there")[0] == 404
    web.stop()

    assert said(stack, "Not Found: /not-there", web)


def test_the_last_lines_of_the_web_server_of_production(stack: Stack) -> None:
    command = ["-m", "gunicorn", "config.wsgi:application", "--bind", f"unix:{stack.folder}/web", "--workers", "2"]
    web = stack._start("gunicorn", command, {})
    eventually(lambda: len(web.children) == 2 and (stack.folder / "web").exists(), seconds=20, what="its workers")
    eventually(lambda: web.log.count("Booting worker") == 2, seconds=20, what="its workers")
    children = {child.pid for child in web.children}
    web.stop()

    said_it = {int(name.rpartition("#")[2]) for name in processes_that_said(stack, LAST_WORD)}
    assert children <= said_it


def test_an_outage_keeps_lines_waiting_and_does_not_keep_ctrl_c_waiting(stack: Stack) -> None:
    address = stack.start_web()
    [web] = stack.processes
    stack.servers.postgres.stop()
    try:
        for n in range(5):
            call("GET", f"{address}/outage-{n}")
        web.wait_for("Log lines cannot be stored", seconds=20)
        assert web.log.count("Log lines cannot be stored") == 1
    finally:
        stack.servers.postgres.start()
    eventually(lambda: said(stack, "Not Found: /outage-4", web), seconds=20, what="the line that waited")
    assert len(processes_that_said(stack, "Not Found: /outage-4")) == 1

    stack.servers.postgres.stop()
    try:
        call("GET", f"{address}/outage-at-the-end")
        with within(5):
            web.stop(asking=signal.SIGINT, grace=60)
    finally:
        stack.servers.postgres.start()
