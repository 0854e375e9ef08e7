"""What is on record about backups. The manifests in the stores count; these rows make looking cheap."""

from typing import Self

from django.db import models


class BackupQuerySet(models.QuerySet["Backup"]):
    """Backups by what became of them."""

    def proven(self) -> Self:
        """Restored and compared, the newest first."""
        return self.filter(proven_at__isnull=False).order_by("-created_at")


class Backup(models.Model):
    """One attempt at a backup. Without a location there is no archive; without `proven_at` it was not proven."""

    id = models.CharField(primary_key=True, max_length=40)
    created_at = models.DateTimeField()
    location = models.TextField(blank=True, help_text="Where the archive lies; several places on a line each.")
    bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    took = models.DurationField(null=True, help_text="To dump, compress, encrypt and write; without the proof.")
    proven_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    objects = BackupQuerySet.as_manager()

    def __str__(self) -> str:
        return self.id
