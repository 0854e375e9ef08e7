"""The backend that gives up on a database that hangs, against a real server that is stopped in mid-air."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from django.db import OperationalError

from config.database import from_url
from config.postgres.base import DatabaseWrapper
from local.servers import Servers
from tests.integration.waiting import within

LIMIT = 0.5

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with Servers(tmp_path_factory.mktemp("hangs"), durable=False) as servers:
        yield servers


@pytest.fixture
def kept(server: Servers, db: None) -> Iterator[DatabaseWrapper]:
    """A connection that an earlier request left open."""
    wrapper = connect(server, answer_timeout=LIMIT)
    assert ask(wrapper) == 1
    yield wrapper
    server.postgres.resume()
    wrapper.close()


def connect(server: Servers, **options: Any) -> DatabaseWrapper:
    settings = from_url(server.database_url)
    settings |= {"TIME_ZONE": None, "AUTOCOMMIT": True, "ATOMIC_REQUESTS": False, "TEST": {}}
    settings["OPTIONS"] |= options
    return DatabaseWrapper(settings, alias="other")


def ask(wrapper: DatabaseWrapper, question: str = "SELECT 1") -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


def test_a_query_that_stays_unanswered_fails_after_the_limit(server: Servers, kept: DatabaseWrapper) -> None:
    server.postgres.pause()
    start = monotonic()
    with within(LIMIT + 1), pytest.raises(OperationalError, match=r"did not answer within 0\.5 seconds"):
        ask(kept)
    assert monotonic() - start >= LIMIT


def test_the_next_request_connects_anew(server: Servers, kept: DatabaseWrapper) -> None:
    server.postgres.pause()
    with pytest.raises(OperationalError):
        ask(kept)
    server.postgres.resume()
    kept.close_if_unusable_or_obsolete()
    assert ask(kept) == 1


def test_a_failed_health_check_does_not_wait_a_second_time(server: Servers, kept: DatabaseWrapper) -> None:
    kept.close_if_unusable_or_obsolete()  # as at the start of a request
    server.postgres.pause()
    with within(LIMIT + 1), pytest.raises(OperationalError, match="health check"):
        ask(kept)
    server.postgres.resume()
    assert ask(kept) == 1


def test_a_connection_that_was_cut_is_replaced_unnoticed(server: Servers, kept: DatabaseWrapper) -> None:
    pid = ask(kept, "SELECT pg_backend_pid()")
    kept.close_if_unusable_or_obsolete()
    other = connect(server)
    assert ask(other, f"SELECT pg_terminate_backend({pid}, 5000)")
    other.close()
    assert ask(kept) == 1


def test_a_slow_answer_within_the_limit_is_waited_for(kept: DatabaseWrapper) -> None:
    assert ask(kept, "SELECT count(pg_sleep(0.2))") == 1


def test_without_a_limit_it_waits_as_django_does(server: Servers) -> None:
    wrapper = connect(server)
    assert ask(wrapper, f"SELECT count(pg_sleep({LIMIT + 0.3}))") == 1
    assert type(wrapper.connection).__name__ == "Connection"
    wrapper.close()


def test_a_transaction_is_rolled_back_without_hanging(server: Servers, kept: DatabaseWrapper) -> None:
    kept.set_autocommit(False)
    server.postgres.pause()
    with pytest.raises(OperationalError):
        ask(kept)
    with within(1):
        kept.close()


def test_who_waits_for_notices_is_not_hurried(kept: DatabaseWrapper) -> None:
    with kept.cursor() as cursor:
        cursor.execute("LISTEN nothing")
    assert list(kept.connection.notifies(timeout=LIMIT * 2)) == []
    assert ask(kept) == 1
