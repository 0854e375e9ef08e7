"""A stand-in for both messaging providers, Meta and Twilio, over real HTTP on this machine."""

import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from local import provider_meta, provider_twilio
from local.provider_http import Call, Reply, Server
from local.provider_messages import Accepted

__all__ = ["Accepted", "Call", "Reply", "StandIn"]

PLACES = [
    ("meta.debug_token", "GET", r"/v\d+\.\d/debug_token"),
    ("meta.exchange", "GET", r"/v\d+\.\d/oauth/access_token"),
    ("meta.messages", "POST", r"/v\d+\.\d/[^/]+/messages"),
    ("meta.phone_numbers", "GET", r"/v\d+\.\d/[^/]+/phone_numbers"),
    ("meta.templates", "GET", r"/v\d+\.\d/[^/]+/message_templates"),
    ("meta.phone_number", "GET", r"/v\d+\.\d/[^/]+"),
    ("twilio.messages", "POST", r"/2010-04-01/Accounts/[^/]+/Messages\.json"),
    ("twilio.list", "GET", r"/2010-04-01/Accounts/[^/]+/Messages\.json"),
    ("twilio.message", "GET", r"/2010-04-01/Accounts/[^/]+/Messages/[^/]+\.json"),
    ("twilio.account", "GET", r"/2010-04-01/Accounts/[^/]+\.json"),
    ("twilio.keys", "(GET|POST|DELETE)", r"/v1/Keys(/[^/]+)?"),
    ("twilio.auth_tokens", "POST", r"/v1/AuthTokens/(Secondary|Promote)"),
]
NOWHERE = "nowhere"


class StandIn:
    """One server that answers like both providers; answers can be scripted place by place.

    `tokens` holds what debug_token says of each Meta token; others are taken for good ones unless `strict`.
    """

    def __init__(self, *, port: int = 0, latency: float = 0.0, strict: bool = False) -> None:
        self.latency = latency
        self.strict = strict
        self.calls: list[Call] = []
        self.messages: list[Accepted] = []
        self.tokens: dict[str, dict] = {}
        self.keys: dict[str, str] = {}  # Twilio's API keys: SID to name
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)  # for the dates that Twilio gives
        self.listeners: list[Callable[[Accepted], None]] = []  # called for each accepted message
        self._scripts: dict[str, deque[Reply | None]] = defaultdict(deque)
        self._always: dict[str, Reply] = {}
        self._lock = threading.Lock()
        self._server = Server(port, answer=self._answer)
        self.url = self._server.url

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.stop()

    def script(self, where: str, *answers: Reply | None) -> None:
        """The next answers at a place, in order; None is the usual one."""
        with self._lock:
            self._scripts[_known(where)].extend(answers)

    def always(self, where: str, reply: Reply | None) -> None:
        """The answer at a place from now on, after what is scripted; None brings the usual one back."""
        with self._lock:
            self._always.pop(_known(where), None)
            if reply is not None:
                self._always[where] = reply

    def calls_to(self, where: str) -> list[Call]:
        """The requests that came to one place."""
        return [call for call in self.calls if call.where == where]

    def _answer(self, call: Call) -> Reply:
        call.where = _place(call.method, call.path)
        with self._lock:
            self.calls.append(call)
            script = self._scripts[call.where]
            scripted = script.popleft() if script else self._always.get(call.where)
        self._server.pause(self.latency)
        if scripted is None:
            return self._usual(call)
        if scripted.accept:
            self._accept(call)
        return scripted

    def _usual(self, call: Call) -> Reply:
        if not call.where.startswith("meta."):
            return provider_twilio.refusal(call) or provider_twilio.usual(self, call, self._accept(call))
        refusal = provider_meta.refusal(self, call)
        return refusal or provider_meta.usual(self, call, self._accept(call))

    def _accept(self, call: Call) -> Accepted | None:
        makers = {"meta.messages": provider_meta.accepted, "twilio.messages": provider_twilio.accepted}
        if call.where not in makers:
            return None
        message = makers[call.where](call, at=time.monotonic(), created_at=self.clock())
        with self._lock:
            self.messages.append(message)
        for listener in self.listeners:
            listener(message)
        return message


def _known(where: str) -> str:
    if where not in (names := [name for name, *_ in PLACES]):
        raise ValueError(f"{where!r} is no place; there are: {', '.join(names)}")
    return where


def _place(method: str, path: str) -> str:
    matching: Iterable[str] = (
        name for name, methods, form in PLACES if re.fullmatch(methods, method) and re.fullmatch(form, path)
    )
    return next(iter(matching), NOWHERE)
