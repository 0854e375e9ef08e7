import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from local.claims import claim_folder, claim_port
from local.errors import LocalError
from tests.local.conftest import Script

HOST = "127.0.0.1"
HOLD = """
import signal
from pathlib import Path
from local.claims import claim_folder
with claim_folder(Path({lock!r})):
    print("held", flush=True)
    signal.pause()
"""


def test_a_second_start_in_the_same_folder_is_told_who_runs(run_script: Callable[..., Script], tmp_path: Path) -> None:
    lock = tmp_path / "up.lock"
    first = run_script(HOLD.format(lock=str(lock)))
    first.wait_for("held")
    refusal = f"runs already in this folder, as process {first.process.pid}"
    with pytest.raises(LocalError, match=refusal), claim_folder(lock):
        pass
    first.signal(signal.SIGKILL)
    first.wait()
    with claim_folder(lock):
        assert lock.read_text() == f"{os.getpid()}\n"


@pytest.mark.parametrize("text", ["abc", "", "-1", "0", "65536", "80a", "²", " 8000"])
def test_a_port_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(LocalError, match=r"PORT=.* is not a port number; give one from 1 to 65535"):
        claim_port(text, host=HOST)


def test_a_free_port_is_taken() -> None:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    assert claim_port(str(port), host=HOST) == port


def test_a_busy_port_is_refused_with_the_way_out() -> None:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(LocalError, match=f"Port {port} is in use by another program. .*PORT="):
            claim_port(str(port), host=HOST)
