"""Who of this service works on a database."""

from typing import Any

from psycopg import Connection

LEASES = "SELECT name FROM jobs_worker WHERE stopped_at IS NULL AND lease_until > now() ORDER BY name"


def at_work(connection: Connection[Any]) -> list[str]:
    """The schedulers and workers whose leases last, in the database that the connection is to."""
    known = connection.execute("SELECT to_regclass('jobs_worker') IS NOT NULL").fetchall()[0][0]
    return [name for (name,) in connection.execute(LEASES)] if known else []
