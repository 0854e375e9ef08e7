"""Who is on the other end of a connection, by the rules of the REST interface."""

from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.request import validate_host

from access.auth import let_in
from access.errors import CsrfFailed, NotAllowed, NotAuthenticated
from access.models import Scope

REFUSED = (NotAuthenticated, NotAllowed, CsrfFailed)
PROTOCOL = "cron.v1"
BEARER = "bearer."


class Visitor:
    """The handshake of one connection; asked again and again, since tokens expire and people leave."""

    def __init__(self, scope: Any) -> None:
        self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.protocols: list[str] = scope.get("subprotocols", [])

    @property
    def comes_from_here(self) -> bool:
        """Whether a browser's page is one of ours. Programs say no origin; they need a token."""
        origin = self._headers.get("origin")
        if origin is None:
            return "authorization" in self._headers or self._token() is not None
        if origin in settings.CSRF_TRUSTED_ORIGINS:
            return True
        host = self._headers.get("host", "")
        known = validate_host(urlsplit(f"//{host}").hostname or "", settings.ALLOWED_HOSTS)
        return known and urlsplit(origin).netloc == host

    async def may(self, scope: Scope) -> bool:
        """Whether it may do so now; one or two queries."""
        return bool(await self._ask(scope))

    @database_sync_to_async
    def _ask(self, scope: Scope) -> bool:
        try:
            let_in(self._request(), scope)
        except REFUSED:
            return False
        return True

    def _request(self) -> HttpRequest:
        """As the same person's or program's GET would look."""
        request = HttpRequest()
        request.method = "GET"
        token = self._token()
        given = f"Bearer {token}" if token else self._headers.get("authorization", "")
        request.META = {"HTTP_AUTHORIZATION": given} if given else {}
        request.COOKIES = {name: morsel.value for name, morsel in self._cookies().items()}
        SessionMiddleware(_nothing).process_request(request)
        AuthenticationMiddleware(_nothing).process_request(request)
        return request

    def _cookies(self) -> SimpleCookie:
        cookies: SimpleCookie = SimpleCookie()
        cookies.load(self._headers.get("cookie", ""))
        return cookies

    def _token(self) -> str | None:
        """Browsers cannot send headers, but protocols: `cron.v1, bearer.<token>`. Addresses would be logged."""
        offered = (each.removeprefix(BEARER) for each in self.protocols if each.startswith(BEARER))
        return next(offered, None)


def _nothing(_: HttpRequest) -> HttpResponse:
    return HttpResponse()
