"""What processes log outside of runs is kept, whatever it is and whatever becomes of the database, and nobody waits."""

import logging
import os
import threading
from contextlib import contextmanager
from uuid import uuid4

import pytest
import structlog
from django.db import connection, transaction
from django.db.backends.signals import connection_created

from jobs.engine.runlog import RunLogBuffer
from monitoring import log_entries
from monitoring.log_entries import BATCH
from monitoring.log_rows import LONGEST, LONGEST_FIELD
from monitoring.models import LogEntry
from tests.integration.waiting import eventually, within

pytestmark = pytest.mark.django_db(transaction=True)

log = logging.getLogger("monitoring.tests")
events = structlog.stdlib.get_logger("jobs.tests")
library = logging.getLogger("a.library")


@pytest.fixture(autouse=True)
def writer():
    yield log_entries.begin("test")
    log_entries.end()


def stored():
    log_entries.flush()
    return list(LogEntry.objects.order_by("at"))


def messages():
    return [entry.message for entry in stored()]


def test_a_line_is_kept_with_its_fields_and_where_it_came_from():
    run = uuid4()
    events.warning("A run went back.", what="run_given_back", job="daily-report", run=str(run), attempt=2)

    [entry] = stored()

    assert (entry.level, entry.logger, entry.message) == ("warning", "jobs.tests", "A run went back.")
    assert entry.fields == {"what": "run_given_back", "attempt": 2}
    assert (entry.job, entry.run_id) == ("daily-report", run)
    assert entry.process.startswith("test@")
    assert entry.process.endswith(f"#{os.getpid()}")


def test_of_our_packages_info_is_kept_and_of_libraries_only_warnings():
    library.info("left out")
    library.warning("kept of a library")
    log.debug("left out, too")
    log.info("%d of ours", 1)

    assert messages() == ["kept of a library", "1 of ours"]


def test_what_is_logged_within_a_run_is_left_to_the_run():
    with RunLogBuffer(uuid4(), 1):
        log.info("of the run")
    log.info("of the process")

    assert messages() == ["of the process"]


def test_of_what_runs_tell_themselves_only_bad_ends_are_kept():
    events.info("A run started.", what="run_started")
    events.info("A run ended.", what="run_finished", state="succeeded")
    events.error("A run ended.", what="run_finished", state="failed")
    events.info("A run goes on later.", what="run_goes_on_later")

    assert [entry.fields.get("state") for entry in stored()] == ["failed", None]


def test_nothing_is_kept_before_a_process_has_begun():
    log_entries.end()
    log.info("said to nobody")

    assert not LogEntry.objects.exists()


def test_an_exception_is_kept_with_its_traceback():
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("It went wrong.")

    [entry] = stored()
    assert entry.fields["exception"].endswith("ValueError: broken\n")


def test_whatever_is_logged_can_be_stored():
    events.info("a\x00b\ud800", thing=object, nan=float("nan"), when={1, 2}, big=1 << 9000, **{"na\x00me": "\x00"})
    log.info("x" * 1_000_000)
    events.info("long", text="y" * 1_000_000, run="no id", job=7)

    odd, long, field = stored()

    assert odd.message == "a�b?"
    assert odd.fields["nan"] == "nan"
    assert odd.fields["na�me"] == "�"
    assert len(long.message) == LONGEST
    assert len(field.fields["text"]) == LONGEST_FIELD
    assert (field.run_id, field.job) == (None, "7")


def test_a_line_that_cannot_be_worded_harms_nobody(capsys):
    record = log.makeRecord(log.name, logging.INFO, "", 0, "%d", ("no number",), None)
    log_entries.LogEntryHandler(ours=["monitoring"]).handle(record)  # pytest's own handler raises

    assert messages() == []
    assert "Logging error" in capsys.readouterr().err


def test_secrets_are_not_kept():
    told = {"api_key": "hunter2", "Authorization": "Bearer hunter2", "url": "pg://u:hunter2@h"}
    events.info("Connected to redis://:hunter2@host/0", **told)

    [entry] = stored()
    assert "hunter2" not in entry.message + str(entry.fields)
    assert entry.fields["url"] == "pg://***@h"


def test_more_than_a_batch_is_kept_in_order():
    for n in range(2 * BATCH + 1):
        log.info("line %d", n)

    assert messages() == [f"line {n}" for n in range(2 * BATCH + 1)]


def test_lines_are_stored_soon_without_being_asked_for():
    log.info("by itself")

    eventually(lambda: LogEntry.objects.filter(message="by itself").exists(), seconds=5, what="the line")


def test_what_finds_no_room_while_the_database_hangs_is_dropped_counted_and_told():
    writer = log_entries.begin("test", room=10)
    with hanging():
        with within(log_entries.FLUSH_S + 1):
            for n in range(1000):
                log.info("line %d", n)
            log_entries.flush()
        assert writer.lost == 990

    eventually(lambda: LogEntry.objects.filter(message="Log lines were lost."), seconds=5, what="the count")
    told = LogEntry.objects.get(message="Log lines were lost.")
    assert (told.level, told.fields) == ("warning", {"lost": 990})
    kept = set(LogEntry.objects.values_list("message", flat=True)) - {told.message}
    assert kept == {"the first", *(f"line {n}" for n in range(10))}


def test_lines_that_the_database_refuses_are_counted_and_told_once(capsys):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE monitoring_logentry RENAME TO elsewhere")
        try:
            for _ in range(2):
                log.info("refused")
                log_entries.flush()
        finally:
            cursor.execute("ALTER TABLE elsewhere RENAME TO monitoring_logentry")
    log.info("taken")

    told = [entry.fields for entry in stored() if entry.message == "Log lines were lost."]
    assert told == [{"lost": 2}]
    assert capsys.readouterr().err.count("cannot be stored") == 1


def test_a_forked_child_has_a_thread_and_a_queue_of_its_own():
    log.info("of the parent")
    pid = os.fork()
    if pid == 0:
        log.info("of the child")
        log_entries.flush()
        os._exit(0)
    os.waitpid(pid, 0)

    entries = {entry.message: entry.process for entry in stored()}

    assert entries["of the child"].endswith(f"#{pid}")
    assert sorted(entries) == ["of the child", "of the parent"]


def test_what_the_writer_itself_logs_is_not_kept():
    said = []

    def warn(**_):
        if threading.current_thread().name == "log entries":
            library.warning("said by the writer")
            said.append(1)

    connection_created.connect(warn)
    try:
        log.info("of the process")
        assert messages() == ["of the process"]
        assert messages() == ["of the process"]
        assert said
    finally:
        connection_created.disconnect(warn)


def test_many_threads_lose_nothing():
    threads = [threading.Thread(target=lambda: [log.info("line") for _ in range(200)]) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(messages()) == 1000


@contextmanager
def hanging():
    """The table is locked, and the writer waits for it with one line."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE monitoring_logentry IN ACCESS EXCLUSIVE MODE")
        log.info("the first")
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'monitoring_logentry'::regclass"

        def waits():
            cursor.execute(waiting)
            return cursor.fetchone() == (1,)

        eventually(waits, seconds=5, what="the writer at the lock")
        yield
