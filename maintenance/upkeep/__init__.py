"""Keeping the database compact and its statistics fresh, where PostgreSQL's own figures say that it is needed.

Statements run outside of transactions, wait at most two seconds for a lock, and take none that stops writers.
"""

from maintenance.upkeep.advice import findings
from maintenance.upkeep.indexes import Bloated, Reindexed, bloated_indexes, drop_left_over, left_over_indexes, reindex
from maintenance.upkeep.tables import Needy, Tended, needy_tables, tend

__all__ = [
    "Bloated",
    "Needy",
    "Reindexed",
    "Tended",
    "bloated_indexes",
    "drop_left_over",
    "findings",
    "left_over_indexes",
    "needy_tables",
    "reindex",
    "tend",
]
