"""The pages about who may come in and who did what: for people with permissions of their own."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from access.auth import PERMISSIONS
from jobs.engine import registry
from monitoring.page import audit as audit_entries
from monitoring.page.answers import answer
from monitoring.page.gate import page_for
from monitoring.page.labels import ACTIONS, SCOPES
from monitoring.page.tokens import tokens as listed_tokens


@page_for("access.view_auditentry")
def audit(request: HttpRequest) -> HttpResponse:
    """Who did what, and how far that is sealed."""
    return answer(
        request,
        "audit.html",
        here="audit",
        listed=audit_entries.entries(request.GET),
        asked=audit_entries.filters(request.GET),
        actions=ACTIONS,
        chain=audit_entries.chain(now=timezone.now()),
    )


@page_for("access.view_token")
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens, and a form to make one; nobody is offered a scope that they lack."""
    user: Any = request.user
    return answer(
        request,
        "tokens.html",
        here="tokens",
        listed=listed_tokens(request.GET.get("before", ""), now=timezone.now()),
        may_add=user.has_perm("access.add_token"),
        may_revoke=user.has_perm("access.change_token"),
        scopes=[(scope.value, SCOPES[scope]) for scope, needed in PERMISSIONS.items() if user.has_perm(needed)],
        groups=[(group, registry.title(group)) for group in registry.groups()],
    )
