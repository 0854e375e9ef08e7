"""Who did what: the entries of the audit, and what each changed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import QueryDict

from access.models import Action, AuditEntry
from jobs.engine.editing import REVERTIBLE
from monitoring.page.lists import Listed, by_id
from monitoring.page.result import lines

NAMES = ("action", "actor", "subject")
EMPTY = ("", "null", "[]", "{}")
SEALED_WITHIN = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Change:
    """One value before and after; None where there was none."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, kw_only=True)
class EntrySeen:
    """An entry, and what it changed."""

    entry: AuditEntry
    changes: list[Change]

    @property
    def revertible(self) -> bool:
        """Whether it is an edit of a schedule that can be taken back."""
        return self.entry.action in REVERTIBLE and "kind" in (self.entry.before or {})


@dataclass(frozen=True, kw_only=True)
class Chain:
    """How far the audit is sealed: the last entry with a seal, and since when others wait for theirs."""

    last: AuditEntry | None
    waiting_since: datetime | None
    overdue: bool


def filters(asked: QueryDict) -> dict[str, str]:
    """What is asked for; what makes no sense is as if it were not asked."""
    given = {name: asked.get(name, "").strip() for name in NAMES}
    if given["action"] not in Action.values:
        given["action"] = ""
    return {name: value for name, value in given.items() if value and value.isprintable()}


def entries(asked: QueryDict) -> Listed:
    """One page of entries, newest first; one query."""
    wanted = filters(asked)
    listed = by_id(AuditEntry.objects.filter(**wanted), asked.get("before", ""), **wanted)
    listed.rows[:] = [EntrySeen(entry=entry, changes=changes(entry.before, entry.after)) for entry in listed.rows]
    return listed


def changes(before: Any, after: Any) -> list[Change]:
    """The values that differ, by their names; where there is nothing to compare with, all that say something."""
    old, new = _values(before), _values(after)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    found = [Change(name=name, before=old.get(name), after=new.get(name)) for name in names]
    if before is not None and after is not None:
        return found
    return [change for change in found if (change.before or change.after or "") not in EMPTY]


def chain(*, now: datetime) -> Chain:
    """How far the entries are sealed; two queries."""
    waiting = AuditEntry.objects.filter(position=None).order_by("pk").values_list("at", flat=True).first()
    return Chain(
        last=AuditEntry.objects.exclude(position=None).order_by("-position").first(),
        waiting_since=waiting,
        overdue=waiting is not None and now - waiting > SEALED_WITHIN,
    )


def _values(said: Any) -> dict[str, str]:
    return {} if said is None else {line.name: line.value for line in lines(said)}
