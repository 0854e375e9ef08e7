"""The admin as its users meet it: a superuser's client, and forms filled in as a browser would."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from jobs.engine import schedules, sql, sync
from jobs.fleet import tasks

LIST = "admin:django_celery_beat_periodictask_changelist"
ADD = "admin:django_celery_beat_periodictask_add"
CHANGE = "admin:django_celery_beat_periodictask_change"

NEW = {
    "name": "my own schedule",
    "task": "jobs.daily-report",
    "enabled": "on",
    "description": "",
    "kind": "crontab",
    "minute": "0",
    "hour": "3",
    "day_of_month": "*",
    "month_of_year": "*",
    "day_of_week": "*",
    "timezone": "Europe/Bucharest",
    "every": "",
    "period": "minutes",
    "args": "[]",
    "kwargs": "{}",
    "queue": "",
    "headers": "{}",
}


@pytest.fixture
def operator(db: None) -> Client:
    """A superuser's client."""
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def staff(db: None) -> Callable[..., Client]:
    """A client of somebody who may enter the admin, and has the given permissions."""

    def make(*permissions: str) -> Client:
        user = User.objects.create_user(f"staff {User.objects.count()}", is_staff=True)
        for permission in permissions:
            app, _, codename = permission.partition(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def synced(db: None) -> None:
    """The schedules of all declared jobs, read by a scheduler."""
    sync.sync()
    read_edits()


def read_edits() -> int:
    """What a scheduler does with edited rows; how many there were."""
    return schedules.refresh(sql.now(), tasks.known())


def row(name: str) -> PeriodicTask:
    """A periodic task as it stands in the database."""
    return PeriodicTask.objects.select_related("crontab", "interval", "clocked").get(name=name)


def edit(client: Client, which: str, **values: Any) -> Any:
    """Open a row's page and save it with some fields changed, as a browser does."""
    url = reverse(CHANGE, args=[row(which).pk])
    return client.post(url, {**filled_in(client, url), **values})


def filled_in(client: Client, url: str) -> dict[str, Any]:
    """What a form's page would send if nothing were typed."""
    form = client.get(url).context["adminform"].form
    data: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        subvalues = bound.field.widget.decompress(value) if hasattr(bound.field.widget, "decompress") else None
        if subvalues is not None:
            data |= {f"{bound.html_name}_{n}": each or "" for n, each in enumerate(subvalues)}
        elif value is True:
            data[bound.html_name] = "on"
        elif value not in (None, False):
            data[bound.html_name] = value
    return data


def problems(answer: Any) -> dict[str, list[str]]:
    """What a page refused, by field; `__all__` is the form as a whole."""
    assert answer.status_code == 200, "it was not refused"
    return {name: [str(each) for each in found] for name, found in answer.context["adminform"].form.errors.items()}
