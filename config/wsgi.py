"""The WSGI application: what serves HTTP in production."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DATABASE_ANSWER_TIMEOUT", "2.5")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
