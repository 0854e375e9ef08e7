import json
from datetime import UTC, datetime, timedelta
from random import Random

import phonenumbers
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pyrage import x25519

from config.backups import Backups
from external_apis.models import Credential
from jobs.engine import registry
from jobs.management import demo
from jobs.models import State
from local.postgres import find_binaries
from maintenance.backup.local import LocalStore
from reservations.models import Reservation
from sessions_app.models import Message, Session

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)


@pytest.fixture
def seed(capsys):
    """Loads the demo data and returns what the command said."""

    def load(**options):
        call_command("seed_demo", **options)
        return capsys.readouterr().out

    return load


@pytest.mark.django_db
def test_it_loads_some_thousand_rows_of_every_state_and_does_nothing_a_second_time(seed):
    assert "Loaded demo data with seed 2026" in seed()
    rows = Session.objects.count() + Message.objects.count() + Reservation.objects.count()
    assert rows > 5000
    for model, field in ((Session, "status"), (Message, "state"), (Reservation, "status"), (Credential, "status")):
        states = set(model.objects.values_list(field, flat=True))
        assert states == set(dict(model._meta.get_field(field).choices))

    assert seed() == "The demo data is there already.\n"
    assert Session.objects.count() + Message.objects.count() + Reservation.objects.count() == rows


@pytest.mark.django_db
def test_it_refuses_a_database_that_holds_other_data(seed, make_session):
    make_session()

    with pytest.raises(CommandError, match="already holds sessions that are no demo data"):
        seed()


def test_the_same_seed_makes_the_same_data_and_another_makes_other():
    first = made_with(7)

    assert made_with(7) == first
    assert made_with(8) != first


def test_phone_numbers_are_valid_romanian_ones_of_one_small_block():
    for person in demo.customers(Random(1)):
        assert person.phone.startswith("+407000")
        assert phonenumbers.is_valid_number_for_region(phonenumbers.parse(person.phone), "RO")


@pytest.mark.django_db(transaction=True)
def test_every_job_succeeds_on_it_below_its_brake_and_finds_something_to_do(seed, run_job, settings, tmp_path):
    settings.BACKUPS = Backups(
        stores=(lambda: LocalStore(tmp_path),),
        recipients=(str(x25519.Identity.generate().to_public()),),
        pg_bin=find_binaries(),
    )
    seed()
    now = timezone.now()
    assert Reservation.objects.booked().beginning_between(now, now + timedelta(hours=2)).count() >= 20

    runs = {job.slug: run_job(job.slug) for job in registry.all_jobs()}

    assert {slug: run.error for slug, run in runs.items() if run.state != State.SUCCEEDED} == {}
    for slug, figure in (
        ("cleanup-sessions", "deleted"),
        ("check-inactive-sessions", "closed"),
        ("check-abandoned-sessions", "abandoned"),
        ("check-error-sessions", "retried"),
        ("check-unprocessed-messages", "processed"),
        ("reservation-reminders", "planned"),
        ("validate-credentials", "expired"),
        ("sync-credentials", "backInLine"),
        ("cleanup-old-messages", "deleted"),
        ("cleanup-old-sessions", "deleted"),
        ("cleanup-expired-credentials", "deleted"),
        ("backup-data", "rows"),
    ):
        assert runs[slug].result[figure] > 0, f"{slug}: {json.dumps(runs[slug].result)}"


def made_with(seed):
    """Everything that is made with a seed, as text."""
    chance = Random(seed)
    people = demo.customers(chance)
    sessions = list(demo.sessions(chance, people, now=NOW))
    messages = [
        message for number, each in enumerate(sessions) for message in demo.messages(chance, each, number=number)
    ]
    reservations = list(demo.reservations(chance, people, now=NOW))
    return [
        [(str(each.customer_phone), each.status, each.last_activity_at) for each in sessions],
        [(each.body, each.state, each.sent_at) for each in messages],
        [(each.reference, each.guest_name, each.starts_at, each.status) for each in reservations],
    ]
