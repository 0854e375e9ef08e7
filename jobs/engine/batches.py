"""Database work in keyset pages: one transaction per page, resumable, with the brake for deletions."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Model, QuerySet

from jobs.engine import brake

if TYPE_CHECKING:
    from jobs.engine.context import RunContext

SIZE = 1000
SAMPLE = 5


class Cursor:
    """Where each `in_batches` of a body stands, in the order of the calls; survives a drain as JSON."""

    def __init__(self, stored: list[dict[str, Any]] | None) -> None:
        self._steps = stored or []
        self._next = 0

    def take(self) -> dict[str, Any]:
        """The place of the next `in_batches` call: after which key to go on, rows done, and whether it is finished."""
        if self._next == len(self._steps):
            self._steps.append({"after": None, "done": 0, "finished": False})
        step = self._steps[self._next]
        self._next += 1
        return step

    def leave_behind(self) -> list[int]:
        """Let the next calls begin anew behind all that is stored; how many rows each of the stored ones had done."""
        self._next = len(self._steps)
        return [int(step["done"]) for step in self._steps]

    def as_json(self) -> list[dict[str, Any]] | None:
        """What is stored with the run; None when no batch was begun."""
        return self._steps or None


def run(context: "RunContext", rows: QuerySet[Any], act: Callable[[QuerySet[Any]], int], *, size: int) -> int:
    """Work through the rows as described at RunContext.in_batches; returns the count."""
    place = context.cursor.take()
    if place["finished"]:
        return int(place["done"])
    if context.dry_run:
        return _look(context, rows)
    matching = _after(rows, place["after"]).count()
    if context.brake_share is not None and not context.confirmed:
        removed, share = place["done"], context.brake_share
        brake.check(rows, matching=matching, already_removed=removed, share=share, now=context.now, run_id=context.id)
    total = matching + place["done"]
    note = str(rows.model._meta.verbose_name_plural)
    while page := _page(rows, place["after"], size):
        with transaction.atomic():
            place["done"] += act(_after(rows, place["after"]).filter(pk__lte=page[-1]))
            place["after"] = str(page[-1])
            context.progress(place["done"], max(total, place["done"]), note)
    place["finished"] = True
    context.progress(place["done"], place["done"], note)
    return int(place["done"])


def _page(rows: QuerySet[Any], after: str | None, size: int) -> list[Any]:
    return list(_after(rows, after).order_by("pk").values_list("pk", flat=True)[:size])


def _after(rows: QuerySet[Any], after: str | None) -> QuerySet[Any]:
    return rows if after is None else rows.filter(pk__gt=after)


def _look(context: "RunContext", rows: QuerySet[Any]) -> int:
    model: type[Model] = rows.model
    sample = [str(key) for key in rows.order_by("pk").values_list("pk", flat=True)[:SAMPLE]]
    context.samples[model._meta.label] = sample
    return rows.count()
