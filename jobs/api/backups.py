"""GET /cron/backups, GET /cron/backups/<id>; a backup is made by triggering backup-data."""

from typing import Annotated

from django.http import HttpRequest
from django.urls import reverse
from ninja import Query, Router
from pydantic import AfterValidator, Field

from access.auth import needs
from access.models import Scope
from jobs.api.paging import page_of, refuse_unknown
from jobs.api.payloads import Moment, Payload, ProblemDetails
from jobs.api.problems import UNKNOWN_BACKUP, Problem
from jobs.api.runs import storable
from maintenance.models import Backup

router = Router(tags=["backups"], by_alias=True, auth=needs(Scope.READ))

Id = Annotated[str, Field(max_length=40), AfterValidator(storable)]


class BackupPayload(Payload):
    """One attempt at a backup. Without a location there is no archive; `provenAt`: it was restored, and compared."""

    id: str
    url: str
    created_at: Moment
    location: str | None
    locations: list[str]
    bytes: int | None
    sha256: str | None
    encrypted: bool
    seconds: float | None
    proven_at: Moment | None
    error: str | None


class BackupPage(Payload):
    backups: list[BackupPayload]
    next: str | None


class BackupFilter(Payload):
    """The newest first; `before` is the id of the last backup of the page before."""

    before: Id | None = None
    limit: int = Field(default=50, ge=1, le=200)


@router.get("", response={200: BackupPage, frozenset({400, 401, 403, 503}): ProblemDetails}, url_name="backups")
def list_backups(request: HttpRequest, asked: Query[BackupFilter]) -> BackupPage:
    """The backups on record, newest first."""
    refuse_unknown(request, BackupFilter)
    page, following = page_of(request, Backup.objects.all(), asked, address="cron:backups")
    return BackupPage(
        backups=[_payload(backup) for backup in page],
        next=following,
    )


@router.get(
    "/{backup_id}",
    response={200: BackupPayload, frozenset({400, 401, 403, 404, 503}): ProblemDetails},
    url_name="backup",
)
def get_backup(request: HttpRequest, backup_id: Id) -> BackupPayload:  # noqa: ARG001  ninja hands it over
    """One backup."""
    backup = Backup.objects.filter(pk=backup_id).first()
    if backup is None:
        raise Problem(UNKNOWN_BACKUP, f"There is no backup {backup_id!r}. `GET /cron/backups` lists those on record.")
    return _payload(backup)


def _payload(backup: Backup) -> BackupPayload:
    locations = backup.location.splitlines()
    return BackupPayload(
        id=backup.pk,
        url=reverse("cron:backup", kwargs={"backup_id": backup.pk}),
        created_at=backup.created_at,
        location=locations[0] if locations else None,
        locations=locations,
        bytes=backup.bytes,
        sha256=backup.sha256 or None,
        encrypted=True,  # no archive is ever written otherwise
        seconds=backup.took.total_seconds() if backup.took else None,
        proven_at=backup.proven_at,
        error=backup.error or None,
    )
