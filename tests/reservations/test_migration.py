"""Processes of the version before go on working on the migrated tables until they are replaced."""

import pytest
from django.db import IntegrityError, connection, transaction

from reservations.models import OptOut, Reminder, ReminderAttempt, Reservation
from tests.reservations.conftest import GUEST, HOUR, NOW

pytestmark = pytest.mark.django_db

AS_BEFORE = """
INSERT INTO reservations_reservation
    (reference, guest_name, phone, language, starts_at, timezone, party_size, channel, status)
VALUES ('R-1', 'Ana', '+40700000001', 'ro', now(), 'Europe/Bucharest', 2, 'whatsapp', 'cancelled');
INSERT INTO reservations_reminder (reservation_id, starts_at, kind, state, reason, settled_at)
SELECT id, starts_at, 'two_hours', 'given_up', '', now() FROM reservations_reservation;
INSERT INTO reservations_reminderattempt (id, reminder_id, channel, provider, provider_id, outcome, code, detail)
SELECT gen_random_uuid(), id, 'whatsapp', 'meta', '', 'unknown', '', '' FROM reservations_reminder;
"""


def test_rows_can_be_inserted_without_the_new_columns():
    with connection.cursor() as cursor:
        cursor.execute(AS_BEFORE)
    reservation, reminder, attempt = Reservation.objects.get(), Reminder.objects.get(), ReminderAttempt.objects.get()
    assert (reservation.cancelled_at, reservation.cancelled_because) == (None, "")
    assert (reminder.channel, reminder.settled_run) == ("", None)
    assert (attempt.status, attempt.looks, attempt.parameters, attempt.phone) == ("", 0, [], "")


@pytest.mark.parametrize(
    ("model", "values", "constraint"),
    [
        (Reservation, {"language": "fr"}, "reservation_language_is_known"),
        (Reservation, {"cancelled_at": NOW}, "reservation_cancelled_when_it_says_so"),
        (Reminder, {"state": "perhaps"}, "reminder_state_is_known"),
        (Reminder, {"state": "unconfirmed"}, "reminder_settled_has_a_time"),
        (Reminder, {"channel": "fax"}, "reminder_channel_is_known"),
        (ReminderAttempt, {"status": "queued"}, "attempt_status_is_known"),
        (OptOut, {"kind": "maybe"}, "opt_out_kind_is_known"),
        (OptOut, {"channel": "fax"}, "opt_out_channel_is_known"),
    ],
)
def test_the_database_refuses_what_makes_no_sense(make_reminder, make_attempt, model, values, constraint):
    make_attempt(make_reminder(starts_at=NOW + HOUR))
    OptOut.objects.create(phone=GUEST, channel="sms")
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        model.objects.update(**values)
