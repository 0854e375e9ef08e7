"""Database work in keyset pages: one short transaction per page, resumable, with the brake for deletions."""

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import OperationalError, transaction
from django.db.models import Aggregate, Model, QuerySet

from jobs.engine import brake, sql

if TYPE_CHECKING:
    from jobs.engine.context import RunContext

FIRST = 200  # who knows how many children they have
FEWEST, MOST = 100, 25_000
# What the act of a page may take: whoever wants one of its rows waits as long. The commit is left out, since smaller
# pages would not make a busy disk any faster.
PAGE_S = 0.015
SAMPLE = 5

# A page that meets a row which somebody holds is done again without the rows that are held. What it then still waits
# for (a child that somebody holds) is given up for this run. Both are below the second after which PostgreSQL looks for
# deadlocks, so that it is never the other side that has to give way.
PATIENCE = "50ms"
LAST_PATIENCE = "500ms"
IN_THE_WAY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
LEFT = "Rows are left for the next run, as others hold rows that belong to them."


class Last(Aggregate):
    """The greatest of any values that have an order; PostgreSQL's max() knows no UUIDs before version 18."""

    template = "percentile_disc(1) WITHIN GROUP (ORDER BY %(expressions)s)"


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


def run(context: "RunContext", rows: QuerySet[Any], act: Callable[[QuerySet[Any]], int], *, size: int | None) -> int:
    """Work through the rows as described at RunContext.in_batches; returns the count."""
    place = context.cursor.take()
    if place["finished"]:
        return int(place["done"])
    if context.dry_run:
        return _look(context, rows)
    matching = _after(rows, place).count()
    if context.brake_share is not None and not context.confirmed:
        removed, share = place["done"], context.brake_share
        brake.check(rows, matching=matching, already_removed=removed, share=share, now=context.now, run_id=context.id)
    _Pages(context, rows, act, place, total=matching + place["done"]).work_off(matching, size=size)
    place["finished"] = True
    context.progress(place["done"], place["done"], _name(rows))
    return int(place["done"])


class _Pages:
    """The pages of one `in_batches`."""

    def __init__(
        self,
        context: "RunContext",
        rows: QuerySet[Any],
        act: Callable[[QuerySet[Any]], int],
        place: dict[str, Any],
        *,
        total: int,
    ) -> None:
        self._context = context
        self._rows = rows
        self._act = act
        self._place = place
        self._total = total
        self._took = PAGE_S

    def work_off(self, left: int, *, size: int | None) -> None:
        """Page after page; rows that come to match behind the last one counted are for the next run."""
        rows = size or FIRST
        in_one = left <= rows
        while left > 0 and (end := self._end_of_page(min(rows, left), in_one=in_one)) is not None:
            self._do(end)
            left -= rows
            rows = size or _next_size(rows, took=self._took)

    def _end_of_page(self, size: int, *, in_one: bool) -> Any:
        """The last key of the next page; None when nothing matches any more.

        Where one page holds everything there is no LIMIT: given one, the planner may hope to meet the rows soon on a
        walk by key, and walk through a table of which few rows match.
        """
        page = _after(self._rows, self._place).order_by("pk").values("pk")
        return (page.order_by() if in_one else page[:size]).aggregate(last=Last("pk"))["last"]

    def _do(self, end: Any) -> None:
        page = _after(self._rows, self._place).filter(pk__lte=end)
        held = page.select_for_update(skip_locked=True).order_by().values("pk")
        for rows, patience in ((page, PATIENCE), (page.filter(pk__in=held), LAST_PATIENCE)):
            if self._done(rows, end, patience=patience):
                return
        self._context.log.warning(LEFT, rows=_name(page), after=self._place["after"], up_to=str(end))
        self._note(0, end)

    def _done(self, page: QuerySet[Any], end: Any, *, patience: str) -> bool:
        """Do a page and note it in one transaction; False, and nothing is done, when somebody is in the way."""
        before = dict(self._place)
        try:
            with transaction.atomic():
                sql.rows("SELECT set_config('lock_timeout', %s, true)", [patience])
                began = monotonic()
                done = self._act(page)
                sql.run("SET CONSTRAINTS ALL IMMEDIATE")  # what the commit would check is part of the page's work
                self._took = monotonic() - began
                self._note(done, end)
        except OperationalError as error:
            if not isinstance(error.__cause__, IN_THE_WAY):
                raise
            self._place.update(before)
            return False
        return True

    def _note(self, done: int, end: Any) -> None:
        self._place.update(done=self._place["done"] + done, after=str(end))
        self._context.progress(self._place["done"], max(self._total, self._place["done"]), _name(self._rows))


def _next_size(rows: int, *, took: float) -> int:
    """So many rows that a page should take its time; never more than doubled, nor less than halved."""
    wanted = int(rows * PAGE_S / took) if took else MOST
    return min(max(wanted, rows // 2, FEWEST), rows * 2, MOST)


def _after(rows: QuerySet[Any], place: dict[str, Any]) -> QuerySet[Any]:
    return rows if place["after"] is None else rows.filter(pk__gt=place["after"])


def _name(rows: QuerySet[Any]) -> str:
    return str(rows.model._meta.verbose_name_plural)


def _look(context: "RunContext", rows: QuerySet[Any]) -> int:
    model: type[Model] = rows.model
    sample = [str(key) for key in rows.order_by("pk").values_list("pk", flat=True)[:SAMPLE]]
    context.samples.setdefault(model._meta.label, []).extend(sample)
    return rows.count()
