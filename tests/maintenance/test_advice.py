import pytest
from django.db import connection

from maintenance.upkeep import advice
from tests.maintenance.conftest import sql, wear


def of(kind, table="worn"):
    return [each for each in advice.findings()[kind] if each["table"] == table]


def tell_statistics():
    sql("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")


def unused(**limits):
    return [each["index"] for each in advice.unused_indexes(**limits)]


def test_an_index_that_nobody_reads_is_told_once_statistics_are_old_enough(worn_index):
    worn_index("md5(n::text)")

    assert "worn_key" in unused(after_days=0, at_least=0)
    assert "worn_key" not in unused(after_days=1, at_least=0)
    assert "worn_key" not in unused(after_days=0, at_least=1 << 30)


def test_an_index_that_is_read_or_guards_a_rule_is_not(worn_index):
    worn_index("md5(n::text)")
    sql("CREATE UNIQUE INDEX worn_rule ON worn (n)")
    sql("SET enable_seqscan = off")
    sql("SELECT 1 FROM worn WHERE key = 'x'")
    sql("RESET enable_seqscan")
    tell_statistics()

    assert not {"worn_key", "worn_rule"} & set(unused(after_days=0, at_least=0))


@pytest.mark.parametrize(("scans", "told"), [(99, False), (100, True)])
def test_a_table_that_is_often_read_whole_is_told(worn_index, scans, told):
    worn_index("n", rows=10_000)
    sql("DROP INDEX worn_key")
    tell_statistics()
    sql("SELECT pg_stat_reset_single_table_counters('worn'::regclass)")
    sql(f"DO $$BEGIN FOR i IN 1..{scans} LOOP PERFORM count(*) FROM worn WHERE n > 0; END LOOP; END$$")
    tell_statistics()

    assert bool(of("missingIndexes")) is told


def test_a_foreign_key_without_an_index_is_told(worn_index):
    worn_index("n")
    sql("ALTER TABLE worn ADD COLUMN parent int, ADD PRIMARY KEY (n)")
    sql("ALTER TABLE worn ADD CONSTRAINT up FOREIGN KEY (parent) REFERENCES worn")

    assert of("unindexedForeignKeys") == [{"table": "worn", "foreignKey": "up"}]
    sql("CREATE INDEX ON worn (parent, key)")
    assert of("unindexedForeignKeys") == []


def test_our_own_foreign_keys_all_have_their_index(transactional_db):
    ours = [
        each for each in advice.findings()["unindexedForeignKeys"] if not each["table"].startswith(("django_", "auth_"))
    ]

    assert ours == []


def test_a_table_that_is_mostly_empty_is_told(worn_index):
    def empty():
        return [each for each in advice.empty_tables(at_least=0) if each["table"] == "worn"]

    worn_index("md5(n::text)")
    assert empty() == []

    wear()

    [told] = empty()
    assert told["emptyBytes"] / told["bytes"] == pytest.approx(0.8, abs=0.08)


def test_no_more_than_twenty_of_a_kind_are_told(worn_index):
    worn_index("n", rows=10)
    for n in range(advice.MOST + 1):
        sql(f"CREATE INDEX worn_{n} ON worn (n)")

    assert len(advice.unused_indexes(after_days=0, at_least=0)) == advice.MOST
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'worn'")
        assert cursor.fetchone() == (advice.MOST + 2,)
