"""Every page and action of the admin, and every operator's page, for strangers, people without rights, and roles."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client, RequestFactory
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from jobs.engine import sync
from jobs.models import Run

ROLES = ("viewer", "operator", "administrator")

# What each role may look at; each also what the one before it may.
LISTS = {
    "viewer": {
        *("django_celery_beat.periodictask", "django_celery_results.taskresult", "maintenance.backup"),
        *("jobs.run", "jobs.tickgap", "jobs.worker", "jobs.dailytotal"),
        *("monitoring.alert", "monitoring.dailyreport", "monitoring.logentry"),
    },
    "operator": {
        *("sessions_app.session", "sessions_app.message"),
        *("reservations.reservation", "reservations.reminder", "reservations.optout"),
        *("external_apis.sender", "external_apis.template", "external_apis.webhookevent", "external_apis.credential"),
    },
    "administrator": {"access.token", "access.auditentry", "auth.user", "auth.group"},
}

# What each role may add; nobody else may.
ADDED = {
    "administrator": {
        "access.token",
        "auth.user",
        "auth.group",
        "reservations.reservation",
        "external_apis.credential",
    }
}

ACTIONS = {
    "operator": {
        "django_celery_beat.periodictask": {"run_now", "pause", "resume", "enable", "disable", "reset"},
        "jobs.run": {"cancel"},
        "monitoring.alert": {"acknowledge"},
        "external_apis.sender": {"resume_sending"},
        "external_apis.webhookevent": {"process_again"},
        "sessions_app.session": {"close", "reopen"},
        "sessions_app.message": {"process_again"},
        "reservations.reservation": {"cancel", "seat", "note_no_show", "remind_now"},
        "reservations.optout": {"lift"},
    },
    "administrator": {
        "access.token": {"revoke"},
        "access.auditentry": {"revert"},
        "external_apis.credential": {"validate_now"},
    },
}
PAGES = [
    "/",
    "/overview",
    "/jobs/daily-report",
    "/jobs/daily-report/part",
    "/alerts",
    "/alerts/part",
    "/reports",
    "/backups",
]
REGISTERED = {model._meta.label_lower: page for model, page in admin.site._registry.items()}

pytestmark = pytest.mark.django_db

Make = Callable[..., Client]


@pytest.fixture
def somebody() -> Make:
    """The client of somebody who may enter the admin and has a role, or none."""

    def make(role: str = "", *, is_staff: bool = True) -> Client:
        user = User.objects.create_user(f"{role or 'nobody'} {is_staff}", is_staff=is_staff)
        if role:
            user.groups.add(Group.objects.get(name=role))
        client = Client()
        client.force_login(user)
        return client

    return make


def up_to(role: str, table: dict[str, Any]) -> list[Any]:
    """What a role has of a table: its own, and that of the roles before it."""
    return [table[each] for each in ROLES[: ROLES.index(role) + 1] if each in table]


def address(label: str, page: str) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_{page}")


def test_the_tables_name_every_page_there_is() -> None:
    assert set().union(*LISTS.values()) == set(REGISTERED)


@pytest.mark.parametrize("label", REGISTERED)
def test_a_stranger_and_who_is_not_staff_are_asked_to_sign_in(somebody: Make, label: str) -> None:
    for client in (Client(), somebody("administrator", is_staff=False)):
        for page in ("changelist", "add"):
            answer = client.get(address(label, page))
            assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/admin/login/")


@pytest.mark.parametrize("label", REGISTERED)
@pytest.mark.parametrize("role", ["", *ROLES])
def test_a_role_sees_the_lists_that_it_is_for(somebody: Make, role: str, label: str) -> None:
    seen = set().union(*up_to(role, LISTS)) if role else set()
    assert somebody(role).get(address(label, "changelist")).status_code == (200 if label in seen else 403)


@pytest.mark.parametrize("label", REGISTERED)
@pytest.mark.parametrize("role", ["", *ROLES])
def test_a_role_adds_what_it_is_for(somebody: Make, role: str, label: str) -> None:
    added = set().union(*up_to(role, ADDED)) if role else set()
    assert somebody(role).get(address(label, "add")).status_code == (200 if label in added else 403)


@pytest.mark.parametrize("label", REGISTERED)
@pytest.mark.parametrize("role", ["", *ROLES])
def test_a_role_has_the_actions_that_it_is_for(somebody: Make, role: str, label: str) -> None:
    client = somebody(role)
    request = RequestFactory().get("/")
    request.user = User.objects.get(pk=client.session["_auth_user_id"])
    offered = set(REGISTERED[label].get_actions(request)) - {"delete_selected"}
    wanted = set().union(*(each.get(label, set()) for each in up_to(role, ACTIONS))) if role else set()
    assert offered == wanted


def test_every_action_there_is_stands_in_the_table(admin_user: User) -> None:
    request = RequestFactory().get("/")
    request.user = admin_user
    offered = {label: set(page.get_actions(request)) - {"delete_selected"} for label, page in REGISTERED.items()}
    listed: dict[str, set[str]] = {}
    for actions in ACTIONS.values():
        listed |= actions
    assert {label: actions for label, actions in offered.items() if actions} == listed


@pytest.mark.parametrize("role", ROLES)
def test_only_administrators_delete(somebody: Make, role: str) -> None:
    client = somebody(role)
    request = RequestFactory().get("/")
    request.user = User.objects.get(pk=client.session["_auth_user_id"])
    deletes = {label for label, page in REGISTERED.items() if page.has_delete_permission(request)}
    everything = {"access.token", "auth.user", "auth.group", "external_apis.credential", "external_apis.template"}
    everything |= {"reservations.reservation", "django_celery_beat.periodictask"}
    assert deletes == (everything if role == "administrator" else set())


def test_an_action_that_was_not_offered_is_not_done(somebody: Make) -> None:
    someone = User.objects.create_user("someone")
    sync.sync()
    row = PeriodicTask.objects.earliest("pk")
    chosen = {"action": "run_now", "_selected_action": [row.pk]}
    somebody("viewer").post(address("django_celery_beat.periodictask", "changelist"), chosen)
    assert not Run.objects.exists()
    chosen = {"action": "delete_selected", "post": "yes", "_selected_action": [someone.pk]}
    assert somebody("operator").post(address("auth.user", "changelist"), chosen).status_code == 403
    assert User.objects.filter(pk=someone.pk).exists()


@pytest.mark.parametrize("page", PAGES)
def test_the_operators_pages_are_for_every_role_and_nobody_else(somebody: Make, page: str) -> None:
    answer = Client().get(page)
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/sign-in")
    assert somebody(is_staff=False).get(page).status_code == 403
    for role in ROLES:
        assert somebody(role, is_staff=False).get(page).status_code == 200


@pytest.mark.parametrize("page", ["/audit", "/tokens"])
def test_the_pages_of_the_audit_and_the_tokens_are_for_administrators(somebody: Make, page: str) -> None:
    assert Client().get(page).status_code == 302
    answers = [somebody(role, is_staff=False).get(page).status_code for role in ROLES]
    assert answers == [403, 403, 200]
