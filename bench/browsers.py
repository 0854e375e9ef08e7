"""Open browsers, as the web server sees them: `python -m bench.browsers NAME PORT COOKIE …` prints one JSON object.

Each listens over a connection of its own, and fetches the page's main part anew as monitoring/page/live.js does.
"""

import asyncio
import json
import sys
import time
from contextlib import suppress
from statistics import median
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

AT_MOST_EVERY_S, REST, LONGEST_REST_S, QUIET_AFTER_S = 1.0, 5, 5.0, 6.0  # as in live.js
TOPICS = ["runs", "alerts", "reports", "performance"]
WARM = 5


class Site:
    """One kept connection to the web server, with the cookie of somebody who has signed in."""

    def __init__(self, port: int, cookie: str) -> None:
        self.port, self.cookie = port, cookie
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> float:
        """The seconds until a page was there whole; raises RuntimeError unless it was answered with 200."""
        began = time.perf_counter()
        if self._streams is None or self._streams[0].at_eof():  # servers close what lies idle
            self._streams = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        reader, writer = self._streams
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nCookie: {self.cookie}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if head.split(b" ", 2)[1] != b"200":
            raise RuntimeError(f"{path}: {head.decode(errors='replace')[:300]}")
        await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
        if b"connection: close" in head:
            writer.close()
            self._streams = None
        return time.perf_counter() - began


class Browser:
    """One tab with the first page."""

    def __init__(self, port: int, cookie: str, live: int) -> None:
        self._site, self._live = Site(port, cookie), f"127.0.0.1:{live}"
        self._wanted = asyncio.Event()
        self.delays: list[float] = []
        self.fetches: list[float] = []

    async def listen(self) -> None:
        """Hear of what happens, and note how old each progress was."""
        given = {"Cookie": self._site.cookie, "Origin": f"http://{self._live}"}
        async with connect(f"ws://{self._live}/ws/cron/", additional_headers=given, open_timeout=60) as live:
            await live.send(json.dumps({"type": "subscribe", "topics": TOPICS}))
            async for text in live:
                said = json.loads(text)
                if said["type"] == "event":
                    self._wanted.set()
                if said.get("kind") == "run_progressed":
                    self.delays.append(time.time() - float(said["data"]["progress"]["note"]))

    async def renew(self) -> None:
        """Fetch the part when something happened or all was quiet, and then rest."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), QUIET_AFTER_S)
            self._wanted.clear()
            took = await self._site.get("/overview")
            self.fetches.append(took)
            await asyncio.sleep(max(AT_MOST_EVERY_S, min(LONGEST_REST_S, REST * took)) - took)


async def watch(port: int, cookie: str, live: int, count: int, seconds: float) -> dict[str, Any]:
    """So many browsers for so long: how old progress was when it was told, and how long the parts took."""
    browsers = [Browser(port, cookie, live) for _ in range(count)]
    work = [asyncio.ensure_future(act()) for each in browsers for act in (each.listen, each.renew)]
    ended, going = await asyncio.wait(work, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for task in going:
        task.cancel()
    await asyncio.gather(*going, return_exceptions=True)
    for task in ended:
        with suppress(ConnectionClosed):
            task.result()
    delays, fetches = ([one for each in browsers for one in figures(each)] for figures in (_delays, _fetches))
    return {
        "told": len(delays),
        "delay_ms": median(delays) * 1000,
        "fetches": len(fetches),
        "fetch_ms": median(fetches) * 1000,
    }


async def look(port: int, cookie: str, seconds: float, pause: float) -> dict[str, Any]:
    """Somebody opens the first page again and again."""
    site, took = Site(port, cookie), []
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends or len(took) <= WARM:
        took.append(await site.get("/"))
        await asyncio.sleep(pause)
    return {"ms": median(took[WARM:]) * 1000, "times": len(took) - WARM}


def _delays(browser: Browser) -> list[float]:
    return browser.delays


def _fetches(browser: Browser) -> list[float]:
    return browser.fetches


if __name__ == "__main__":
    name, port, cookie, *numbers = sys.argv[1:]
    given = [int(each) if each.isdigit() else float(each) for each in numbers]
    print(json.dumps(asyncio.run({"watch": watch, "look": look}[name](int(port), cookie, *given))))
