"""What can be read of Meta: tokens, numbers and templates, as it describes them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from external_apis.providers.answers import ProviderError, lost
from external_apis.providers.meta_errors import classify
from external_apis.providers.tables import code_in
from external_apis.providers.wording import harmless

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = 100_000_000_000  # seconds since 1970, in the year 5138


@dataclass(frozen=True, kw_only=True)
class TokenFacts:
    """What debug_token says; `expires_at` is None for a token that never expires."""

    is_valid: bool
    app_id: str
    expires_at: datetime | None
    data_access_expires_at: datetime | None
    scopes: tuple[str, ...]
    error_code: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class NewToken:
    """What an exchange gave; `expires_at` is None for a token that never expires."""

    token: str = field(repr=False)
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class PhoneNumber:
    """A number of the business, with Meta's word for its quality."""

    id: str
    display: str = field(repr=False)
    verified_name: str
    quality: str


@dataclass(frozen=True, kw_only=True)
class TemplateFacts:
    """A template in one language, with Meta's word for its state."""

    name: str
    language: str
    status: str


def token_facts(data: dict[str, Any], *, secrets: Iterable[str]) -> TokenFacts:
    """From the `data` of debug_token."""
    given, scopes = data.get("error"), data.get("scopes")
    error = given if isinstance(given, dict) else {}
    code = code_in(error.get("code"))
    known = "" if code is None else classify(code, subcode=code_in(error.get("subcode"))).detail
    said = harmless(text_in(error, "message"), secrets=secrets)
    return TokenFacts(
        is_valid=data["is_valid"],
        app_id=str(data.get("app_id") or ""),
        expires_at=_moment(data.get("expires_at")),
        data_access_expires_at=_moment(data.get("data_access_expires_at")),
        scopes=tuple(map(str, scopes)) if isinstance(scopes, list) else (),
        error_code="" if code is None else str(code),
        why=" ".join(filter(None, (known, said))),
    )


def new_token(data: dict[str, Any], *, now: datetime) -> NewToken:
    """From what an exchange answered, which has to hold a token."""
    lasts = data.get("expires_in")
    return NewToken(token=data["access_token"], expires_at=_moment(lasts, since=now) if lasts else None)


def phone_number(row: dict[str, Any]) -> PhoneNumber:
    """From one row."""
    display, name = text_in(row, "display_phone_number"), text_in(row, "verified_name")
    quality = text_in(row, "quality_rating")
    return PhoneNumber(id=text_in(row, "id"), display=display, verified_name=name, quality=quality)


def template_facts(row: dict[str, Any]) -> TemplateFacts:
    """From one row."""
    language, status = text_in(row, "language"), text_in(row, "status")
    return TemplateFacts(name=text_in(row, "name"), language=language, status=status)


def text_in(row: Any, key: str) -> str:
    """The text under the key; empty when there is none."""
    value = row.get(key) if isinstance(row, dict) else None
    return value if isinstance(value, str) else ""


def _moment(seconds: Any, *, since: datetime = EPOCH) -> datetime | None:
    """So many seconds later; none and 0 both mean never."""
    if not seconds:
        return None
    if isinstance(seconds, int) and 0 < seconds < LATEST:
        return since + timedelta(seconds=seconds)
    raise ProviderError(lost("Meta named a time that cannot be read.", sending=False))
