"""Where a request comes from: the client's address, also from behind proxies."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from django.http import HttpRequest


class Via(StrEnum):
    """By which way in."""

    API = "api"
    PAGE = "page"
    CLI = "cli"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The way in, and the address of the client, empty where there is none; `who` tells a signed-in person's name."""

    via: Via
    address: str = ""
    who: Callable[[], str] = str


FROM_A_TERMINAL = Origin(via=Via.CLI)

current: ContextVar[Origin] = ContextVar("origin", default=FROM_A_TERMINAL)


def address_of(request: HttpRequest, *, proxies: int) -> str:
    """The client's address as the outermost of our `proxies` saw it; empty when it is none.

    Each proxy adds the address it was called from to X-Forwarded-For, so only the last ones are known to be true.
    """
    passed = [each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",") if each.strip()]
    given = passed[-proxies] if proxies and len(passed) >= proxies else request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(given))
    except ValueError:
        return ""  # a unix socket has none
