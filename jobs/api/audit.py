"""GET /cron/audit, GET /cron/audit/<id>, POST /cron/audit/<id>/revert: who did what, and taking an edit back."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from ninja import Query, Router
from pydantic import Field

from access.auth import Caller, needs
from access.models import Action, AuditEntry, Scope
from jobs.api.paging import LARGEST_ID, page_of, refuse_unknown, row_of
from jobs.api.payloads import Moment, Payload, ProblemDetails
from jobs.api.problems import UNKNOWN_ENTRY
from jobs.api.runs import Name
from jobs.engine import editing
from jobs.fleet import tasks

router = Router(tags=["audit"], by_alias=True, auth=needs(Scope.MANAGE, "access.view_auditentry"))


class EntryPayload(Payload):
    """Something that was done. `position` and `seal` are its place in the chain, which it gets a moment later."""

    id: int
    url: str
    at: Moment
    actor: str
    via: str
    address: str | None
    action: Action
    subject: str
    before: Any
    after: Any
    position: int | None
    seal: str | None


class EntryPage(Payload):
    entries: list[EntryPayload]
    next: str | None


class EntryFilter(Payload):
    """The newest first; `before` is the id of the last entry of the page before."""

    action: Action | None = None
    actor: Name | None = None
    subject: Name | None = None
    before: int | None = Field(default=None, ge=1, le=LARGEST_ID)
    limit: int = Field(default=50, ge=1, le=200)


@router.get("", response={200: EntryPage, frozenset({400, 401, 403, 503}): ProblemDetails}, url_name="audit")
def list_entries(request: HttpRequest, asked: Query[EntryFilter]) -> EntryPage:
    """What was done, newest first."""
    refuse_unknown(request, EntryFilter)
    wanted = {"action": asked.action, "actor": asked.actor, "subject": asked.subject}
    rows = AuditEntry.objects.filter(**{name: value for name, value in wanted.items() if value is not None})
    page, following = page_of(request, rows, asked, address="cron:audit")
    return EntryPage(
        entries=[_payload(entry) for entry in page],
        next=following,
    )


@router.get(
    "/{int:entry_id}",
    response={200: EntryPayload, frozenset({401, 403, 404, 503}): ProblemDetails},
    url_name="audit-entry",
)
def get_entry(request: HttpRequest, entry_id: int) -> EntryPayload:  # noqa: ARG001  ninja hands it over
    """One entry."""
    return _payload(row_of(AuditEntry, entry_id, UNKNOWN_ENTRY, "entry of the audit"))


@router.post(
    "/{int:entry_id}/revert",
    response={200: EntryPayload, frozenset({400, 401, 403, 404, 409, 503}): ProblemDetails},
    auth=needs(Scope.MANAGE),
    url_name="revert-edit",
)
def revert_edit(request: HttpRequest, entry_id: int) -> EntryPayload:
    """Let a schedule say again what it said before this edit; the answer is the entry of that edit."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    row_of(AuditEntry, entry_id, UNKNOWN_ENTRY, "entry of the audit")
    caller.check_group(None)
    made = editing.revert(entry_id, by=caller.name, known=tasks.known())
    tasks.read_edits()
    return _payload(row_of(AuditEntry, made, UNKNOWN_ENTRY, "entry of the audit"))


def _payload(entry: AuditEntry) -> EntryPayload:
    return EntryPayload(
        id=entry.pk,
        url=reverse("cron:audit-entry", kwargs={"entry_id": entry.pk}),
        at=entry.at,
        actor=entry.actor,
        via=entry.via,
        address=entry.address or None,
        action=Action(entry.action),
        subject=entry.subject,
        before=entry.before,
        after=entry.after,
        position=entry.position,
        seal=entry.seal or None,
    )
