"""Lists and their rows: keyset pages with the address of the page after, and one row by its number."""

from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from jobs.api.payloads import Payload
from jobs.api.problems import INVALID, Kind, Problem

LARGEST_ID = 2**63 - 1

Row = TypeVar("Row", bound=Model)


class Asked(Protocol):
    """What every list is asked with: how many rows, and behind which of them."""

    limit: int

    @property
    def before(self) -> Any:
        """The key of the last row of the page before; None for the first page."""


def page_of(
    request: HttpRequest, rows: QuerySet[Row], asked: Asked, *, address: str, key: str = "pk"
) -> tuple[list[Row], str | None]:
    """The page that is asked for, the highest key first, and the address of the next; None when there is none."""
    behind = rows if asked.before is None else rows.filter(**{f"{key}__lt": asked.before})
    found = list(behind.order_by(f"-{key}")[: asked.limit + 1])
    page = found[: asked.limit]
    if len(found) == len(page):
        return page, None
    return page, f"{reverse(address)}?{urlencode({**request.GET.dict(), 'before': str(getattr(page[-1], key))})}"


def row_of(model: type[Row], number: int, kind: Kind, what: str) -> Row:
    """The row with that number; raises the problem in the words of what it is."""
    row = model._default_manager.filter(pk=number).first() if number <= LARGEST_ID else None
    if row is None:
        raise Problem(kind, f"There is no {what} {number}.")
    return row


def refuse_unknown(request: HttpRequest, filters: type[Payload]) -> None:
    """Raise a Problem that names each parameter the filters do not have, and each that comes more than once."""
    names = [field.alias or name for name, field in filters.model_fields.items()]
    unknown = f"not known here; known are {', '.join(names)}"
    reasons = {name: unknown for name in request.GET if name not in names}
    reasons |= {name: "it stands there more than once" for name in names if len(request.GET.getlist(name)) > 1}
    if reasons:
        errors = [{"field": name, "reason": reason} for name, reason in reasons.items()]
        raise Problem(INVALID, "; ".join(f"{name}: {reason}" for name, reason in reasons.items()), errors=errors)
