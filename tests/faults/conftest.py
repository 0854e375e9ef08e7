import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from local.provider import StandIn
from tests.faults.probes import Probes
from tests.integration.prepared import prepared
from tests.integration.stack import Stack
from tests.integration.waiting import eventually

SLOTS = 3
BOOKED = """
INSERT INTO reservations_reservation
       (reference, guest_name, phone, language, starts_at, timezone, party_size, channel, status)
SELECT 'H-' || number, 'Ana Pop', '+4071' || (1000000 + number), 'ro', now() + interval '1 hour', 'Europe/Bucharest', 2,
       'whatsapp', 'booked'
  FROM generate_series(1, %s) number
"""
FORGET = "TRUNCATE reservations_reservation, external_apis_credential, external_apis_sender CASCADE"
LONG = os.environ.get("FAULTS") == "long"


@contextmanager
def built(folder: Path) -> Iterator[Probes]:
    """Servers of their own with the probes' tables, and no process yet."""
    effects, gate = folder / "effects", folder / "gate"
    environment = {"EFFECTS_FILE": str(effects), "GATE_FILE": str(gate)}
    with ExitStack() as cleanup:
        servers = cleanup.enter_context(prepared(folder))
        stack = cleanup.enter_context(Stack(servers, folder, settings="tests.faults.settings", environment=environment))
        probes = Probes(stack, effects=effects, gate=gate)
        probes.prepare()
        yield probes


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probes]:
    """Servers for tests that start and end processes of their own, one test or module after the other."""
    with built(tmp_path_factory.mktemp("empty")) as probes:
        yield probes


@pytest.fixture
def provider() -> Iterator[StandIn]:
    """What is sent to Meta goes here."""
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def probes(bare: Probes) -> Iterator[Probes]:
    """A stack without processes; those that the test starts end with it."""
    bare.forget()
    yield bare
    bare.stack.end_processes()


@pytest.fixture(scope="session")
def _living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probes]:
    with built(tmp_path_factory.mktemp("living")) as probes:
        yield probes


@pytest.fixture
def living(_living: Probes) -> Iterator[Probes]:
    """A scheduler, a worker of all groups and a web server that go on from test to test, through every outage."""
    stack = _living.stack
    if not stack.processes or not all(process.alive for process in stack.processes):
        stack.end_processes()
        stack.start_beat(wait=False)
        stack.start_worker(slots=SLOTS)
    _living.forget()
    yield _living
    _living.open_gate()
    for server in (stack.servers.postgres, stack.servers.valkey):
        server.start()
        server.resume()
    dead = [process.name for process in stack.processes if not process.alive]
    assert not dead, f"did not outlive the test: {dead}"
    # Whoever still waited when the next test shuts the gate again would keep a slot for ever.
    eventually(lambda: not _living.states("probe-gate")["running"], seconds=60, what="the end of the gate's runs")


@pytest.fixture
def address(living: Probes) -> str:
    """Where the living stack's web server answers."""
    return living.stack.web or living.stack.start_web()
