"""Requests byte by byte, as no client would send them, and what comes back."""

import socket
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

TIMEOUT_S = 20


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The first answer on a connection; no status when it was closed without one."""

    status: int | None
    head: str
    body: bytes


def send(address: str, request: bytes, *, end: bool = True) -> Answer:
    """Send the bytes, end our half of the connection unless told not to, and read to its end."""
    where = urlsplit(address)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=TIMEOUT_S) as connection:
        with suppress(ConnectionError):  # the server may have refused before it has read everything
            connection.sendall(request)
            if end:
                connection.shutdown(socket.SHUT_WR)
        return _first(_all_of(connection))


def _all_of(connection: socket.socket) -> bytes:
    pieces = []
    with suppress(ConnectionError):
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def _first(received: bytes) -> Answer:
    if not received:
        return Answer(status=None, head="", body=b"")
    head, _, rest = received.partition(b"\r\n\r\n")
    _, status, *_ = head.split(b" ", 2)
    return Answer(status=int(status), head=head.decode("latin-1"), body=rest)
