"""Backups in the admin: to look at."""

from django.contrib import admin

from jobs.admin.moments import both_zones
from jobs.admin.readonly import ReadOnlyAdmin
from maintenance.models import Backup

MIB = 1 << 20


@admin.register(Backup)
class BackupAdmin(ReadOnlyAdmin):
    """Backups, the newest first, with what went wrong."""

    list_display = ("id", "made", "size", "proven", "seconds", "error")
    fields = ("id", "made", "location", "size", "sha256", "seconds", "proven", "error")
    ordering = ("-created_at",)
    search_fields = ("id", "error")

    @admin.display(description="Made", ordering="created_at")
    def made(self, backup: Backup) -> str:
        """When it was begun."""
        return both_zones(backup.created_at)

    @admin.display(description="Size", ordering="bytes")
    def size(self, backup: Backup) -> str:
        """Of the archive."""
        return "-" if backup.bytes is None else f"{backup.bytes / MIB:.1f} MiB"

    @admin.display(description="Proven", ordering="proven_at")
    def proven(self, backup: Backup) -> str:
        """When it was restored and compared."""
        return both_zones(backup.proven_at)

    @admin.display(description="Took", ordering="took")
    def seconds(self, backup: Backup) -> str:
        """To dump, compress, encrypt and write; the proof comes on top."""
        return "-" if backup.took is None else f"{backup.took.total_seconds():.1f} s"
