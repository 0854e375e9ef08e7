"""What can go wrong with a backup."""

from django.db import Error as DjangoError
from psycopg import Error as PostgresError

from maintenance.backup.stores import StoreError


class BackupError(Exception):
    """Base of what is raised here on purpose."""


class NotPossible(BackupError):
    """Somebody has to change something first; trying again does not help."""


class ToolFailed(BackupError):
    """pg_dump or pg_restore ended with an error, or was killed."""


class Damaged(BackupError):
    """What lies in the store is not what was written."""


class WrongKey(BackupError):
    """The archive was encrypted to other keys than the one given."""


class Unproven(BackupError):
    """The archive was restored, and what came out is not what its manifest tells."""


class UnknownBackup(BackupError):
    """No store holds a backup of that id."""


class Refused(BackupError):
    """The guard does not allow a restore into that database."""


# What may be gone the next time.
PASSING = (ToolFailed, Damaged, Unproven, StoreError, PostgresError, DjangoError, OSError)
# What a backup can fail with: all others end the program that asked for it.
EXPECTED = (BackupError, *PASSING[3:])
