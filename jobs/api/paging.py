"""Pages of lists: keyset paging, with the address of the page after."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from jobs.api.payloads import Payload
from jobs.api.problems import INVALID, Problem


def page_of(
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    limit: int,
    address: str,
    key: Callable[[Any], Any] = lambda row: row.pk,
) -> tuple[list[Any], str | None]:
    """The first `limit` rows, and the address of those that follow the last one's key; none when there are no more."""
    found = list(rows[: limit + 1])
    page = found[:limit]
    if len(found) <= limit:
        return page, None
    return page, f"{reverse(address)}?{urlencode({**request.GET.dict(), 'before': str(key(page[-1]))})}"


def refuse_unknown(request: HttpRequest, filters: type[Payload]) -> None:
    """Raise a Problem that names each parameter the filters do not have, and each that comes more than once."""
    names = [field.alias or name for name, field in filters.model_fields.items()]
    unknown = f"not known here; known are {', '.join(names)}"
    reasons = {name: unknown for name in request.GET if name not in names}
    reasons |= {name: "it stands there more than once" for name in names if len(request.GET.getlist(name)) > 1}
    if reasons:
        errors = [{"field": name, "reason": reason} for name, reason in reasons.items()]
        raise Problem(INVALID, "; ".join(f"{name}: {reason}" for name, reason in reasons.items()), errors=errors)
