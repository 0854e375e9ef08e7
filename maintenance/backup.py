"""Where backing up belongs; while no destination is built in, `why_not_backed_up` says so."""

from django.db import connection


def why_not_backed_up() -> str:
    """Why no backup is made, in words for the result of a run."""
    return (
        "No backup was made: this version has no backup destination. Until one is built in, back the database up with "
        "pg_dump outside of this service."
    )


def database_bytes() -> int:
    """What a backup would have to hold: the size of the database on disk."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])
