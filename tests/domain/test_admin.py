from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from external_apis.models import Credential
from reservations.models import Reminder, ReminderAttempt
from sessions_app.models import Message

PLAIN = "EAAG-very-secret-token"


@pytest.fixture
def rows(make_message, make_reservation, make_credential):
    """One row of each model, by its name in admin addresses."""
    now = timezone.now()
    message = make_message(sent_at=now, state="parked", last_error="ValueError: no", attempts=5)
    reservation = make_reservation(starts_at=now + timedelta(hours=1))
    reminder = Reminder.objects.create(reservation=reservation, starts_at=reservation.starts_at)
    ReminderAttempt.objects.create(reminder=reminder, channel="sms", provider="twilio")
    return {
        "sessions_app_session": message.session,
        "sessions_app_message": message,
        "reservations_reservation": reservation,
        "reservations_reminder": reminder,
        "external_apis_credential": make_credential(secret=PLAIN),
    }


@pytest.mark.parametrize(
    "name",
    [
        "sessions_app_session",
        "sessions_app_message",
        "reservations_reservation",
        "reservations_reminder",
        "external_apis_credential",
    ],
)
def test_lists_searches_and_rows_can_be_looked_at(admin_client, rows, name):
    listing = reverse(f"admin:{name}_changelist")

    assert admin_client.get(listing).status_code == 200
    assert admin_client.get(listing, {"q": "40700"}).status_code == 200
    assert admin_client.get(reverse(f"admin:{name}_change", args=[rows[name].pk])).status_code == 200


def test_no_page_shows_a_secret(admin_client, rows):
    credential = rows["external_apis_credential"]
    pages = [
        admin_client.get(reverse("admin:external_apis_credential_changelist")),
        admin_client.get(reverse("admin:external_apis_credential_change", args=[credential.pk])),
    ]

    for page in pages:
        assert PLAIN not in page.content.decode()
        assert credential.secret.token not in page.content.decode()


def credential_form(**values):
    return {"provider": "meta", "kind": "access_token", "label": "token", "account": "", "key_id": "", **values}


def test_a_new_credential_needs_a_secret(admin_client):
    address = reverse("admin:external_apis_credential_add")

    refused = admin_client.post(address, credential_form(new_secret=""))
    assert "without it the credential is of no use" in refused.content.decode()

    assert admin_client.post(address, credential_form(new_secret=PLAIN)).status_code == 302
    assert Credential.objects.get().secret.reveal() == PLAIN


def test_an_empty_secret_keeps_the_stored_one_and_its_state(admin_client, make_credential):
    credential = make_credential(secret=PLAIN, label="token")
    address = reverse("admin:external_apis_credential_change", args=[credential.pk])

    admin_client.post(address, credential_form(new_secret="", label="renamed"))

    credential.refresh_from_db()
    assert (credential.label, credential.secret.reveal(), credential.status) == ("renamed", PLAIN, "valid")


def test_a_new_secret_is_unchecked(admin_client, make_credential):
    credential = make_credential(label="token", status="invalid", invalid_since=timezone.now())
    address = reverse("admin:external_apis_credential_change", args=[credential.pk])

    admin_client.post(address, credential_form(new_secret="renewed"))

    credential.refresh_from_db()
    assert (credential.secret.reveal(), credential.status, credential.invalid_since) == ("renewed", "unchecked", None)


def test_parked_messages_can_be_processed_again(admin_client, rows):
    message = rows["sessions_app_message"]
    address = reverse("admin:sessions_app_message_changelist")

    admin_client.post(address, {"action": "process_again", "_selected_action": [message.pk]})

    message.refresh_from_db()
    assert (message.state, message.attempts) == (Message.State.UNPROCESSED, 0)
