"""A load generator: `python -m bench.http_load PORT PATH TOKEN CLIENTS SECONDS` prints what it saw as JSON."""

import json
import socket
import sys
import threading
import time
from typing import Any

EXPECTED = b"202"


class Client:
    """Posts without a body, one request after the other, on one connection for as long as the server keeps it."""

    def __init__(self, port: int, path: str, token: str) -> None:
        self._port = port
        self._request = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n"
        ).encode()
        self._socket: socket.socket | None = None

    def post(self) -> None:
        """One request and its answer; raises RuntimeError unless it is a 202."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=10)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(self._request)
        head, body = self._head()
        if head.split(b" ", 2)[1] != EXPECTED:
            raise RuntimeError(f"unexpected answer: {(head + body).decode(errors='replace')[:500]}")
        fields = head.lower()
        length = int(fields.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        while len(body) < length:
            body += self._socket.recv(65536)
        if b"connection: close" in fields:
            self._socket.close()
            self._socket = None

    def _head(self) -> tuple[bytes, bytes]:
        assert self._socket is not None
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self._socket.recv(65536)
            if not piece:
                raise RuntimeError("the server closed the connection")
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        return head + b"\r\n", body


def load(port: int, path: str, token: str, clients: int, seconds: float) -> dict[str, Any]:
    """So many clients at once for so long; latencies in milliseconds."""
    times: list[float] = []
    failures: list[str] = []
    begin = time.perf_counter()
    deadline = begin + seconds

    def work() -> None:
        client = Client(port, path, token)
        try:
            while (started := time.perf_counter()) < deadline:
                client.post()
                times.append(time.perf_counter() - started)
        except (RuntimeError, OSError) as failed:
            failures.append(str(failed))

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures or not times:
        raise SystemExit(f"{len(failures)} of {clients} clients failed; the first: {failures[:1]}")
    ordered = sorted(times)
    return {"rate": len(times) / (time.perf_counter() - begin), "p50_ms": ordered[len(ordered) // 2] * 1000}


if __name__ == "__main__":
    port, path, token, clients, seconds = sys.argv[1:]
    print(json.dumps(load(int(port), path, token, int(clients), float(seconds))))
