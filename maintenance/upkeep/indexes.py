"""B-tree indexes: rebuilt beside the old one when much of them is empty; what an interrupted rebuild left is dropped.

How full an index would be is worked out from the statistics of its columns, not read from its pages: an entry has its
header, its key and a pointer, and a key that comes again costs only six bytes (PostgreSQL merges them; counted for
indexes of one column, whose number of different keys is known). Where in doubt the estimate finds too little empty.
"""

from dataclasses import dataclass

from django.db import connection

from maintenance.upkeep import patience

BLOATED_SHARE = 0.4  # random keys leave nearly a third empty in normal use
BLOATED_BYTES = 10 * 1024 * 1024

# A page of 8 kB has 40 bytes of its own. A merged entry holds up to 130 rows. Sizes count in steps of eight bytes.
BLOATED = """
WITH key AS (
    SELECT i.indexrelid, i.indrelid, i.indpred,
           coalesce(of_index.avg_width, of_table.avg_width) AS width,
           coalesce(of_index.null_frac, of_table.null_frac) AS nulls,
           coalesce(of_index.n_distinct, of_table.n_distinct) AS different,
           a.atttypid = ANY ('{bool,int2,int4,int8,uuid,text,varchar,date,timestamp,timestamptz}'::regtype[]) AS merges,
           CASE WHEN a.attalign = 'd' AND place > 1 THEN 4 ELSE 0 END AS padding
      FROM pg_index i
      JOIN pg_class c ON c.oid = i.indexrelid AND c.relnamespace = current_schema()::regnamespace
      JOIN pg_am ON pg_am.oid = c.relam AND pg_am.amname = 'btree'
      CROSS JOIN generate_series(1, i.indnatts) place
      JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = place
      LEFT JOIN pg_attribute named ON named.attrelid = i.indrelid AND named.attnum = i.indkey[place - 1]
      LEFT JOIN pg_stats of_table ON of_table.schemaname = current_schema() AND NOT of_table.inherited
           AND of_table.tablename = (SELECT relname FROM pg_class t WHERE t.oid = i.indrelid)
           AND of_table.attname = named.attname
      LEFT JOIN pg_stats of_index ON of_index.schemaname = current_schema() AND NOT of_index.inherited
           AND of_index.tablename = c.relname AND of_index.attname = a.attname
     WHERE i.indisvalid
), entry AS (
    SELECT indexrelid, indrelid,
           12 + CASE WHEN max(nulls) > 0 THEN 8 ELSE 0 END
              + 8 * ceil((sum((1 - nulls) * width + padding) / 8)::numeric) AS bytes,
           12 + 8 * ceil((sum(width) / 8)::numeric) AS full_bytes,
           CASE WHEN count(*) = 1 AND bool_and(merges AND indpred IS NULL) THEN max(different) END AS different
      FROM key
     GROUP BY indexrelid, indrelid
    HAVING bool_and(width IS NOT NULL)
), entries AS (
    SELECT e.*, c.relname, pg_relation_size(c.oid) AS size,
           c.reltuples * greatest(1, s.n_live_tup / nullif(greatest(t.reltuples, 0), 0)) AS rows,
           coalesce((SELECT option_value::int FROM pg_options_to_table(c.reloptions)
                      WHERE option_name = 'fillfactor'), 90) / 100.0 AS filled
      FROM entry e
      JOIN pg_class c ON c.oid = e.indexrelid AND c.reltuples >= 0
      JOIN pg_class t ON t.oid = e.indrelid
      JOIN pg_stat_user_tables s ON s.relid = e.indrelid
), estimate AS (
    SELECT relname, size, 8192 * (1 + ceil(
               least(rows * bytes, rows * 6 + rows / 130 * bytes
                   + full_bytes * CASE WHEN different < 0 THEN -different * rows ELSE different END)
               / (8152 * filled))) AS needed
      FROM entries
)
SELECT relname, size, (size - needed)::bigint
  FROM estimate
 WHERE size - needed >= %(bytes)s AND size - needed >= %(share)s * size
 ORDER BY size - needed DESC, relname
"""

LEFT_OVER = """
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE NOT i.indisvalid AND c.relnamespace = current_schema()::regnamespace AND c.relname ~ '_cc(new|old)[0-9]*$'
 ORDER BY c.relname
"""


@dataclass(frozen=True, kw_only=True)
class Bloated:
    """An index of which much is empty; sizes in bytes."""

    index: str
    size: int
    wasted: int


@dataclass(frozen=True, kw_only=True)
class Reindexed:
    """What a rebuild came to; sizes in bytes. `busy`: others were in its way, and the index is as it was."""

    index: str
    before: int
    after: int
    busy: bool


def bloated_indexes(*, share: float = BLOATED_SHARE, wasted: int = BLOATED_BYTES) -> list[Bloated]:
    """The indexes of which so large a share and so many bytes are estimated to be empty, the emptiest first."""
    with connection.cursor() as cursor:
        cursor.execute(BLOATED, {"share": share, "bytes": wasted})
        return [Bloated(index=name, size=size, wasted=empty) for name, size, empty in cursor.fetchall()]


def reindex(bloated: Bloated, *, lock_wait: str = patience.PATIENCE) -> Reindexed:
    """Rebuild an index beside the old one; must not be called within a transaction.

    It waits for transactions that may still use the old one; the longest wait is that for a lock.
    """
    earlier = left_over_indexes()
    done = patience.execute(f"REINDEX INDEX CONCURRENTLY {_quoted(bloated.index)}", patience=lock_wait)
    if not done:
        for index in set(left_over_indexes()).difference(earlier):
            drop_left_over(index, lock_wait=lock_wait)
    return Reindexed(index=bloated.index, before=bloated.size, after=_size(bloated.index), busy=not done)


def left_over_indexes() -> list[str]:
    """Invalid indexes that an interrupted rebuild has left: they are kept up at every write and never used."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT_OVER)
        return [name for (name,) in cursor.fetchall()]


def drop_left_over(index: str, *, lock_wait: str = patience.PATIENCE) -> bool:
    """Drop such an index; False when others, as a rebuild that is still at work, are in the way."""
    return patience.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_quoted(index)}", patience=lock_wait)


def _size(index: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s::regclass)", [_quoted(index)])
        return int(cursor.fetchone()[0])


def _quoted(index: str) -> str:
    return connection.ops.quote_name(index)
