"""The runs of a job, page by page: the newest first, each page beginning behind the last row of the one before."""

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict

from jobs.models import Run, State

ROWS = 25
HEAVY = ("arguments", "progress", "cursor", "result", "traceback")


@dataclass(frozen=True, kw_only=True)
class History:
    """One page; `state` is the only one that is shown, `older` the query of the next page where there is one."""

    runs: list[Run]
    state: str
    older: str
    is_newest: bool


def history(job: str, asked: QueryDict) -> History:
    """The page that is asked for; what makes no sense is as if it were not asked; one query."""
    state, before = _state(asked.get("state", "")), _id(asked.get("before", ""))
    rows = Run.objects.filter(job=job)
    if state:
        rows = rows.filter(state=state)
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk").defer(*HEAVY)[: ROWS + 1])
    runs = found[:ROWS]
    more = {**({"state": state} if state else {}), "before": runs[-1].pk} if len(found) > ROWS else {}
    return History(runs=runs, state=state, older=urlencode(more), is_newest=before is None)


def _state(text: str) -> str:
    return text if text in State.values else ""


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
