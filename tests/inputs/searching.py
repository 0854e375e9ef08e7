"""Where a text stands: in the columns of a database, in the values of a broker, in files, and on the admin's pages."""

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from tests.integration.stack import Stack

TABLES = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
 WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""
LINK = re.compile(r'href="(/admin/[^"#?]*)')
MOST_PAGES = 400
OF_ONE_KIND = 4  # rows of a list to look at


def columns(stack: Stack) -> Iterator[tuple[str, str]]:
    """Each value of every table, as text, by table.column; the schema public is not named."""
    with stack.connection() as connection:
        for (table,) in connection.execute(TABLES).fetchall():
            for (row,) in connection.execute(f"SELECT to_jsonb(t) FROM {table} t").fetchall():  # noqa: S608  its own names
                for column, value in row.items():
                    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                    yield f"{table.removeprefix('public.')}.{column}", text


def broker(stack: Stack) -> Iterator[tuple[str, str]]:
    """Each value that lies in Valkey, by its key."""
    with stack.valkey() as client:
        for key in client.scan_iter():
            yield f"valkey {key!r}", repr(client.dump(key)) + repr(_read(client, key))


def files(folder: Path, pattern: str = "*") -> Iterator[tuple[str, str]]:
    """What each file holds, by its name."""
    for file in folder.rglob(pattern):
        if file.is_file():
            yield file.name, file.read_text(errors="replace")


def pages(stack: Stack, session: str) -> Iterator[tuple[str, str]]:
    """Every list of the admin and some rows of each, by the page's address, as the person of that session sees them."""
    todo, seen = ["/admin/"], {"/admin/logout/", "/admin/"}
    with closing(http.client.HTTPConnection(urlsplit(stack.web).netloc, timeout=60)) as connection:
        while todo and len(seen) < MOST_PAGES:
            address = todo.pop(0)
            connection.request("GET", address, headers={"Cookie": f"sessionid={session}"})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            assert answer.status in (200, 302, 403), (address, answer.status)
            yield address, text
            new = [each for each in dict.fromkeys(LINK.findall(text)) if each not in seen]
            rows = [each for each in new if each.endswith(("/change/", "/history/"))][:OF_ONE_KIND]
            new = [each for each in new if each in rows or not each.endswith(("/change/", "/history/"))]
            seen.update(new)
            todo += new


def _read(client: object, key: bytes) -> object:
    kind = client.type(key)  # type: ignore[attr-defined]
    readers = {
        b"list": lambda: client.lrange(key, 0, -1),  # type: ignore[attr-defined]
        b"hash": lambda: client.hgetall(key),  # type: ignore[attr-defined]
        b"set": lambda: client.smembers(key),  # type: ignore[attr-defined]
        b"zset": lambda: client.zrange(key, 0, -1),  # type: ignore[attr-defined]
        b"string": lambda: client.get(key),  # type: ignore[attr-defined]
        b"stream": lambda: client.xrange(key),  # type: ignore[attr-defined]
    }
    return readers[kind]()
