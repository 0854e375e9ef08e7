"""The ASGI application: what a local start serves everything with."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DATABASE_ANSWER_TIMEOUT", "2.5")

from django.core.asgi import get_asgi_application

application = get_asgi_application()
