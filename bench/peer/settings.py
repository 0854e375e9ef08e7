"""Django's settings for the stock packages; nothing of the service is imported here."""

import os

from psycopg.conninfo import conninfo_to_dict

_address = conninfo_to_dict(os.environ["DATABASE_URL"])

SECRET_KEY = "not a secret: benchmarks on loopback only"  # noqa: S105
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django_celery_beat", "django_celery_results"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]  # it gives answers their length
ROOT_URLCONF = "bench.peer.urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _address["dbname"],
        "USER": _address["user"],
        "HOST": _address["host"],
        "CONN_MAX_AGE": 600,
    }
}
if os.environ.get("PEER_PROJECT"):  # what `django-admin startproject` brings, where memory is compared
    CONTRIB = ("admin", "auth", "sessions", "messages", "staticfiles")
    INSTALLED_APPS += [f"django.contrib.{name}" for name in CONTRIB]
    MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ]
    PROCESSORS = ("django.template.context_processors.request", "django.contrib.auth.context_processors.auth")
    PROCESSORS += ("django.contrib.messages.context_processors.messages",)
    TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": PROCESSORS},
        }
    ]
    STATIC_URL = "static/"
USE_TZ = True
TIME_ZONE = "UTC"
