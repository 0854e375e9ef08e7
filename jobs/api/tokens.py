"""GET and POST /cron/tokens, GET and DELETE /cron/tokens/<id>: access tokens, whose secret is shown once."""

from typing import Annotated

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from ninja import Query, Router, Status
from pydantic import ConfigDict, Field, StringConstraints

from access import tokens
from access.auth import Caller, needs
from access.errors import NotAllowed
from access.models import Scope, Token
from jobs.api.idempotency import SHOWN_ONCE
from jobs.api.paging import LARGEST_ID, page_of, refuse_unknown, row_of
from jobs.api.payloads import Instant, Moment, Payload, ProblemDetails
from jobs.api.problems import INVALID, NAME_TAKEN, UNKNOWN_TOKEN, Problem
from jobs.engine import registry

router = Router(tags=["tokens"], by_alias=True, auth=needs(Scope.MANAGE, "access.view_token"))


class TokenPayload(Payload):
    """A token; of its secret only how it begins. Without groups it is for all jobs."""

    id: int
    url: str
    name: str
    begins_with: str | None
    scopes: list[Scope]
    groups: list[str]
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None
    revoked_at: Moment | None


class NewToken(TokenPayload):
    """A token that was just made; its secret is shown this once, and null when the request was sent again."""

    secret: str | None


class TokenPage(Payload):
    tokens: list[TokenPayload]
    next: str | None


class TokenFilter(Payload):
    """The newest first; `before` is the id of the last token of the page before."""

    before: int | None = Field(default=None, ge=1, le=LARGEST_ID)
    limit: int = Field(default=50, ge=1, le=200)


class TokenRequest(Payload):
    """A name for who or what uses it, what it may do, for which groups of jobs (all when none), and until when."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    groups: list[str] = Field(default_factory=list, max_length=20)
    expires_at: Instant | None = None


@router.get("", response={200: TokenPage, frozenset({400, 401, 403, 503}): ProblemDetails}, url_name="tokens")
def list_tokens(request: HttpRequest, asked: Query[TokenFilter]) -> TokenPage:
    """The tokens, newest first."""
    refuse_unknown(request, TokenFilter)
    page, following = page_of(request, Token.objects.all(), asked, address="cron:tokens")
    return TokenPage(
        tokens=[_payload(token) for token in page],
        next=following,
    )


@router.post(
    "",
    response={201: NewToken, frozenset({400, 401, 403, 409, 413, 415, 503}): ProblemDetails},
    auth=needs(Scope.MANAGE, "access.add_token"),
    url_name="create-token",
)
def create_token(request: HttpRequest, body: TokenRequest) -> Status[NewToken]:
    """Make a token, which may do no more than who makes it."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    _check(body, caller)
    try:
        with transaction.atomic():
            token, secret = tokens.issue(
                name=body.name,
                scopes=[scope.value for scope in dict.fromkeys(body.scopes)],
                groups=dict.fromkeys(body.groups),
                expires_at=body.expires_at,
                by=caller.name,
                user=caller.user,
            )
    except IntegrityError:
        raise Problem(NAME_TAKEN, f"There is a token {body.name!r} already: choose another name.") from None
    setattr(request, SHOWN_ONCE, [secret])
    return Status(201, NewToken(**_payload(token).model_dump(), secret=secret))


@router.get(
    "/{int:token_id}", response={200: TokenPayload, frozenset({401, 403, 404, 503}): ProblemDetails}, url_name="token"
)
def get_token(request: HttpRequest, token_id: int) -> TokenPayload:  # noqa: ARG001  ninja hands it over
    """One token."""
    return _payload(row_of(Token, token_id, UNKNOWN_TOKEN, "token"))


@router.delete(
    "/{int:token_id}",
    response={200: TokenPayload, frozenset({401, 403, 404, 503}): ProblemDetails},
    auth=needs(Scope.MANAGE, "access.change_token"),
    url_name="revoke-token",
)
def revoke_token(request: HttpRequest, token_id: int) -> TokenPayload:
    """Revoke a token: it opens nothing from now on, and stays on record. Once more changes nothing."""
    token, caller = row_of(Token, token_id, UNKNOWN_TOKEN, "token"), request.auth  # type: ignore[attr-defined]
    _check_groups(token.groups, caller)
    tokens.revoke(token, by=caller.name, now=timezone.now())
    token.refresh_from_db()
    return _payload(token)


def _check(body: TokenRequest, caller: Caller) -> None:
    unknown = sorted(set(body.groups) - set(registry.groups()))
    if unknown:
        reason = f"{unknown[0]!r} is no group of jobs; known are {', '.join(registry.groups())}"
        raise Problem(INVALID, f"groups: {reason}", errors=[{"field": "groups", "reason": reason}])
    if body.expires_at is not None and body.expires_at <= timezone.now():
        raise Problem(INVALID, "expiresAt: it has passed", errors=[{"field": "expiresAt", "reason": "it has passed"}])
    beyond = sorted({scope.value for scope in body.scopes} - caller.scopes)
    if beyond:
        raise NotAllowed(
            f"{caller.name!r} may not give what it lacks itself: the scope {beyond[0]!r}.", scope=beyond[0]
        )
    _check_groups(body.groups, caller)


def _check_groups(groups: list[str], caller: Caller) -> None:
    """A token that is limited to groups has nothing to do with one that reaches beyond them."""
    if not groups:
        caller.check_group(None)
    for group in groups:
        caller.check_group(group)


def _payload(token: Token) -> TokenPayload:
    return TokenPayload(
        id=token.pk,
        url=reverse("cron:token", kwargs={"token_id": token.pk}),
        name=token.name,
        begins_with=token.start or None,
        scopes=[Scope(scope) for scope in token.scopes],
        groups=token.groups,
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        revoked_at=token.revoked_at,
    )
