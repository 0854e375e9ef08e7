from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from maintenance import upkeep
from sessions_app.models import Session

NOW = datetime(2026, 6, 14, 3, 30, tzinfo=UTC)
TABLE = Session._meta.db_table


@pytest.fixture
def worn(transactional_db):
    """The table of sessions after much has changed in it, as PostgreSQL's statistics see it."""
    Session.objects.bulk_create(
        Session(customer_phone="+40700000001", channel="sms", last_activity_at=NOW) for _ in range(400)
    )
    Session.objects.filter(pk__gt=Session.objects.order_by("pk")[99].pk)._raw_delete("default")
    tell_statistics()


def tell_statistics():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")


def of_sessions(needy):
    return next((each for each in needy if each.table == TABLE), None)


def test_a_table_with_many_dead_and_changed_rows_needs_upkeep(worn):
    assert of_sessions(upkeep.needy_tables()) == upkeep.Needy(table=TABLE, vacuum=True, analyze=True)


def test_it_vacuums_and_analyses_it_and_tells_the_sizes(run_job, worn):
    result = run_job("optimize-database").result

    tended = next(each for each in result["tables"] if each["table"] == TABLE)
    assert tended["action"] == "vacuum and analyze"
    assert tended["bytesBefore"] > 0
    assert result["bytesAfter"] >= tended["bytesAfter"] > 0
    assert result["busy"] == []


def test_afterwards_the_table_needs_nothing(run_job, worn):
    run_job("optimize-database")
    tell_statistics()
    while needy := of_sessions(upkeep.needy_tables()):  # as long as another transaction may still see the dead rows
        upkeep.tend(needy)
        tell_statistics()

    result = run_job("optimize-database").result

    assert TABLE not in [each["table"] for each in result["tables"]]


def test_a_table_whose_lock_is_not_to_be_had_is_named_and_left(worn):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {TABLE} IN SHARE MODE")
        tended = in_another_connection(upkeep.Needy(table=TABLE, vacuum=True, analyze=True), lock_wait="50ms")

    assert tended.busy


def test_writers_are_not_stopped_meanwhile(worn):
    """A writer's lock and the vacuum's go together: it does not wait for a transaction that has written."""
    with transaction.atomic():
        Session.objects.update(reason="being written")
        tended = in_another_connection(upkeep.Needy(table=TABLE, vacuum=True, analyze=True))

    assert not tended.busy


def test_a_dry_run_only_counts(run_job, worn):
    result = run_job("optimize-database", dry_run=True).result

    assert result["needed"] >= 1
    assert result["tables"] == []
    assert f"vacuum and analyze {TABLE}" in result["wouldDo"]
    assert of_sessions(upkeep.needy_tables()) is not None


def in_another_connection(needy, **how):
    """What `tend` says of the table, called outside of the test's own transaction."""

    def tend():
        try:
            return upkeep.tend(needy, **how)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(tend).result()
