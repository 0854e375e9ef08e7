"""What a person can do about reservations, reminders and opt-outs, and what not."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from reservations import events, opt_outs
from reservations.models import OptOut, Reminder, Reservation
from tests.reservations.conftest import GUEST

pytestmark = pytest.mark.django_db

RESERVATIONS = reverse("admin:reservations_reservation_changelist")
OPT_OUTS = reverse("admin:reservations_optout_changelist")


def act(client, address, action, *rows):
    return client.post(address, {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)


def tomorrow():
    return timezone.now() + timedelta(days=1)


def form(**values):
    local = {"starts_at_0": "2027-06-15", "starts_at_1": "19:30", "timezone": "Europe/Bucharest"}
    empty_inline = {"reminders-TOTAL_FORMS": "0", "reminders-INITIAL_FORMS": "0"}
    row = {"reference": "R-9", "guest_name": "Ana", "phone": GUEST, "party_size": "2", "language": "ro"}
    return {**row, **local, "channel": "sms", **empty_inline, **values}


def test_a_reservation_can_be_added_and_edited(admin_client):
    assert admin_client.post(reverse("admin:reservations_reservation_add"), form()).status_code == 302
    row = Reservation.objects.get()
    assert (row.status, str(row.phone), row.cancelled_because) == ("booked", GUEST, "")
    address = reverse("admin:reservations_reservation_change", args=[row.pk])
    assert admin_client.post(address, form(party_size="5")).status_code == 302
    row.refresh_from_db()
    assert row.party_size == 5


@pytest.mark.parametrize("wrong", [{"phone": "12"}, {"timezone": "Europe/Bucuresti"}, {"party_size": "0"}])
def test_what_is_wrong_is_refused_in_words(admin_client, wrong):
    page = admin_client.post(reverse("admin:reservations_reservation_add"), form(**wrong))
    assert page.status_code == 200
    assert "errorlist" in page.content.decode()
    assert not Reservation.objects.exists()


def test_cancelling_is_an_action_that_says_who(admin_client, make_reservation):
    booked, seated = make_reservation(starts_at=tomorrow()), make_reservation(starts_at=tomorrow(), status="seated")
    page = act(admin_client, RESERVATIONS, "cancel", booked, seated).content.decode()
    assert "1 cancelled." in page
    assert "1 left as they are" in page
    booked.refresh_from_db()
    seated.refresh_from_db()
    assert (booked.status, booked.cancelled_because) == ("cancelled", "cancelled by admin")
    assert booked.cancelled_at is not None
    assert seated.status == "seated"


@pytest.mark.parametrize(("action", "status"), [("seat", "seated"), ("note_no_show", "no_show")])
def test_guests_are_marked_by_actions(admin_client, make_reservation, action, status):
    row = make_reservation(starts_at=tomorrow())
    act(admin_client, RESERVATIONS, action, row)
    row.refresh_from_db()
    assert row.status == status


def test_reminding_now_asks_for_a_run_and_sends_nothing_here(
    admin_client, make_reservation, django_capture_on_commit_callbacks
):
    heard = []

    def hear(sender, *, reminder_ids, **_):
        heard.append(reminder_ids)

    events.reminder_wanted.connect(hear)
    row, over = make_reservation(starts_at=tomorrow()), make_reservation(starts_at=tomorrow(), status="seated")
    with django_capture_on_commit_callbacks(execute=True):
        page = act(admin_client, RESERVATIONS, "remind_now", row, over).content.decode()
    events.reminder_wanted.disconnect(hear)

    assert "1 to be reminded now." in page
    assert "1 left out" in page
    reminder = Reminder.objects.get()
    assert (reminder.reservation, reminder.state) == (row, "due")
    assert heard == [[reminder.pk]]


def test_reminding_needs_a_right_of_its_own(client, make_reservation):
    clerk = User.objects.create_user("clerk", is_staff=True)
    of_reservations = Permission.objects.filter(content_type__app_label="reservations")
    clerk.user_permissions.set(of_reservations.exclude(codename="remind_reservation"))
    client.force_login(clerk)
    row = make_reservation(starts_at=tomorrow())
    act(client, RESERVATIONS, "remind_now", row)
    assert not Reminder.objects.exists()

    clerk.user_permissions.set(of_reservations)
    act(client, RESERVATIONS, "remind_now", row)
    assert Reminder.objects.exists()


def test_a_reservation_with_its_reminders_can_be_deleted(admin_client, make_reminder, make_attempt):
    reminder = make_reminder()
    make_attempt(reminder)
    address = reverse("admin:reservations_reservation_delete", args=[reminder.reservation_id])
    assert admin_client.post(address, {"post": "yes"}).status_code == 302
    assert not Reservation.objects.exists()


def test_the_page_of_a_reminder_shows_its_attempts_without_number_and_words(admin_client, make_reminder, make_attempt):
    reminder = make_reminder()
    make_attempt(reminder, code="131026", phone="+40700000077", text="Buna ziua")
    page = admin_client.get(reverse("admin:reservations_reminder_change", args=[reminder.pk])).content.decode()
    assert "131026" in page
    assert "+40700000077" not in page
    assert "Buna ziua" not in page


def test_an_opt_out_is_lifted_not_deleted(admin_client):
    opt_outs.opt_out(phone=GUEST, channel="sms", why="wrote STOP", now=timezone.now())
    row = OptOut.objects.get()
    assert GUEST in admin_client.get(OPT_OUTS, {"q": "40700"}).content.decode()
    assert admin_client.get(reverse("admin:reservations_optout_change", args=[row.pk])).status_code == 200
    assert admin_client.post(reverse("admin:reservations_optout_delete", args=[row.pk])).status_code == 403
    act(admin_client, OPT_OUTS, "lift", row)
    assert opt_outs.closed_channels(GUEST) == {}


def test_a_person_can_be_opted_out_by_hand_once(admin_client):
    given = {"phone": GUEST, "channel": "sms", "why": "asked by phone"}
    address = reverse("admin:reservations_optout_add")
    assert admin_client.post(address, given).status_code == 302
    page = admin_client.post(address, given)
    assert "not written to on this channel already" in page.content.decode()
    assert OptOut.objects.get().kind == "opted_out"


@pytest.mark.parametrize("model", ["optout", "reservation"])
def test_a_new_one_asks_only_for_what_a_person_can_say(admin_client, model):
    page = admin_client.get(reverse(f"admin:reservations_{model}_add")).content.decode()
    assert "DatabaseDefault" not in page
    assert 'name="phone"' in page


def test_the_page_of_a_reservation_says_in_which_zone_its_time_is_entered(admin_client, make_reservation):
    row = make_reservation(starts_at=tomorrow())
    page = admin_client.get(reverse("admin:reservations_reservation_change", args=[row.pk])).content.decode()
    assert "Starts at (UTC)" in page


@pytest.mark.parametrize(
    ("zone", "shown"), [("Europe/Bucharest", "2026-12-24 19:30"), ("Nowhere/Here", "2026-12-24 17:30 UTC")]
)
def test_the_list_shows_when_a_guest_comes_by_the_clock_there(admin_client, make_reservation, zone, shown):
    make_reservation(starts_at=datetime(2026, 12, 24, 17, 30, tzinfo=UTC), timezone=zone)
    assert shown in admin_client.get(RESERVATIONS).content.decode()
