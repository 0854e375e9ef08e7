"""The typed arguments of a job as the inputs of a form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.engine.definition import Job

INPUTS = {
    "boolean": "checkbox",
    "integer": "number",
    "number": "number",
    "date": "date",
    "date-time": "datetime-local",
    "string": "text",
}


@dataclass(frozen=True, kw_only=True)
class Input:
    """One argument: `kind` is its type in JSON, `type` that of the input; what has none is written as JSON."""

    name: str
    kind: str
    type: str
    value: str
    required: bool
    choices: list[str] = field(default_factory=list)

    @property
    def step(self) -> str:
        """Whether fractions are taken; of moments the seconds are."""
        return {"integer": "1", "number": "any", "date-time": "1"}.get(self.kind, "")


def inputs(job: Job, given: Mapping[str, Any] | None = None) -> list[Input]:
    """What can be told to a run of the job, in the order of declaration; as it was `given` to a run, or as declared."""
    schema, known = job.arguments.model_json_schema(), given or {}
    required = schema.get("required", [])
    return [
        _input(name, each, name in required, known.get(name, each.get("default")))
        for name, each in schema.get("properties", {}).items()
    ]


def _input(name: str, schema: dict[str, Any], required: bool, value: Any) -> Input:
    meant = next((each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"), schema)
    kind = meant.get("format") if meant.get("format") in INPUTS else meant.get("type", "json")
    return Input(
        name=name,
        kind=str(kind) if kind in INPUTS else "json",
        type=INPUTS.get(str(kind), "text"),
        value=_text(value),
        required=required,
        choices=[_text(each) for each in meant.get("enum", [])],
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
