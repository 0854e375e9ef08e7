"""Bytes that no client sends, to the web servers in use: refused, and nothing is done, and the next is answered."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.inputs.raw import Answer, send
from tests.integration.prepared import prepared
from tests.integration.stack import TOKEN, Stack

TRIGGER = "/cron/trigger/daily-report"
DRY = b'{"dryRun": true}'


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("raw")
    with prepared(folder) as servers, Stack(servers, folder, settings="config.settings", environment={}) as stack:
        yield stack
        logs = "".join(process.log for process in stack.processes)
    for failure in ("Internal Server Error", "Exception in ", "Unhandled"):
        assert failure not in logs, logs


@pytest.fixture(scope="module", params=["uvicorn", "gunicorn"])
def web(request: pytest.FixtureRequest, stack: Stack) -> str:
    return stack.start_web() if request.param == "uvicorn" else stack.start_production_web()


@pytest.fixture
def trigger(web: str, stack: Stack) -> Iterator[Callable[..., Answer]]:
    """Send a trigger with some more lines in its head; each test ends with a server that answers."""
    stack.rows("DELETE FROM jobs_run")

    def post(*lines: bytes, body: bytes = b"", **how: Any) -> Answer:
        return send(web, request("POST", TRIGGER, *lines, body=body), **how)

    yield post
    assert send(web, request("GET", "/livez"), end=False).status == 200


def request(method: str, path: str | bytes, *lines: bytes, body: bytes = b"", host: bytes = b"127.0.0.1") -> bytes:
    place = path if isinstance(path, bytes) else path.encode()
    head = [method.encode() + b" " + place + b" HTTP/1.1", b"Host: " + host, b"Connection: close"]
    return b"\r\n".join([*head, b"Authorization: Bearer " + TOKEN.encode(), *lines, b"", body])


def runs(stack: Stack) -> list[bool]:
    """Of each run whether it is a dry one."""
    return [dry for (dry,) in stack.rows("SELECT dry_run FROM jobs_run ORDER BY id")]


JSON = b"Content-Type: application/json"
CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"5\r\n" + DRY[:5] + b"\r\n" + b"b\r\n" + DRY[5:] + b"\r\n0\r\n\r\n"


def test_a_body_in_chunks_is_read_whole(trigger: Callable[..., Answer], stack: Stack) -> None:
    """Taken for an empty one it would ask for a real run."""
    assert trigger(JSON, CHUNKED, body=CHUNKS, end=False).status == 202
    assert runs(stack) == [True]


def test_a_body_in_chunks_that_is_too_large_is_refused(trigger: Callable[..., Answer], stack: Stack) -> None:
    for size in (64 * 1024 + 1, 3_000_000):
        body = b"%x\r\n" % size + b" " * size + b"\r\n0\r\n\r\n"
        assert trigger(JSON, CHUNKED, body=body, end=False).status in (413, None)
    assert runs(stack) == []


CUT_OFF = {
    "before its first byte": ((b"Content-Length: 16",), b""),
    "in the middle": ((b"Content-Length: 16",), DRY[:7]),
    "where it could end": ((b"Content-Length: 4",), b"{}"),
    "and would have been too large": ((b"Content-Length: 2000000",), b""),
    "and would have been huge": ((b"Content-Length: 99999999999",), b"{}"),
    "before its first chunk": ((CHUNKED,), b""),
    "in the middle of a chunk": ((CHUNKED,), b"10\r\n{}"),
    "before its last chunk": ((CHUNKED,), b"2\r\n{}\r\n"),
}


@pytest.mark.parametrize("where", CUT_OFF)
def test_a_request_that_is_cut_off_does_nothing(trigger: Callable[..., Answer], stack: Stack, where: str) -> None:
    lines, body = CUT_OFF[where]
    assert trigger(JSON, *lines, body=body).status in (400, None)
    assert runs(stack) == []


BAD_LENGTHS: dict[str, tuple[bytes, ...]] = {
    "a word": (b"Content-Length: many",),
    "negative": (b"Content-Length: -1",),
    "signed": (b"Content-Length: +16",),
    "hexadecimal": (b"Content-Length: 0x10",),
    "of Arabic digits": ("Content-Length: ١٦".encode(),),
    "of wide digits": (b"Content-Length: \xb2",),
    "a fraction": (b"Content-Length: 16.0",),
    "two": (b"Content-Length: 16, 17",),
    "two lines": (b"Content-Length: 16", b"Content-Length: 17"),
    "of twenty digits": (b"Content-Length: 99999999999999999999",),
    "of five thousand digits": (b"Content-Length: " + b"9" * 5000,),
    "with chunks": (b"Content-Length: 3", CHUNKED),
}


@pytest.mark.parametrize("what", BAD_LENGTHS)
def test_a_length_that_is_none_is_refused(trigger: Callable[..., Answer], stack: Stack, what: str) -> None:
    body = CHUNKS if what == "with chunks" else DRY
    answer = trigger(JSON, *BAD_LENGTHS[what], body=body)
    assert answer.status in (400, 413, None), answer
    assert runs(stack) == []


BAD_CHUNKS: dict[str, tuple[bytes, bytes]] = {
    "of no size": (CHUNKED, b"\r\n{}\r\n0\r\n\r\n"),
    "of a word's size": (CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n"),
    "of negative size": (CHUNKED, b"-2\r\n{}\r\n0\r\n\r\n"),
    "of a huge size": (CHUNKED, b"f" * 20 + b"\r\n{}\r\n0\r\n\r\n"),
    "longer than said": (CHUNKED, b"1\r\n{}\r\n0\r\n\r\n"),
    "of another coding": (b"Transfer-Encoding: gzip", b"{}"),
    "of an unknown coding": (b"Transfer-Encoding: nonsense, chunked", CHUNKS),
    "chunked twice": (b"Transfer-Encoding: chunked, chunked", CHUNKS),
    "nearly chunked": (b"Transfer-Encoding: xchunked", CHUNKS),
}


@pytest.mark.parametrize("what", BAD_CHUNKS)
def test_chunks_that_are_none_are_refused(trigger: Callable[..., Answer], stack: Stack, what: str) -> None:
    line, body = BAD_CHUNKS[what]
    answer = trigger(JSON, line, body=body)
    assert answer.status in (400, 501, None), answer
    assert runs(stack) == []


BAD_HEADS: dict[str, bytes] = {
    "a line without a colon": b"nonsense",
    "a line that begins with a blank": b" folded: 1",
    "a name with a blank": b"X Other: 1",
    "a blank before the colon": b"Content-Length : 16",
    "a bare CR": b"X-Other: a\rX-More: 1",
    "a NUL": b"X-Other: a\x00b",
    "a name of NUL": b"\x00: 1",
    "no name": b": 1",
    "a second Host": b"Host: evil.example",
}


@pytest.mark.parametrize("what", BAD_HEADS)
def test_a_head_that_is_none_is_refused(trigger: Callable[..., Answer], stack: Stack, what: str) -> None:
    answer = trigger(BAD_HEADS[what], b"Content-Length: 0", end=False)
    assert answer.status is None or 400 <= answer.status < 500, answer
    assert "evil.example" not in answer.head
    assert runs(stack) == []


HUGE_HEADS = {
    "a huge line": b"X-Other: " + b"x" * 200_000,
    "ten thousand lines": b"\r\n".join(b"X-%d: 1" % number for number in range(10_000)),
}


@pytest.mark.parametrize("what", HUGE_HEADS)
def test_a_huge_head_is_refused_in_production_and_no_failure_elsewhere(
    trigger: Callable[..., Answer], web: str, stack: Stack, what: str
) -> None:
    """uvicorn knows no limit; it stands behind a proxy that does."""
    answer = trigger(HUGE_HEADS[what], b"Content-Length: 0", end=False)
    assert answer.status in (202, 400, 431, None), answer
    assert len(runs(stack)) == (answer.status == 202)


BAD_LINES: dict[str, bytes] = {
    "half a percent": b"GET /cron/% HTTP/1.1",
    "no percent": b"GET /cron/runs?job=%zz%&limit=%31%zz HTTP/1.1",
    "raw UTF-8 in the path": "GET /cron/jobs/cafetărie HTTP/1.1".encode(),
    "raw UTF-8 in the query": "GET /cron/runs?limit=ă HTTP/1.1".encode(),
    "no UTF-8 in the query": b"GET /cron/runs?limit=\xff HTTP/1.1",
    "NUL in the path": b"GET /cron/runs\x00 HTTP/1.1",
    "a blank in the path": b"GET /cron/runs and more HTTP/1.1",
    "a fragment": b"GET /cron/nowhere#a HTTP/1.1",
    "no path": b"GET  HTTP/1.1",
    "another scheme": b"GET gopher://127.0.0.1/cron/nowhere HTTP/1.1",
    "another site": b"GET http://evil.example/cron/nowhere HTTP/1.1",
    "an asterisk": b"OPTIONS * HTTP/1.1",
    "a tunnel": b"CONNECT 127.0.0.1:22 HTTP/1.1",
    "a trace": b"TRACE /cron/status HTTP/1.1",
    "an unknown method": b"BREW /cron/status HTTP/1.1",
    "no method": b"/cron/status HTTP/1.1",
    "HTTP/9.9": b"GET /cron/nowhere HTTP/9.9",
    "no version": b"GET /cron/nowhere",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00",
    "a huge path": b"GET /cron/" + b"x" * 200_000 + b" HTTP/1.1",
    "nothing": b"",
}


@pytest.mark.parametrize("what", BAD_LINES)
def test_a_first_line_that_is_none_is_refused(web: str, what: str) -> None:
    lines = [BAD_LINES[what], b"Host: 127.0.0.1", b"Connection: close", b"Authorization: Bearer " + TOKEN.encode()]
    answer = send(web, b"\r\n".join([*lines, b"", b""]), end=False)
    assert answer.status is None or 400 <= answer.status < 500, answer
    assert b"Bearer" not in answer.body
    assert send(web, request("GET", "/livez"), end=False).status == 200


@pytest.mark.parametrize("host", [b"evil.example", b"", b"127.0.0.1@evil.example", b"\xff", b"127.0.0.1 evil.example"])
def test_another_host_is_refused(web: str, host: bytes) -> None:
    answer = send(web, request("GET", "/cron/status", host=host), end=False)
    assert answer.status == 400
    assert b"evil" not in answer.body
