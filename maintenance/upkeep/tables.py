"""Tables: vacuumed and analysed when many of their rows are dead, new or changed."""

from dataclasses import dataclass

from django.db import connection

from maintenance.upkeep import patience

# A tenth of the table, and a few rows at least: half of what autovacuum waits for by default.
NEEDY = """
SELECT relname, n_dead_tup > 50 + n_live_tup / 10 OR n_ins_since_vacuum > 1000 + n_live_tup / 10 AS vacuum,
       n_mod_since_analyze > 50 + n_live_tup / 10 AS analyze
  FROM pg_stat_user_tables
 WHERE schemaname = current_schema()
   AND (n_dead_tup > 50 + n_live_tup / 10 OR n_ins_since_vacuum > 1000 + n_live_tup / 10
        OR n_mod_since_analyze > 50 + n_live_tup / 10)
 ORDER BY relname
"""


@dataclass(frozen=True, kw_only=True)
class Needy:
    """A table that needs upkeep, and which kind."""

    table: str
    vacuum: bool
    analyze: bool

    @property
    def action(self) -> str:
        """What it needs, in words."""
        return " and ".join(["vacuum"] * self.vacuum + ["analyze"] * self.analyze)


@dataclass(frozen=True, kw_only=True)
class Tended:
    """What was done for a table; sizes in bytes, with indexes. `busy`: its lock was not to be had."""

    table: str
    action: str
    before: int
    after: int
    busy: bool


def needy_tables() -> list[Needy]:
    """The tables whose dead, new or changed rows are many for their size."""
    with connection.cursor() as cursor:
        cursor.execute(NEEDY)
        return [Needy(table=table, vacuum=vacuum, analyze=analyze) for table, vacuum, analyze in cursor.fetchall()]


def tend(needy: Needy, *, lock_wait: str = patience.PATIENCE) -> Tended:
    """Vacuum or analyse one table; must not be called within a transaction."""
    # Cutting free pages off the end of a file needs a lock that stops everybody; they are used again anyway.
    options = ["ANALYZE"] * needy.analyze + ["TRUNCATE FALSE"] * needy.vacuum
    statement = f"VACUUM ({', '.join(options)})" if needy.vacuum else "ANALYZE"
    before = _size(needy.table)
    done = patience.execute(f"{statement} {connection.ops.quote_name(needy.table)}", patience=lock_wait)
    return Tended(table=needy.table, action=needy.action, before=before, after=_size(needy.table), busy=not done)


def _size(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [connection.ops.quote_name(table)])
        return int(cursor.fetchone()[0])
