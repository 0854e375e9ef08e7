"""The typed arguments of a job as the inputs of a form."""

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
    choices: list[Any] = field(default_factory=list)

    @property
    def step(self) -> str:
        """Whether fractions are taken."""
        return {"integer": "1", "number": "any"}.get(self.kind, "")


def inputs(job: Job) -> list[Input]:
    """What can be told to a run of the job, in the order of declaration."""
    schema = job.arguments.model_json_schema()
    required = schema.get("required", [])
    return [_input(name, each, name in required) for name, each in schema.get("properties", {}).items()]


def _input(name: str, schema: dict[str, Any], required: bool) -> Input:
    meant = next((each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"), schema)
    kind = meant.get("format") if meant.get("format") in INPUTS else meant.get("type", "json")
    default = schema.get("default")
    return Input(
        name=name,
        kind=str(kind) if kind in INPUTS else "json",
        type=INPUTS.get(str(kind), "text"),
        value="" if default is None else str(default).lower() if isinstance(default, bool) else str(default),
        required=required,
        choices=meant.get("enum", []),
    )
