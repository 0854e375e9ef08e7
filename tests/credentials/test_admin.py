"""What operators see and do in the admin, and that no secret is ever shown."""

import logging

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone
from django.views.debug import get_exception_reporter_filter

from external_apis.models import Credential, Sender, Template, WebhookEvent
from tests.credentials.conftest import DAY, NOW, NUMBER_ID, OUTAGES, TOKEN, provider_settings

NAMES = ("credential", "sender", "template", "webhookevent")
SAID = "what a customer wrote"


def listing(name):
    return reverse(f"admin:external_apis_{name}_changelist")


def page(row):
    return reverse(f"admin:external_apis_{row._meta.model_name}_change", args=[row.pk])


@pytest.fixture
def rows(make_meta, make_sender):
    """One row of each kind, by its name in addresses."""
    credential = make_meta(label="mine")
    event = {"provider": "meta", "kind": "message", "key": "wamid.1", "payload": SAID, "state": "parked", "attempts": 5}
    return {
        "credential": credential,
        "sender": make_sender(credential),
        "template": Template.objects.create(
            provider="meta", name="a", language="ro", status="APPROVED", checked_at=NOW
        ),
        "webhookevent": WebhookEvent.objects.create(**event, last_error="ValueError"),
    }


@pytest.fixture
def at_stand_in(settings, stand_in):
    settings.PROVIDERS = provider_settings(stand_in)
    return stand_in


@pytest.fixture
def act(admin_client):
    def act(name, *rows, model="credential", client=admin_client):
        chosen = {"action": name, "_selected_action": [row.pk for row in rows]}
        return client.post(listing(model), chosen, follow=True).content.decode()

    return act


def form(**values):
    empty = {"account": "", "key_id": "", "business_account": "", "new_secret": ""}
    return {"provider": "meta", "kind": "access_token", "label": "mine", **empty, **values}


@pytest.mark.parametrize("name", NAMES)
def test_lists_can_be_searched_and_filtered_and_rows_looked_at(admin_client, rows, name):
    assert admin_client.get(listing(name), {"q": "a"}).status_code == 200
    assert admin_client.get(listing(name), {"provider__exact": "meta"}).status_code == 200
    assert admin_client.get(page(rows[name])).status_code == 200


@pytest.mark.parametrize("source", ["person", "settings"])
def test_no_page_shows_a_secret_or_a_payload(admin_client, rows, source):
    Credential.objects.update(source=source, fingerprint="f" * 64)
    credential = rows["credential"]
    hidden = (TOKEN, credential.secret.token, SAID, rows["webhookevent"].payload.token, "f" * 64)
    addresses = [listing(name) for name in NAMES] + [page(row) for row in rows.values()]
    history = reverse("admin:external_apis_credential_history", args=[credential.pk])

    for address in (*addresses, history):
        shown = admin_client.get(address).content.decode()
        assert not [each for each in hidden if each in shown]


def test_an_entered_secret_is_shown_nowhere_not_even_when_the_form_is_refused(admin_client, rows, caplog):
    caplog.set_level(logging.DEBUG)
    credential, secret = rows["credential"], "EAAcanaryEntered0123456789"

    refused = admin_client.post(page(credential), form(label="", new_secret=secret))
    assert refused.status_code == 200
    assert admin_client.post(page(credential), form(account=NUMBER_ID, new_secret=secret)).status_code == 302

    history = admin_client.get(reverse("admin:external_apis_credential_history", args=[credential.pk]))
    for shown in (refused, admin_client.get(page(credential)), history):
        assert secret not in shown.content.decode()
    assert "New secret" in history.content.decode()
    assert secret not in caplog.text
    credential.refresh_from_db()
    assert credential.secret.reveal() == secret


def test_a_report_of_an_error_holds_no_entered_secret(admin_client, rows):
    answer = admin_client.post(page(rows["credential"]), form(label="", new_secret="EAAcanaryEntered"))

    request = answer.wsgi_request
    cleaned = get_exception_reporter_filter(request).get_post_parameters(request)
    assert cleaned["new_secret"] != "EAAcanaryEntered"


@pytest.mark.parametrize("odd", ["two words", "EAAă", "EAA\tx"])
def test_a_secret_that_no_header_can_hold_is_refused(admin_client, rows, odd):
    refused = admin_client.post(page(rows["credential"]), form(new_secret=odd))

    assert "no secret has" in refused.content.decode()
    assert odd not in refused.content.decode()


@pytest.mark.parametrize("changed", [{"new_secret": "EAAnew"}, {"account": "2"}, {"in_use": ""}])
def test_what_its_state_depends_on_makes_a_credential_unchecked(admin_client, rows, changed):
    credential = rows["credential"]
    Credential.objects.update(status="invalid", why="no", invalid_since=NOW, checked_at=NOW)

    admin_client.post(page(credential), form(**{"account": NUMBER_ID, "in_use": "on", **changed}))

    credential.refresh_from_db()
    assert (credential.status, credential.why, credential.checked_at) == ("unchecked", "", None)


def test_another_label_leaves_the_state_alone(admin_client, rows):
    credential = rows["credential"]
    Credential.objects.update(checked_at=NOW)

    admin_client.post(page(credential), form(account=NUMBER_ID, in_use="on", label="renamed"))

    credential.refresh_from_db()
    assert (credential.label, credential.status, credential.checked_at) == ("renamed", "valid", NOW)


def test_what_the_settings_keep_cannot_be_changed_here(admin_client, rows):
    credential = rows["credential"]
    Credential.objects.update(source="settings")

    admin_client.post(page(credential), form(label="renamed", new_secret="EAAother"))

    credential.refresh_from_db()
    assert (credential.label, credential.secret.reveal(), credential.in_use) == ("mine", TOKEN, True)


def test_validate_now_says_for_each_what_came_of_it(act, rows, make_meta, at_stand_in):
    dead = make_meta(label="dead", secret="EAAdead")
    at_stand_in.tokens["EAAdead"] = {"is_valid": False, "error": {"code": 190, "message": "Dead EAAdead"}}

    shown = act("validate_now", rows["credential"], dead)

    assert "Mine: valid" in shown
    assert "Dead: invalid: Meta refuses it" in shown
    assert "EAAdead" not in shown
    dead.refresh_from_db()
    assert dead.status == "invalid"


def test_validate_now_says_that_a_provider_did_not_answer(act, rows, at_stand_in):
    at_stand_in.always("meta.debug_token", OUTAGES["in trouble"])

    assert "Mine: not answered, so nothing was changed" in act("validate_now", rows["credential"])


def test_a_paused_sender_is_resumed(act, rows, heard):
    sender = rows["sender"]
    Sender.objects.update(paused_at=timezone.now() - DAY, paused_because="it was refused", pause="refused")

    assert "1 senders resumed." in act("resume_sending", sender, model="sender")
    assert "None of them was paused." in act("resume_sending", sender, model="sender")

    sender.refresh_from_db()
    assert (sender.paused_at, heard.names) == (None, ["resumed"])


def test_what_the_provider_says_of_a_sender_is_not_changed_by_hand(admin_client, rows):
    sender = rows["sender"]
    values = {
        "provider": "meta",
        "channel": "whatsapp",
        "address": "1060000000007",
        "credential": "",
        "quality": "BLUE",
    }

    assert admin_client.post(page(sender), values).status_code == 302

    sender.refresh_from_db()
    assert (sender.address, sender.quality, sender.in_use) == ("1060000000007", "", False)


def test_a_sender_and_its_credential_belong_together(admin_client, rows, make_twilio):
    values = {"provider": "meta", "channel": "whatsapp", "address": "1", "credential": make_twilio().pk}

    for wrong, why in (({}, "another provider"), ({"channel": "sms", "credential": ""}, "Meta carries WhatsApp alone")):
        refused = admin_client.post(page(rows["sender"]), {**values, **wrong})
        assert why in refused.content.decode()


def test_parked_events_are_processed_again(act, rows):
    event = rows["webhookevent"]

    assert "1 parked events will be processed again." in act("process_again", event, model="webhookevent")

    event.refresh_from_db()
    assert (event.state, event.attempts) == ("unprocessed", 0)
    assert "0 parked events" in act("process_again", event, model="webhookevent")


@pytest.mark.parametrize(
    ("action", "name"),
    [("validate_now", "credential"), ("resume_sending", "sender"), ("process_again", "webhookevent")],
)
def test_actions_need_the_right_to_change(client, act, rows, at_stand_in, action, name):
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__in=[f"view_{each}" for each in NAMES]))
    client.force_login(viewer)
    Sender.objects.update(paused_at=NOW, paused_because="it was refused", pause="refused")

    act(action, rows[name], model=name, client=client)

    assert at_stand_in.calls == []
    assert Sender.objects.get().paused_at == NOW
    assert WebhookEvent.objects.get().state == "parked"
