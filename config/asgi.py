"""The ASGI application: what a local start serves everything with.

HTTP goes through Django's WSGI handler on kept threads. Under Django's own ASGI handler every request has a thread of
its own and so a new connection to the database, which cost more than the rest of a request.
"""

from typing import Any

from a2wsgi import WSGIMiddleware

from config import wsgi

http: Any = wsgi.application
application = WSGIMiddleware(http, workers=8)
