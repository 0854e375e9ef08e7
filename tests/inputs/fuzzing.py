"""Schemathesis over the served description: what it tried, and what it found, as text."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis import engine, hooks
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events

# What a description cannot say: that a run is one which the brake stopped, that a moment has not passed, which groups
# there are, that a schedule can be understood.
MEANT = {"confirms", "until", "expiresAt", "groups", "cron", "timezone", "every", "period"}

NOBODY = 2**31


@dataclass(kw_only=True)
class Outcome:
    """What became of a whole run of it."""

    statuses: Counter[int] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    found: dict[tuple[str, str, int], str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    operations: set[str] = field(default_factory=set)

    @property
    def told(self) -> str:
        """For the message of a failing test."""
        return "\n\n".join([*self.errors, *self.found.values()])


def tried(address: str, *, token: str, token_id: int, examples: int, steps: int, seed: int) -> Outcome:
    """Call every operation that the service describes with what it allows and with what it does not, in every phase."""
    headers = {"Authorization": f"Bearer {token}"}
    config = SchemathesisConfig.from_dict(_config(headers, examples=examples, steps=steps, seed=seed))
    schema = schemathesis.openapi.from_url(f"{address}/cron/openapi.json", config=config, headers=headers)

    outcome = Outcome(operations={each.ok().label for each in schema.get_all_operations()})
    with _keeping(token_id):
        for event in engine.from_schema(schema).execute():
            if isinstance(event, events.NonFatalError):
                outcome.errors.append(f"{event.label}: {event.value!r}")
            elif isinstance(event, events.FatalError):
                outcome.errors.append(repr(event.exception))
            elif isinstance(event, events.ScenarioFinished):
                _note(outcome, event)
    return outcome


@contextmanager
def _keeping(token_id: int) -> Iterator[None]:
    """Have nobody call at our own token: it would be revoked, and every further call be answered 401."""

    def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
        if str((case.path_parameters or {}).get("token_id")) == str(token_id):
            case.path_parameters["token_id"] = NOBODY

    schemathesis.hook(before_call)
    try:
        yield
    finally:
        hooks.unregister(before_call)


def _config(headers: dict[str, str], *, examples: int, steps: int, seed: int) -> dict[str, Any]:
    return {
        "headers": headers,
        "seed": seed,
        "workers": 1,
        "continue-on-failure": True,
        "request-timeout": 60,  # who waits for the log of a run gets an answer after half a minute
        "generation": {"deterministic": True, "database": "none", "max-examples": examples},
        # What was revoked is still told of, with the moment.
        "checks": {"use_after_free": {"enabled": False}},
        "phases": {"stateful": {"max-steps": steps}},
    }


def _note(outcome: Outcome, event: events.ScenarioFinished) -> None:
    recorder = event.recorder
    outcome.calls[event.phase.value] += len(recorder.interactions)
    outcome.statuses.update(each.response.status_code for each in recorder.interactions.values() if each.response)
    for case_id, check, failure in _failures(recorder):
        case, response = recorder.cases[case_id].value, recorder.interactions[case_id].response
        status = response.status_code if response else 0
        if check == "positive_data_acceptance" and _is_about_meaning(response):
            continue
        answer = response.content[:500] if response else b"no answer"
        told = f"{check} in {event.phase.value}: {failure}\n{case.as_curl_command()}\n{status} {answer!r}"
        outcome.found.setdefault((check, case.operation.label, status), told)


def _failures(recorder: Any) -> Iterator[tuple[str, str, Any]]:
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                yield case_id, check.name, check.failure_info.failure


def _is_about_meaning(response: Any) -> bool:
    """Whether an input was refused that has the form described, for what it means."""
    problem = response.json() if response is not None and response.status_code == 400 else {}
    named = {each["field"] for each in problem.get("errors", [])}
    return bool(named) and named <= MEANT
