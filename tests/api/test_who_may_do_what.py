"""Every operation against every kind of caller."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from access.models import Scope
from jobs.engine import registry
from tests.access.conftest import bearer

NO_RUN = "01890a5d-ac96-774b-bcce-b302099a8057"

SOME_RUN = f"/cron/runs/{NO_RUN}"
SOME_ALERT = "/cron/alerts/404"
SOME_ENTRY, SOME_TOKEN = "/cron/audit/404", "/cron/tokens/404"

# Method, address, the scope it needs, and what a caller who may gets.
OPERATIONS = [
    ("get", "/cron/status", "read", 200),
    ("get", "/cron/health", "read", 503),
    ("get", "/cron/metrics", "read", 200),
    ("get", "/cron/runs", "read", 200),
    ("get", SOME_RUN, "read", 404),
    ("get", "/cron/alerts", "read", 200),
    ("get", SOME_ALERT, "read", 404),
    ("get", "/cron/reports", "read", 200),
    ("get", "/cron/reports/2020-01-01", "read", 404),
    ("post", f"{SOME_ALERT}/acknowledgement", "manage", 404),
    ("get", "/cron/openapi.json", "read", 200),
    ("get", "/cron/docs", "read", 200),
    ("get", "/cron/", "read", 404),
    ("get", "/cron", "read", 404),
    ("get", "/cron/nothing/here", "read", 404),
    ("post", f"{SOME_RUN}/cancel", "manage", 404),
    ("post", f"{SOME_RUN}/retry", "trigger", 404),
    ("get", "/cron/jobs/daily-report", "read", 200),
    ("get", "/cron/jobs/daily-report/ticks", "read", 200),
    ("get", "/cron/jobs/daily-report/why?at=2026-01-01T00:00:00Z", "read", 200),
    ("post", "/cron/jobs/no-such-job/resume", "manage", 404),
    ("post", "/cron/jobs/no-such-job/pause", "manage", 400),
    ("get", f"{SOME_RUN}/log", "read", 404),
    ("get", "/cron/jobs/daily-report/schedule", "read", 409),
    ("post", "/cron/jobs/daily-report/schedule/preview", "read", 400),
    ("patch", "/cron/jobs/daily-report/schedule", "manage", 400),
    ("post", "/cron/jobs/daily-report/schedule/reset", "manage", 409),
    ("get", "/cron/backups", "read", 200),
    ("get", "/cron/backups/none", "read", 404),
    ("post", f"{SOME_ENTRY}/revert", "manage", 404),
    ("post", "/cron/trigger/no-such-job", "trigger", 404),
    *[("post", f"/cron/trigger/{job.slug}", "trigger", 202) for job in registry.all_jobs()],
]
# What a token needs `manage` for, and a person a permission of its own.
PERSONAL = {
    ("get", "/cron/tokens", "manage", 200): "access.view_token",
    ("post", "/cron/tokens", "manage", 400): "access.add_token",
    ("get", SOME_TOKEN, "manage", 404): "access.view_token",
    ("delete", SOME_TOKEN, "manage", 404): "access.change_token",
    ("get", "/cron/audit", "manage", 200): "access.view_auditentry",
    ("get", SOME_ENTRY, "manage", 404): "access.view_auditentry",
}
OPERATIONS += PERSONAL
PERMISSIONS = {"read": "jobs.view_run", "trigger": "jobs.add_run", "manage": "jobs.change_schedule"}
ROLES = {"viewer": {"read"}, "operator": {"read", "trigger", "manage"}, "administrator": {"read", "trigger", "manage"}}

every_operation = pytest.mark.parametrize(("method", "address", "scope", "status"), OPERATIONS)

pytestmark = pytest.mark.usefixtures("sent", "db")


def ask(client: Client, method: str, address: str, **more: Any) -> Any:
    return client.generic(method.upper(), address, **more)


@every_operation
def test_a_stranger_is_asked_who_they_are(method: str, address: str, scope: str, status: int) -> None:
    answer = ask(Client(), method, address)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"] == 'Bearer realm="cron"'
    assert answer.json()["type"] == "urn:problem-type:cron:not-authenticated"


@every_operation
@pytest.mark.parametrize("kind", ["unknown", "expired", "revoked", "empty"])
def test_a_token_that_is_not_valid_opens_nothing(
    make_token: Callable[..., Any], kind: str, method: str, address: str, scope: str, status: int
) -> None:
    past = timezone.now() - timedelta(seconds=1)
    secret = {
        "unknown": "cron_unknown",
        "empty": "",
        "expired": make_token(expires_at=past)[1],
        "revoked": make_token(revoked_at=past)[1],
    }[kind]
    answer = ask(bearer(secret), method, address)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer["WWW-Authenticate"]


@every_operation
@pytest.mark.parametrize("held", Scope.values)
def test_a_token_opens_what_its_scope_says(
    caller: Callable[..., Client], held: str, method: str, address: str, scope: str, status: int
) -> None:
    answer = ask(caller(held), method, address)
    if held == scope:
        assert answer.status_code == status
        return
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:problem-type:cron:not-allowed"
    assert f'error="insufficient_scope", scope="{scope}"' in answer["WWW-Authenticate"]


@every_operation
def test_a_person_needs_the_permission(
    person: Callable[..., Client], method: str, address: str, scope: str, status: int
) -> None:
    client = person()
    client.get("/admin/login/")
    answer = ask(client, method, address, headers=csrf_of(client))
    assert answer.status_code == 403
    assert permission(method, address, scope, status) in answer.json()["detail"]


@every_operation
def test_a_person_with_the_permission_is_let_in(
    person: Callable[..., Client], method: str, address: str, scope: str, status: int
) -> None:
    client = person(permission(method, address, scope, status))
    assert ask(client, method, address, headers=csrf_of(client)).status_code == status


@every_operation
@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_it_is_for(
    person: Callable[..., Client], role: str, method: str, address: str, scope: str, status: int
) -> None:
    client = person()
    User.objects.get().groups.add(Group.objects.get(name=role))
    is_personal = (method, address, scope, status) in PERSONAL
    allowed = role == "administrator" if is_personal else scope in ROLES[role]
    assert ask(client, method, address, headers=csrf_of(client)).status_code == (status if allowed else 403)


def test_every_operation_of_the_description_is_tried(caller: Callable[..., Client]) -> None:
    paths = caller("read").get("/cron/openapi.json").json()["paths"]
    described = {(method, path) for path, operations in paths.items() for method in operations}
    tried = {(method, pattern_of(address)) for method, address, _, _ in OPERATIONS}
    assert described - tried == set()


@pytest.mark.parametrize(("method", "address", "scope", "status"), [each for each in OPERATIONS if each[0] != "get"])
def test_a_persons_call_without_the_csrf_token_is_refused(
    person: Callable[..., Client], method: str, address: str, scope: str, status: int
) -> None:
    answer = ask(person(*PERMISSIONS.values()), method, address)
    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:problem-type:cron:csrf-failed"


def test_a_bad_token_is_not_saved_by_a_session(person: Callable[..., Client]) -> None:
    client = person(is_superuser=True)
    assert client.get("/cron/status").status_code == 200
    assert client.get("/cron/status", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_another_authorization_scheme_leaves_the_session_alone(person: Callable[..., Client]) -> None:
    client = person(is_superuser=True)
    assert client.get("/cron/status", headers={"Authorization": "Basic b3A6b3A="}).status_code == 200


def test_a_token_call_gets_no_cookie(caller: Callable[..., Client]) -> None:
    assert not caller().get("/cron/status").cookies


def test_somebody_whose_account_was_closed_is_a_stranger(person: Callable[..., Client]) -> None:
    assert person(is_superuser=True, is_active=False).get("/cron/status").status_code == 401


def permission(method: str, address: str, scope: str, status: int) -> str:
    """What a person needs for an operation."""
    return PERSONAL.get((method, address, scope, status), PERMISSIONS[scope])


def pattern_of(address: str) -> str:
    """An address as the description has it."""
    path = address.partition("?")[0]
    for pattern, name in NAMED:
        path = re.sub(pattern, name, path)
    return path


NAMED = [
    (r"(?<=/runs/)[^/]+", "{run_id}"),
    (r"(?<=/jobs/)[^/]+", "{slug}"),
    (r"(?<=/alerts/)[^/]+", "{alert_id}"),
    (r"(?<=/reports/)[^/]+", "{day}"),
    (r"(?<=/backups/)[^/]+", "{backup_id}"),
    (r"(?<=/tokens/)[^/]+", "{token_id}"),
    (r"(?<=/audit/)[^/]+", "{entry_id}"),
]


def csrf_of(client: Client) -> dict[str, str]:
    """The header that a page of ours would send, with the cookie that belongs to it."""
    secret = "a" * 32
    client.cookies["csrftoken"] = secret
    return {"X-CSRFToken": secret}
