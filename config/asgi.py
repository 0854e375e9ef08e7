"""The ASGI application: what a local start serves everything with.

HTTP goes through Django's WSGI handler on kept threads. Under Django's own ASGI handler every request has a thread of
its own and so a new connection to the database, which cost more than the rest of a request.
"""

from typing import Any

from a2wsgi import WSGIMiddleware

from config import wsgi
from config.bodies import unless_cut
from monitoring import log_entries
from monitoring.stream.consumer import StreamConsumer

http: Any = wsgi.application
requests: Any = WSGIMiddleware(http, workers=8)
live: Any = StreamConsumer.as_asgi()
LIVE = "/ws/cron/"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Requests; and the end of the server, which after it leaves by a signal and not by Python's own exit."""
    if scope["type"] == "http":
        await requests(scope, unless_cut(receive), send)
        return
    if scope["type"] == "websocket":
        await (live(scope, receive, send) if scope["path"] == LIVE else send({"type": "websocket.close"}))
        return
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    log_entries.flush()
    await send({"type": "lifespan.shutdown.complete"})
