"""Many callers at once, each with a connection of its own that it keeps, and what all of them were answered."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One call and its answer."""

    path: str
    status: int
    headers: dict[str, str]
    body: Any


def all_at_once(address: str, paths: Iterable[str], *, token: str, connections: int) -> list[Answered]:
    """POST to every path, in order as connections become free; their answers, in the order in which they came."""
    return asyncio.run(_all(address, iter(paths), token, connections))


async def _all(address: str, paths: Iterator[str], token: str, connections: int) -> list[Answered]:
    answers: list[Answered] = []
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_caller(address, paths, token, answers))
    return answers


async def _caller(address: str, paths: Iterator[str], token: str, answers: list[Answered]) -> None:
    where = urlsplit(address)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    head = f"Host: {where.hostname}\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n"
    try:
        for path in paths:
            writer.write(f"POST {path} HTTP/1.1\r\n{head}".encode())
            answers.append(await _answer(path, reader))
    finally:
        writer.close()


async def _answer(path: str, reader: asyncio.StreamReader) -> Answered:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Answered(path=path, status=int(first.split(" ")[1]), headers=headers, body=json.loads(body))
