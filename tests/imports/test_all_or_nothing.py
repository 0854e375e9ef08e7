"""An import that is interrupted leaves nothing; two at once end as one."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from jobs.management.commands.import_reservations import COLUMNS, RESERVATIONS
from jobs.management.importing import loading
from jobs.management.importing.records import Record, Table
from jobs.management.importing.refused import RefusedLines
from reservations.models import Reservation
from tests.imports.conftest import GOOD, HEADER

GIVEN = frozenset(column.name for column in COLUMNS if column.required)


def record(number):
    cells = dict(zip(HEADER.split(","), GOOD.split(","), strict=True))
    return Record(number + 1, {**cells, "reference": f"R-{number}"})


def load(records):
    refused = RefusedLines(shown=10)
    return loading.load(Table(GIVEN, records), RESERVATIONS, refused, skip_refused=True, dry_run=False)


@pytest.mark.django_db(transaction=True)
def test_an_import_that_breaks_off_while_reading_leaves_nothing():
    def records():
        yield from map(record, range(5000))
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        load(records())
    assert not Reservation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_import_that_is_stopped_while_writing_leaves_nothing():
    def stop(doing):
        if doing == "writing" and Reservation.objects.exists():
            raise KeyboardInterrupt

    table = Table(GIVEN, map(record, range(6000)))
    with pytest.raises(KeyboardInterrupt):
        loading.load(table, RESERVATIONS, RefusedLines(shown=1), skip_refused=True, dry_run=False, tell=stop)
    assert not Reservation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_wrong_byte_far_below_keeps_everything_out(reservations):
    lines = [GOOD.replace("R-1", f"R-{number}") for number in range(2500)]
    answer = reservations(HEADER, *lines, b"\xff\n")

    assert (answer.code, Reservation.objects.count()) == (2, 0)


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_the_same_file_at_once_end_as_one_set_of_rows():
    both = Barrier(2, timeout=120)

    def import_it(order):
        def records():
            yield from map(record, order)
            both.wait()  # so that both have read everything and neither has written

        try:
            return load(records())
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(import_it, [range(6000), range(5999, -1, -1)]))

    assert sorted((each.created, each.unchanged) for each in outcomes) == [(0, 6000), (6000, 0)]
    assert Reservation.objects.count() == 6000


@pytest.mark.django_db(transaction=True)
def test_no_lock_is_held_on_live_rows_while_a_file_is_read():
    load(iter([record(1)]))
    changed = []

    def change_it():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '5s'")
            changed.append(Reservation.objects.filter(reference="R-1").update(party_size=7))
        connection.close()

    def records():
        yield from map(record, range(1, 2500))
        with ThreadPoolExecutor(1) as pool:
            pool.submit(change_it).result()

    outcome = load(records())

    assert changed == [1]
    assert (outcome.created, outcome.unchanged) == (2498, 1)
