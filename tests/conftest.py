"""Small factories for the domain's rows, a way to run one job here, and quick ways with the database, passwords
and static files."""

import gc
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from django.core.management.commands import flush
from django.db import connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import override_settings

from external_apis.models import Credential
from jobs.engine import runner
from jobs.models import Run
from reservations.models import Reservation
from sessions_app.models import Message, Session

PHONE = "+40700000001"


# What migrating fills in: as long as nobody deletes it, it need not be filled in again.
KEPT = {"django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}


WAITING_MOSTLY = (
    "tests/faults/",
    "tests/integration/",
    "tests/bench/",
    "tests/browser/",
    "tests/stream/",
    "tests/catalog/test_reminders_",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest and mostly wait, so that the quick ones fill the time."""
    items.sort(key=lambda item: not item.nodeid.startswith(WAITING_MOSTLY))


def pytest_collection_finish() -> None:
    """What collecting leaves in memory stays to the end: to look through it for garbage again and again takes time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def flush_quickly() -> Iterator[None]:
    """After a test that commits, delete the rows and leave it at that.

    Django truncates every table and announces a migration, which costs half a second for each such test.
    """

    def deletions(self: DatabaseOperations, style: Any, tables: list[str], **_: Any) -> list[str]:
        emptied = " ".join(f"DELETE FROM {self.quote_name(table)};" for table in tables if table not in KEPT)  # noqa: S608
        # Without triggers: the one of the audit refuses every deletion.
        return [f"SET LOCAL session_replication_role = replica; {emptied} SET LOCAL session_replication_role = origin"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", deletions)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_, **__: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def hash_quickly() -> Iterator[None]:
    """A password's hash is made to cost a quarter of a second, and many tests begin by making a user."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="module")
def filled(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The tables as the module's FILL leaves them: once for all its tests, and never committed."""
    with django_db_blocker.unblock(), transaction.atomic(), connection.cursor() as cursor:
        # Else each row's foreign keys are checked by a plan made while the tables were empty: by reading all of them.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(request.module.FILL)
        cursor.execute("SET LOCAL session_replication_role = origin")
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True, scope="session")
def look_for_static_files_when_asked() -> Iterator[None]:
    """A web server reads the list of all static files when it starts, and every test client is one that starts."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture
def run_job(transactional_db: None) -> Callable[..., Run]:
    """Runs a job here and now, or at a given `now` and `tick`, and returns its finished run."""

    def run(slug: str, **how: Any) -> Run:
        return runner.run_now(slug, by="a test", **how)

    return run


@pytest.fixture
def make_session(db: None) -> Callable[..., Session]:
    """A session; what its state demands is filled in, its last activity unless given is its end."""

    def make(status: str = Session.Status.OPEN, **values: Any) -> Session:
        if status == Session.Status.RESOLVED and "resolved_at" not in values:
            values["resolved_at"] = values["last_activity_at"]
        if status in (Session.Status.CLOSED, Session.Status.ABANDONED) and "closed_at" not in values:
            values["closed_at"] = values["last_activity_at"]
        if status == Session.Status.ERROR:
            values = {"error_cause": Session.ErrorCause.PROVIDER, "error": "no answer", **values}
        if ended_at := values.get("resolved_at") or values.get("closed_at"):
            values.setdefault("last_activity_at", ended_at)
        defaults: dict[str, Any] = {"customer_phone": PHONE, "channel": Session.Channel.WHATSAPP}
        return Session.objects.create(status=status, **{**defaults, **values})

    return make


@pytest.fixture
def make_message(make_session: Callable[..., Session]) -> Callable[..., Message]:
    """A message from a customer that nobody has processed, in a session of its own unless one is given."""

    def make(session: Session | None = None, *, sent_at: datetime, **values: Any) -> Message:
        defaults: dict[str, Any] = {"direction": Message.Direction.INBOUND, "provider": Message.Provider.META}
        if values.get("state") == Message.State.PROCESSED:
            defaults["processed_at"] = sent_at
        session = session or make_session(last_activity_at=sent_at)
        return Message.objects.create(session=session, sent_at=sent_at, **{**defaults, **values})

    return make


@pytest.fixture
def make_reservation(db: None) -> Callable[..., Reservation]:
    """A booked table for two."""
    numbers = count(1)

    def make(*, starts_at: datetime, **values: Any) -> Reservation:
        defaults: dict[str, Any] = {"reference": f"R-{next(numbers)}", "guest_name": "Ana Pop", "phone": PHONE}
        return Reservation.objects.create(starts_at=starts_at, **{**defaults, **values})

    return make


@pytest.fixture
def make_credential(db: None) -> Callable[..., Credential]:
    """A valid Meta access token that never expires and is not in use."""
    numbers = count(1)

    def make(**values: Any) -> Credential:
        defaults: dict[str, Any] = {
            "provider": Credential.Provider.META,
            "kind": Credential.Kind.ACCESS_TOKEN,
            "label": f"token {next(numbers)}",
            "secret": "a secret that nobody sees",
            "status": Credential.Status.VALID,
        }
        if values.get("status") == Credential.Status.INVALID:
            defaults["why"] = "the provider refuses it"
        return Credential.objects.create(**{**defaults, **values})

    return make
