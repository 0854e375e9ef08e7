import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from sessions_app.models import Message, Session
from tests.domain.sessions.conversing import NOW

SESSIONS = "admin:sessions_app_session_changelist"
MESSAGES = "admin:sessions_app_message_changelist"


@pytest.fixture
def of_two_kinds(make_session):
    return make_session("open", reference="OLD-1"), make_session("resolved", resolved_at=NOW)


def act(client, listing, action, rows, **values):
    chosen = {"action": action, "_selected_action": [row.pk for row in rows], **values}
    return client.post(reverse(listing), chosen, follow=True)


def test_sessions_are_closed_for_a_reason_in_the_name_of_whoever_does_it(admin_client, admin_user, of_two_kinds):
    page = act(admin_client, SESSIONS, "close", of_two_kinds, reason="a double")

    session = Session.objects.get(reference="OLD-1")
    assert (session.status, session.reason, session.moved_by) == ("closed", "a double", admin_user.username)
    assert "1 sessions were closed. 1 others stand elsewhere" in page.content.decode()


def test_those_left_alone_are_counted_also_in_a_list_that_the_closed_ones_leave(admin_client, of_two_kinds):
    address = f"{reverse(SESSIONS)}?status__exact=open"
    chosen = {"action": "close", "_selected_action": [of_two_kinds[0].pk], "reason": "a double"}

    page = admin_client.post(address, chosen, follow=True).content.decode()

    assert "1 sessions were closed." in page
    assert "others" not in page


def test_parked_messages_that_may_have_been_sent_are_said_to_be_left(admin_client, make_session, make_message):
    session = make_session(last_activity_at=NOW)
    rows = [
        make_message(session, sent_at=NOW, state="parked", last_error="no", parked_for=why)
        for why in ("failing", "unconfirmed")
    ]

    page = act(admin_client, MESSAGES, "process_again", rows).content.decode()

    assert "1 parked messages will be processed or sent again." in page
    assert "1 others" in page


def test_ended_sessions_are_reopened(admin_client, of_two_kinds):
    act(admin_client, SESSIONS, "reopen", of_two_kinds, reason="she called")

    assert list(Session.objects.order_by("pk").values_list("status", "reason")) == [
        ("open", ""),
        ("open", "she called"),
    ]


@pytest.mark.parametrize("reason", ["", "   "])
def test_without_a_reason_nothing_is_moved(admin_client, of_two_kinds, reason):
    page = act(admin_client, SESSIONS, "close", of_two_kinds, reason=reason)

    assert "Say why" in page.content.decode()
    assert Session.objects.get(reference="OLD-1").status == "open"


@pytest.mark.parametrize("query", ["OLD-1", "40700000001"])
def test_a_searched_list_can_be_acted_on(admin_client, of_two_kinds, query):
    address = f"{reverse(SESSIONS)}?q={query}"
    admin_client.post(address, {"action": "close", "_selected_action": [of_two_kinds[0].pk], "reason": "a double"})

    assert Session.objects.get(reference="OLD-1").status == "closed"


def test_who_may_only_look_can_move_nothing(client, of_two_kinds, make_message):
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename__in=["view_session", "view_message"]))
    client.force_login(looker)
    parked = make_message(sent_at=NOW, state="parked", last_error="no")

    act(client, SESSIONS, "close", of_two_kinds, reason="a double")
    act(client, MESSAGES, "process_again", [parked])

    assert Session.objects.get(reference="OLD-1").status == "open"
    assert Message.objects.get().state == "parked"


def test_nothing_that_the_service_owns_can_be_edited(admin_client, make_session):
    session = make_session(customer_name="Ana", last_activity_at=NOW)
    address = reverse("admin:sessions_app_session_change", args=[session.pk])
    empty = {"messages-TOTAL_FORMS": 0, "messages-INITIAL_FORMS": 0}
    wanted = {"customer_name": "Ana Pop", "status": "closed", "reference": "X", "customer_phone": "+40700000009"}

    assert admin_client.post(address, {**empty, **wanted}).status_code == 302

    after = Session.objects.get()
    assert (after.customer_name, after.status, after.reference) == ("Ana Pop", "open", "")
    assert after.customer_phone == session.customer_phone


def test_the_lists_show_no_phone_number(admin_client, make_session, make_message):
    make_message(make_session(last_activity_at=NOW), sent_at=NOW)

    for listing in (SESSIONS, MESSAGES):
        assert "40700000001" not in admin_client.get(reverse(listing)).content.decode()
