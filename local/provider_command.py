"""`python -m local provider`: the stand-in as a program of its own."""

import argparse
import json
import os
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from local.provider import Accepted, StandIn
from local.provider_statuses import Signing, StatusSender

FIELDS = ("provider", "id", "channel", "to", "sender", "text", "template", "language", "parameters", "reference")


def main(arguments: list[str]) -> int:
    """Print the address, and serve until the process is asked to end."""
    given = _parse(arguments)
    with ExitStack() as stack:
        stand_in = StandIn(port=given.port, latency=given.latency)
        if given.log:
            stand_in.listeners.append(Log(stack.enter_context(given.log.open("a"))).note)
        if given.statuses:
            app_secret, auth_token = (os.environ.get(name, "") for name in ("META_APP_SECRET", "TWILIO_AUTH_TOKEN"))
            signing = Signing(app_secret=app_secret, auth_token=auth_token)
            stand_in.listeners.append(stack.enter_context(StatusSender(given.statuses, signing=signing)).follow)
        stack.enter_context(stand_in)
        print(stand_in.url, flush=True)
        threading.Event().wait()  # until SIGTERM or Ctrl-C, both of which raise
    return 0


class Log:
    """One JSON line for each accepted message."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def note(self, message: Accepted) -> None:
        """Append the message."""
        line = json.dumps({**{name: getattr(message, name) for name in FIELDS}, "at": message.created_at.isoformat()})
        with self._lock:
            self._stream.write(f"{line}\n")
            self._stream.flush()


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local provider", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--log", type=Path, help="a file that gets one JSON line for each accepted message")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument(
        "--statuses",
        metavar="URL",
        help="the service that gets delivery statuses, signed with META_APP_SECRET and TWILIO_AUTH_TOKEN",
    )
    return parser.parse_args(arguments)
