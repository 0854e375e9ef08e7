"""The service in a thread of the test, on loopback, on the test's own connection to the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from django.core.servers.basehttp import ThreadedWSGIServer
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test.testcases import QuietWSGIRequestHandler


class _Server(ThreadedWSGIServer):
    """Leaves the connection to the database open: it is the test's."""

    def _close_connections(self) -> None:
        pass


class _Handler(QuietWSGIRequestHandler):
    # The head and the body of an answer go out one by one; the second would wait for the first one's receipt.
    disable_nagle_algorithm = True


@contextmanager
def served() -> Iterator[str]:
    """The address; for one call at a time."""
    own = connections["default"]
    server = _Server(("127.0.0.1", 0), _Handler, connections_override={"default": own})
    server.set_app(get_wsgi_application())
    thread = Thread(target=server.serve_forever)
    own.inc_thread_sharing()
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        own.dec_thread_sharing()
