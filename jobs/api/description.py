"""The description of the API: what its operations declare, and what every one of them may answer besides."""

from http import HTTPStatus
from typing import Any

from ninja.openapi.schema import REF_TEMPLATE, OpenAPISchema

from jobs.api.idempotency import PARAMETER
from jobs.api.problems import MEDIA_TYPE

PROBLEM = {"schema": {"$ref": REF_TEMPLATE.format(model="ProblemDetails")}}
ALWAYS = (400, 401, 403, 405, 503)
BY_PATH = (404,)  # where the address has a part that may name nothing
CHANGING = (409, 413, 415)  # a reused Idempotency-Key; and a body is looked at even where none is taken

NO_NUL = r"^[^\u0000]*$"  # of all characters the one that the database keeps in no text
QUOTING = {"ProblemDetails", "FieldError"}  # what was sent, whatever it was
SAID_OTHERWISE = {"pattern", "format", "enum", "const"}


class Description(OpenAPISchema):
    """OpenAPI of the whole API, in which errors are problems and every shape has a name of its own."""

    def __init__(self, api: Any, path_prefix: str) -> None:
        super().__init__(api, path_prefix)
        for path, operations in self["paths"].items():
            for method, operation in operations.items():
                if method == "post":
                    operation.setdefault("parameters", []).append(PARAMETER)
                for status in _refusals(path, method):
                    _may_answer_problem(operation["responses"], status)
                for response in operation["responses"].values():
                    _mark_problem(response.get("content", {}))
        _exclude_nul([self["paths"], [shape for name, shape in self.schemas.items() if name not in QUOTING]])

    def add_schema_definitions(self, definitions: dict[str, Any]) -> None:
        """Take shapes in; raises ValueError for a second one of a name, which would silently replace the first."""
        for name, shape in definitions.items():
            if self.schemas.setdefault(name, shape) != shape:
                raise ValueError(f"Two shapes of the API are called {name!r}: rename one of the classes.")


def _refusals(path: str, method: str) -> set[int]:
    return {
        *ALWAYS,
        *(BY_PATH if "{" in path else ()),
        *(CHANGING if method != "get" else ()),
    }


def _may_answer_problem(responses: dict[Any, Any], status: int) -> None:
    response = responses.setdefault(status, {"description": HTTPStatus(status).phrase})
    content = response.setdefault("content", {})
    if content.get("application/json") != PROBLEM:
        content[MEDIA_TYPE] = PROBLEM


def _mark_problem(content: dict[str, Any]) -> None:
    if content.get("application/json") == PROBLEM:
        content[MEDIA_TYPE] = content.pop("application/json")


def _exclude_nul(schema: Any) -> None:
    inner: Any = schema if isinstance(schema, list) else ()
    if isinstance(schema, dict):
        inner = schema.values()
        if schema.get("type") == "string" and not SAID_OTHERWISE & set(schema):
            schema["pattern"] = NO_NUL
    for each in inner:
        _exclude_nul(each)
