"""The HTTP server under the stand-in: a thread for each kept-alive connection, and answers that can go wrong."""

import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

DRIP_EVERY = 0.05  # seconds between two bytes
MISSING = 64  # bytes that a cut answer promises and does not send


@dataclass
class Call:
    """One request as it came; `where` names the place that it was for."""

    method: str
    path: str
    query: dict[str, str]
    headers: Message  # answers to names in any case
    body: dict[str, Any]
    at: float = field(default_factory=time.monotonic)
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer: a dict goes out as JSON; `accept` notes the message as accepted although the answer is this one."""

    status: int = 200
    body: dict | str | bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    how: Literal["whole", "hang", "reset", "cut", "drip"] = "whole"
    accept: bool = False


class Server(ThreadingHTTPServer):
    """Serves until it is stopped; stopping cuts every connection and leaves no thread."""

    daemon_threads = False  # else closing does not wait for them
    request_queue_size = 256

    def __init__(self, port: int, *, answer: Callable[[Call], Reply]) -> None:
        self.answer = answer
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, name="stand-in")

    def start(self) -> None:
        """Serve in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End what waits, and close everything."""
        self._stopping.set()
        self.shutdown()
        self._thread.join()
        for connection in list(self._open):
            _cut(connection)
        self.server_close()

    def pause(self, seconds: float) -> bool:
        """Wait, unless the server is stopped; says whether it is."""
        return self._stopping.wait(seconds) if seconds > 0 else self._stopping.is_set()

    def wait_for_stop(self) -> None:
        """Wait for the end."""
        self._stopping.wait()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take in a connection, in the serving thread: so none is overlooked by `stop`."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close one connection."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may go at any moment; nothing else is expected to go wrong."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        call = self._read()
        try:
            reply = self.server.answer(call)
        except Exception as error:  # noqa: BLE001 - a mistake of the stand-in is shown to whoever runs into it
            reply = Reply(status=599, body=f"The stand-in failed: {error!r}")
        self._send(reply)

    do_POST = do_DELETE = do_PUT = do_GET  # noqa: N815

    def _read(self) -> Call:
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_json = "json" in self.headers.get("Content-Type", "")
        body = json.loads(raw) if is_json and raw else dict(parse_qsl(raw.decode(), keep_blank_values=True))
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return Call(self.command, parts.path, query, self.headers, body)

    def _send(self, reply: Reply) -> None:
        body = _bytes(reply.body)
        promised = len(body) + (MISSING if reply.how == "cut" else 0)
        match reply.how:
            case "whole":
                self.wfile.write(_head(reply, promised) + body)
                return
            case "cut":
                self.wfile.write(_head(reply, promised) + body)
            case "drip":
                self.wfile.write(_head(reply, promised))
                self._drip(body)
            case "hang":
                self.server.wait_for_stop()
            case "reset":
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.rfile.close()
                self.request.close()  # without a shutdown before it, so that a reset goes out and no orderly end
        self.close_connection = True

    def _drip(self, body: bytes) -> None:
        for each in body:
            if self.server.pause(DRIP_EVERY):
                return
            self.wfile.write(bytes([each]))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the library names it
        """Say nothing: what came is in `calls`."""


def _bytes(body: dict | str | bytes) -> bytes:
    if isinstance(body, dict):
        return json.dumps(body).encode()
    return body.encode() if isinstance(body, str) else body


def _head(reply: Reply, length: int) -> bytes:
    reason = HTTPStatus(reply.status).phrase if reply.status in set(HTTPStatus) else "Unknown"
    headers = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(length), **reply.headers}
    lines = [f"HTTP/1.1 {reply.status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was first
