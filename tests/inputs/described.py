"""The operations of the API as its description has them, and addresses at which each of them can be called."""

import re
from dataclasses import dataclass
from typing import Any

from config.urls import api

UNDER = "/cron/"
# What the tests have put there; any other part is 1.
THERE = {"slug": "daily-report", "day": "2026-06-14", "run_id": "01890a5d-ac96-774b-bcce-b302099a8057"}
PART = re.compile(r"{(\w+)}")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation; `query` are its parameters there, by name, with the schema of each."""

    name: str
    method: str
    path: str
    query: dict[str, Any]
    has_body: bool
    required: tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    @property
    def changes(self) -> bool:
        """Whether it does something."""
        return self.method != "get"

    def address(self, **parts: str) -> str:
        """With the parts given, or else with what is there."""
        return PART.sub(lambda part: parts.get(part[1], THERE.get(part[1], "1")), self.path)

    @property
    def parts(self) -> list[str]:
        """The names of the variable parts of its path."""
        return PART.findall(self.path)


def operations() -> list[Operation]:
    """All of them, in the order of the description."""
    described = api.get_openapi_schema(path_prefix=UNDER)
    return [
        _operation(path, method, each)
        for path, methods in described["paths"].items()
        for method, each in methods.items()
    ]


def _operation(path: str, method: str, described: dict[str, Any]) -> Operation:
    query = {each["name"]: each for each in described.get("parameters", []) if each["in"] == "query"}
    return Operation(
        name=described["operationId"],
        method=method,
        path=path,
        query={name: each["schema"] for name, each in query.items()},
        required=tuple(name for name, each in query.items() if each.get("required")),
        has_body="requestBody" in described,
    )
