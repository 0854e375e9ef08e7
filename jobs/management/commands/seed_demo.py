"""Fills an empty database with demo data."""

from argparse import ArgumentParser
from datetime import datetime
from random import Random
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from external_apis.models import Credential, Sender
from jobs.management import demo, demo_credentials
from reservations.models import Reminder, ReminderAttempt, Reservation
from sessions_app.models import Message, Session

SEED = 2026


class Command(BaseCommand):
    """`manage.py seed_demo`: loads the demo data once; the same seed makes the same data, around the present moment."""

    help = "Load demo data: some thousand sessions, messages, reservations and credentials. Does nothing a second time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The seed."""
        parser.add_argument("--seed", type=int, default=SEED, help=f"The same seed makes the same data ({SEED}).")

    def handle(self, *, seed: int, **_: Any) -> None:
        """Load, unless the data is there already; refuses to mix demo data with any other."""
        if Reservation.objects.filter(reference__startswith=demo.REFERENCE).exists():
            self.stdout.write("The demo data is there already.")
            return
        if used := [model for model in (Session, Reservation, Credential) if model.objects.exists()]:
            tables = ", ".join(str(model._meta.verbose_name_plural) for model in used)
            raise CommandError(
                f"This database already holds {tables} that are no demo data, so nothing was loaded. "
                "Use an empty database for the demo."
            )
        with transaction.atomic():
            _load(Random(seed), now=timezone.now())
        counts = ", ".join(
            f"{model.objects.count()} {model._meta.verbose_name_plural}"
            for model in (Session, Message, Reservation, Reminder, Credential)
        )
        self.stdout.write(f"Loaded demo data with seed {seed}: {counts}.")


def _load(chance: Random, *, now: datetime) -> None:
    people = demo.customers(chance)
    sessions = list(demo.sessions(chance, people, now=now))
    messages = [
        message for number, session in enumerate(sessions) for message in demo.messages(chance, session, number=number)
    ]
    Session.objects.bulk_create(sessions)
    Message.objects.bulk_create(messages, batch_size=2000)
    reservations = Reservation.objects.bulk_create(demo.reservations(chance, people, now=now))
    pairs = list(demo.reminders(chance, reservations, now=now))
    Reminder.objects.bulk_create(reminder for reminder, _ in pairs)
    ReminderAttempt.objects.bulk_create(attempt for _, attempt in pairs)
    credentials = Credential.objects.bulk_create(demo_credentials.credentials(now=now))
    Sender.objects.bulk_create(demo_credentials.senders(credentials))
