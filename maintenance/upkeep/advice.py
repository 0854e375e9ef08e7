"""What a person should decide: indexes nobody reads, indexes that seem to be missing, tables that are mostly empty."""

from typing import Any

from django.db import connection

MOST = 20
UNUSED_AFTER_DAYS = 30
UNUSED_BYTES = 1024 * 1024
SEQUENTIAL_SCANS = 100
ROWS_PER_SCAN = 10_000
EMPTY_SHARE = 0.4
EMPTY_BYTES = 10 * 1024 * 1024

UNUSED = """
SELECT s.indexrelname AS index, s.relname AS table, pg_relation_size(s.indexrelid) AS bytes
  FROM pg_stat_user_indexes s
  JOIN pg_index i ON i.indexrelid = s.indexrelid
  JOIN pg_stat_database d ON d.datname = current_database()
  CROSS JOIN pg_stat_bgwriter crash
 WHERE s.schemaname = current_schema() AND s.idx_scan = 0 AND i.indisvalid
   AND NOT i.indisunique AND NOT i.indisexclusion
   AND greatest(d.stats_reset, crash.stats_reset) <= now() - %(days)s * interval '1 day'
   AND pg_relation_size(s.indexrelid) >= %(bytes)s
 ORDER BY bytes DESC, index LIMIT %(most)s
"""

MISSING = """
SELECT relname AS table, seq_scan AS scans, seq_tup_read / seq_scan AS "rowsPerScan"
  FROM pg_stat_user_tables
 WHERE schemaname = current_schema() AND seq_scan >= %(scans)s AND seq_tup_read / nullif(seq_scan, 0) >= %(rows)s
 ORDER BY seq_tup_read DESC, relname LIMIT %(most)s
"""

UNINDEXED_FOREIGN_KEYS = """
SELECT t.relname AS table, f.conname AS "foreignKey"
  FROM pg_constraint f
  JOIN pg_class t ON t.oid = f.conrelid AND t.relnamespace = current_schema()::regnamespace
 WHERE f.contype = 'f' AND NOT EXISTS (
     SELECT 1 FROM pg_index i
      WHERE i.indrelid = f.conrelid AND i.indisvalid
        AND f.conkey <@ (i.indkey::int2[])[0:cardinality(f.conkey) - 1])
 ORDER BY t.relname, f.conname LIMIT %(most)s
"""

# A row has a header of 24 bytes and a pointer of 4; a page of 8 kB has a header of 24 bytes.
EMPTY = """
WITH width AS (
    SELECT tablename, 28 + 8 * ceil((sum((1 - null_frac) * avg_width) / 8)::numeric) AS bytes
      FROM pg_stats WHERE schemaname = current_schema() AND NOT inherited GROUP BY tablename
), sized AS (
    SELECT c.relname, pg_relation_size(c.oid) AS size,
           8192 * ceil(greatest(c.reltuples, s.n_live_tup) * w.bytes / (8168 * coalesce((
               SELECT option_value::int FROM pg_options_to_table(c.reloptions)
                WHERE option_name = 'fillfactor'), 100) / 100.0)) AS needed
      FROM pg_class c
      JOIN pg_stat_user_tables s ON s.relid = c.oid AND s.schemaname = current_schema()
      JOIN width w ON w.tablename = c.relname
)
SELECT relname AS table, size AS bytes, (size - needed)::bigint AS "emptyBytes"
  FROM sized
 WHERE size - needed >= %(bytes)s AND size - needed >= %(share)s * size
 ORDER BY size - needed DESC, relname LIMIT %(most)s
"""


def findings() -> dict[str, list[dict[str, Any]]]:
    """At most twenty of each kind, as JSON; sizes in bytes."""
    return {
        "unusedIndexes": unused_indexes(),
        "missingIndexes": _rows(MISSING, scans=SEQUENTIAL_SCANS, rows=ROWS_PER_SCAN),
        "unindexedForeignKeys": _rows(UNINDEXED_FOREIGN_KEYS),
        "emptyTables": empty_tables(),
    }


def unused_indexes(*, after_days: int = UNUSED_AFTER_DAYS, at_least: int = UNUSED_BYTES) -> list[dict[str, Any]]:
    """Indexes that were not read once since statistics began, if that was long ago, and that guard no rule."""
    return _rows(UNUSED, days=after_days, bytes=at_least)


def empty_tables(*, share: float = EMPTY_SHARE, at_least: int = EMPTY_BYTES) -> list[dict[str, Any]]:
    """Tables of which much is estimated to be free; new rows fill it, and only a rewrite would give it back."""
    return _rows(EMPTY, share=share, bytes=at_least)


def _rows(statement: str, **values: Any) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**values, "most": MOST})
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
