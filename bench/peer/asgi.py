"""The bare view as ASGI."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peer.settings")

from django.core.asgi import get_asgi_application

application = get_asgi_application()
