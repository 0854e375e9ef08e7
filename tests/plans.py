"""How PostgreSQL would go about a statement."""

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet


def plan(statement: str, values: Sequence[Any] = ()) -> str:
    """The plan of a statement, as JSON."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + statement, values)
        [[found]] = cursor.fetchall()
    return json.dumps(found if isinstance(found, list) else json.loads(found))


def plan_of(rows: QuerySet[Any]) -> str:
    """The plan by which rows are found, as JSON."""
    return plan(*rows.query.sql_with_params())
