"""The WSGI application: what answers HTTP, in production behind a WSGI server and locally inside the ASGI one."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config.bodies import whole
from monitoring import log_entries

ANSWER_TIMEOUT_S = 2.5

# Somebody waits for a web process, so it gives up on a database that hangs; every other process waits for it.
settings.DATABASES["default"]["OPTIONS"].setdefault("answer_timeout", ANSWER_TIMEOUT_S)

log_entries.begin("web")
application = whole(get_wsgi_application())
