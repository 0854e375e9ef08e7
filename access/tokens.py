"""Making, finding and revoking tokens."""

import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import Q

from access import audit
from access.errors import NotAuthenticated
from access.models import Action, Token

PREFIX = "cron_"
SHOWN = len(PREFIX) + 4
USE_NOTED_EVERY = timedelta(minutes=1)

# By hand, because every call asks it, and putting it together would take as long as the answer.
FIND = (
    "SELECT id, name, digest, scopes, groups, expires_at, last_used_at, revoked_at FROM access_token WHERE digest = %s"
)


def new_secret() -> str:
    """A fresh secret of 256 random bits; shown once, never stored."""
    return PREFIX + secrets.token_urlsafe(32)


def marks(secret: str) -> dict[str, str]:
    """What is stored of a secret: its digest, and how it begins when that gives nothing away."""
    begins = secret[:SHOWN] if secret.startswith(PREFIX) and len(secret) > 2 * SHOWN else ""
    return {"digest": sha256(secret.encode()).hexdigest(), "start": begins}


@transaction.atomic
def issue(
    *,
    name: str,
    scopes: Iterable[str],
    by: str,
    groups: Iterable[str] = (),
    expires_at: datetime | None = None,
    user: Any = None,
) -> tuple[Token, str]:
    """A new token and its secret; `by` is who made it, `user` their account if they have one."""
    secret = new_secret()
    token = Token.objects.create(
        name=name,
        scopes=list(scopes),
        groups=list(groups),
        created_by=user,
        expires_at=expires_at,
        **marks(secret),
    )
    note_created(token, by=by)
    return token, secret


def note_created(token: Token, *, by: str) -> None:
    """Keep in the audit that a token was made, and its secret shown to who made it."""
    audit.note(Action.TOKEN_CREATED, f"token {token.name}", by=by, after=rights(token))


def note_changed(before: Token, token: Token, *, by: str) -> None:
    """Keep in the audit what a token may do now and could before."""
    if rights(before) != rights(token):
        audit.note(Action.TOKEN_CHANGED, f"token {token.name}", by=by, before=rights(before), after=rights(token))


@transaction.atomic
def revoke(token: Token, *, by: str, now: datetime) -> bool:
    """End a token for good; False when it was revoked before."""
    if not Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        return False
    audit.note(Action.TOKEN_REVOKED, f"token {token.name}", by=by, before=rights(token))
    token.refresh_from_db()
    return True


def rights(token: Token) -> dict[str, Any]:
    """What a token may do, and until when, as plain JSON."""
    until = token.expires_at.isoformat() if token.expires_at else None
    return {"scopes": sorted(token.scopes), "groups": sorted(token.groups), "expires_at": until}


def authenticate(secret: str, *, now: datetime) -> Token:
    """The valid token of that secret, noting its use at most once a minute; raises NotAuthenticated."""
    digest = marks(secret)["digest"]
    token = next(iter(Token.objects.raw(FIND, [digest])), None)
    if token is None or not hmac.compare_digest(token.digest, digest):
        raise NotAuthenticated("The token is not known.", invalid_token=True)
    if token.revoked_at is not None:
        raise NotAuthenticated("The token was revoked.", invalid_token=True)
    if token.expires_at is not None and token.expires_at <= now:
        raise NotAuthenticated("The token has expired.", invalid_token=True)
    _note_use(token, now)
    return token


def _note_use(token: Token, now: datetime) -> None:
    noted = now - USE_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at <= noted:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lte=noted)
        Token.objects.filter(unnoted, pk=token.pk).update(last_used_at=now)
