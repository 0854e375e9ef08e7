"""Access tokens: how each stands."""

from dataclasses import dataclass
from datetime import datetime

from access.models import Token
from monitoring.page.lists import Listed, by_id


@dataclass(frozen=True, kw_only=True)
class TokenSeen:
    """A token and its state."""

    token: Token
    state: str

    @property
    def opens(self) -> bool:
        """Whether it lets anybody in."""
        return self.state == "active"


def tokens(before: str, *, now: datetime) -> Listed:
    """One page of tokens, newest first; one query."""
    listed = by_id(Token.objects.select_related("created_by"), before)
    listed.rows[:] = [TokenSeen(token=token, state=_state(token, now)) for token in listed.rows]
    return listed


def _state(token: Token, now: datetime) -> str:
    if token.revoked_at:
        return "revoked"
    return "expired" if token.expires_at and token.expires_at <= now else "active"
