"""Webhook events in the admin."""

from django.urls import reverse

from external_apis.models import WebhookEvent
from external_apis.webhooks import inbox
from external_apis.webhooks.meta import parse
from tests.webhooks.conftest import CANARY_PHONE, CANARY_TEXT, NOW, delivery, message

LISTING = "admin:external_apis_webhookevent_changelist"


def event(state):
    inbox.store(parse(delivery({"messages": [message(text=CANARY_TEXT, **{"from": CANARY_PHONE})]}), now=NOW).events)
    WebhookEvent.objects.update(state=state, attempts=5, last_error="ValueError in take_in")
    return WebhookEvent.objects.get()


def test_no_page_shows_what_a_customer_wrote(admin_client):
    row = event("parked")
    change = reverse("admin:external_apis_webhookevent_change", args=[row.pk])

    for page in (admin_client.get(reverse(LISTING), {"q": "wamid"}), admin_client.get(change)):
        content = page.content.decode()
        assert (page.status_code, "ValueError in take_in" in content) == (200, True)
        for hidden in (CANARY_TEXT, CANARY_PHONE, row.payload.token):
            assert hidden not in content


def test_events_cannot_be_made_by_hand(admin_client):
    assert admin_client.get(reverse("admin:external_apis_webhookevent_add")).status_code == 403


def test_a_parked_event_is_handed_back_to_processing(admin_client):
    row = event("parked")

    admin_client.post(reverse(LISTING), {"action": "process_again", "_selected_action": [row.pk]})

    row.refresh_from_db()
    assert (row.state, row.attempts) == ("unprocessed", 0)
