"""The three roles, as the migrations make them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from access import roles
from access.auth import PERMISSIONS

pytestmark = pytest.mark.django_db


def held(role: str) -> set[tuple[str, str]]:
    found = Group.objects.get(name=role).permissions
    return set(found.values_list("content_type__app_label", "codename"))


def test_each_role_has_what_is_declared_and_contains_the_one_before() -> None:
    assert {role: held(role) for role in roles.permissions()} == roles.permissions()
    assert held("viewer") < held("operator") < held("administrator")


def test_every_permission_is_one_of_a_model_that_there_is() -> None:
    for app, codename in roles.permissions()["administrator"]:
        assert apps.get_model(app, codename.partition("_")[2])


def test_they_are_named_as_django_names_them() -> None:
    for permission in Permission.objects.filter(group__name="administrator").select_related("content_type"):
        model: Any = permission.content_type.model_class()
        verb = permission.codename.partition("_")[0]
        own = dict(model._meta.permissions)
        assert permission.name == own.get(permission.codename, f"Can {verb} {model._meta.verbose_name_raw}")


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        ("viewer", {"read"}),
        ("operator", {"read", "trigger", "manage"}),
        ("administrator", {"read", "trigger", "manage"}),
    ],
)
def test_a_role_may_over_the_api_what_these_scopes_allow(
    make_user: Callable[..., Any], role: str, scopes: set[str]
) -> None:
    user = make_user("ana")
    user.groups.add(Group.objects.get(name=role))
    assert {scope.value for scope, permission in PERMISSIONS.items() if user.has_perm(permission)} == scopes


def test_what_somebody_gave_a_role_stays_and_what_it_lacks_comes_back() -> None:
    viewer = Group.objects.get(name="viewer")
    extra = Permission.objects.get(codename="delete_session", content_type__app_label="sessions_app")
    viewer.permissions.set([extra])
    roles.create(apps)
    assert held("viewer") == roles.permissions()["viewer"] | {("sessions_app", "delete_session")}
