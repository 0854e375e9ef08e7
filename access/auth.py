"""Who is calling, and may they: a bearer token with scopes, or a signed-in person with permissions."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from access import tokens
from access.errors import CsrfFailed, NotAllowed, NotAuthenticated
from access.models import Scope

# What a person needs, in the admin's own permissions, to do what a scope lets a token do.
PERMISSIONS = {Scope.READ: "jobs.view_run", Scope.TRIGGER: "jobs.add_run", Scope.MANAGE: "jobs.change_schedule"}


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody who was let in; `name` is what runs remember: a token's name or a username.

    `scopes` are those of a token, or what a person's permissions amount to; `groups` those of jobs that a token is
    limited to, none when it is not.
    """

    name: str
    scopes: frozenset[str]
    groups: frozenset[str] = frozenset()
    user: Any = None

    def check_group(self, group: str | None) -> None:
        """Raise NotAllowed when the token is for other groups of jobs; None stands for what belongs to no group."""
        if self.groups and group not in self.groups:
            what = f"the group {group!r}" if group else "what belongs to no group of jobs"
            allowed = ", ".join(sorted(self.groups))
            raise NotAllowed(f"The token {self.name!r} is for {allowed}, and not for {what}.")


class BearerToken(AuthBase):
    """Lets in a valid token that has the scope. A call with a bearer token is judged by it alone: no cookie counts."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        super().__init__()

    def __call__(self, request: HttpRequest) -> Caller | None:
        """The caller; None when no bearer token came. Raises NotAuthenticated, NotAllowed."""
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = tokens.authenticate(secret.strip(), now=timezone.now())
        if self.scope not in token.scopes:
            raise NotAllowed(f"The token {token.name!r} lacks the scope {self.scope.value!r}.", scope=self.scope)
        return Caller(name=token.name, scopes=frozenset(token.scopes), groups=frozenset(token.groups))


class SignedIn(AuthBase):
    """Lets in a person with a session and the permission; what changes something needs the CSRF token too."""

    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = "sessionid"
    csrf = True

    def __init__(self, scope: Scope, permission: str = "") -> None:
        self.scope = scope
        self.permission = permission or PERMISSIONS[scope]
        super().__init__()

    def __call__(self, request: HttpRequest) -> Caller:
        """The caller; raises NotAuthenticated, CsrfFailed, NotAllowed."""
        user: Any = request.user
        if not user.is_authenticated:
            raise NotAuthenticated("Send 'Authorization: Bearer <token>', or sign in.")
        if check_csrf(request) is not None:
            raise CsrfFailed("The CSRF token is missing or wrong: send it as X-CSRFToken, or use an access token.")
        if not user.has_perm(self.permission):
            raise NotAllowed(f"{user.get_username()!r} lacks the permission {self.permission!r}.", scope=self.scope)
        scopes = frozenset(scope.value for scope, permission in PERMISSIONS.items() if user.has_perm(permission))
        return Caller(name=user.get_username(), scopes=scopes, user=user)


def needs(scope: Scope, permission: str = "") -> list[AuthBase]:
    """What an operation that needs a scope declares as its `auth`; of people it may want another permission."""
    return [BearerToken(scope), SignedIn(scope, permission)]


def let_in(request: HttpRequest, scope: Scope) -> Caller:
    """The caller of a view that is no operation; raises as the two ways in do."""
    return BearerToken(scope)(request) or SignedIn(scope)(request)


def identity(request: HttpRequest) -> str:
    """Who calls, whatever they may do, by a name that nobody else will ever have; raises NotAuthenticated."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return f"token {tokens.authenticate(secret.strip(), now=timezone.now()).pk}"
    if not request.user.is_authenticated:
        raise NotAuthenticated("Send 'Authorization: Bearer <token>', or sign in.")
    return f"user {request.user.pk}"
