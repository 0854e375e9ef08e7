"""Bodies arrive whole or not at all: Django takes one that is cut off, or that has no length, for a shorter one.

An empty body is a request of its own to some addresses: half of "only look" must not become "do it".
"""

from collections.abc import Awaitable, Callable, Iterable
from io import BytesIO
from typing import Any

from jobs.api.problems import BAD_REQUEST, Problem

MOST = 1024 * 1024 + 1  # a byte more than any address takes, so that each of them refuses what is too large

Call = dict[str, Any]
Application = Callable[[Call, Any], Iterable[bytes]]
Receive = Callable[[], Awaitable[Any]]


def whole(application: Application) -> Application:
    """The WSGI application, which sees bodies that came whole, in chunks or not, and none that did not."""

    def answer(call: Call, start_response: Any) -> Iterable[bytes]:
        announced, coding = call.get("CONTENT_LENGTH") or "", call.get("HTTP_TRANSFER_ENCODING") or ""
        if not (announced or coding):
            return application(call, start_response)
        if coding and coding.lower() != "chunked":
            return _refuse(start_response, f"The body came in the coding {coding!r}: send it as it is, or in chunks.")
        most = min(int(announced), MOST) if announced else MOST
        body = _read(call["wsgi.input"], most)
        if body is None or (announced and len(body) < most):
            return _refuse(start_response, "The body did not arrive whole.")
        own = {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return application({**call, **own}, start_response)

    return answer


def unless_cut(receive: Receive) -> Receive:
    """ASGI's `receive`, which raises when the client leaves: else what had come by then would count as the body."""

    async def message() -> Any:
        received = await receive()
        if received["type"] == "http.disconnect":
            raise ConnectionAbortedError("The client left before its body had arrived.")
        return received

    return message


def _read(stream: Any, length: int) -> bytes | None:
    try:
        body: bytes = stream.read(length)
    except Exception:  # noqa: BLE001  every server has errors of its own for chunks that are none
        return None
    return body


def _refuse(start_response: Any, why: str) -> Iterable[bytes]:
    refused = Problem(BAD_REQUEST, why, headers={"Connection": "close"}).answer()
    start_response(f"{refused.status_code} {refused.reason_phrase}", list(refused.items()))
    return [refused.content]
