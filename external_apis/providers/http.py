"""One call over HTTP: bounded in time and size, never redirected, never repeated, and silent about addresses."""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from external_apis.providers.answers import Answer, Meaning, ProviderError, lost

LARGEST = 2 * 1024 * 1024  # bytes of an answer
CHUNK = 64 * 1024
LONGEST_WAIT = timedelta(days=1)
TOO_MANY_REQUESTS = 429

# Their lines quote whole addresses, in which tokens and phone numbers stand.
for _name in ("connection", "connectionpool", "poolmanager", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(lambda _: False)


@dataclass(frozen=True, kw_only=True)
class Received:
    """What came back, whole; `retry_after` is what the header of that name asks for."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    retry_after: timedelta | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the status says that it was done."""
        return 200 <= self.status < 300

    def data(self) -> dict[str, Any]:
        """The JSON object in it; empty when there is none that can be read."""
        try:
            data = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return data if isinstance(data, dict) else {}


class HttpSession:
    """Connections to providers, kept for each thread; a context manager."""

    def __init__(
        self, *, connect_timeout: float, read_timeout: float, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._timeout = (connect_timeout, read_timeout)
        self._clock = clock
        self._here = threading.local()
        self._sessions: list[requests.Session] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of all threads."""
        for session in self._sessions:
            session.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        sending: bool = False,
    ) -> Received:
        """The answer, whatever its status; raises ProviderError when none came.

        `sending`: the call does something, so that a lost answer leaves open whether it was done.
        """
        request = requests.Request(method, url, headers=dict(headers), params=query, json=json, data=form)
        outcome = self._exchange(request, sending=sending)
        if isinstance(outcome, Answer):  # raised here, where no error of the library is around to be shown with it
            raise ProviderError(outcome)
        return outcome

    def _exchange(self, request: requests.Request, *, sending: bool) -> Received | Answer:
        session = self._session()
        try:
            prepared = session.prepare_request(request)
        except (requests.RequestException, HTTPError, ValueError):
            return Answer(meaning=Meaning.GIVE_UP, detail="The request could not be written down.", alert=True)
        deadline = time.monotonic() + sum(self._timeout)
        try:
            response = session.send(prepared, timeout=self._timeout, allow_redirects=False, stream=True)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _failure(error, sending=sending)
        with response:
            return self._read(response, deadline, sending=sending)

    def _read(self, response: requests.Response, deadline: float, *, sending: bool) -> Received | Answer:
        body = bytearray()
        try:
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                body += chunk
                if time.monotonic() > deadline:
                    return lost("The answer came too slowly.", sending=sending)
                if len(body) > LARGEST:
                    return lost("The answer was too large.", sending=sending)
        except (HTTPError, OSError, ValueError):
            return lost("The answer broke off.", sending=sending)
        wait = _retry_after(response.headers, self._clock)
        return Received(status=response.status_code, headers=response.headers, body=bytes(body), retry_after=wait)

    def _session(self) -> requests.Session:
        if not hasattr(self._here, "session"):
            session = self._here.session = requests.Session()
            session.trust_env = False  # no proxy, no .netrc
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            for scheme in ("http://", "https://"):
                session.mount(scheme, _Adapter(pool_connections=4, pool_maxsize=1, max_retries=0))
            self._sessions.append(session)
        return self._here.session


def unreadable(received: Received, *, sending: bool) -> Answer:
    """What an answer means that tells nothing but its status."""
    detail = f"The provider answered with HTTP status {received.status} and nothing that can be read."
    if 300 <= received.status < 500:
        return Answer(meaning=Meaning.GIVE_UP, detail=detail, alert=True)
    return replace(lost(detail, sending=sending), wait=received.retry_after)


def _failure(error: Exception, *, sending: bool) -> Answer:
    first = error.args[0] if error.args else None
    reason = getattr(first, "reason", first)
    if isinstance(error, requests.ConnectTimeout) or isinstance(reason, ConnectTimeoutError | NewConnectionError):
        return Answer(meaning=Meaning.RETRY, detail="The provider could not be reached.")
    return lost("The connection was lost before an answer came.", sending=sending)


def _retry_after(headers: Mapping[str, str], clock: Callable[[], datetime]) -> timedelta | None:
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    until = _moment(text)
    if until is None:
        return None
    wait = until - (_moment(headers.get("Date", "")) or clock())
    return max(timedelta(0), min(wait, LONGEST_WAIT))


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _TlsConnection(HTTPSConnection):
    """Tells a failed handshake from a failure after the request was written; the library uses one error for both."""

    def connect(self) -> None:
        try:
            super().connect()
        except OSError:
            raise NewConnectionError(self, "no TLS connection") from None


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": HTTPConnectionPool, "https": _TlsPool}
