"""Django's settings. Every value from outside is read in this package, and nowhere else."""

from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config import alerts, backups, cron, database, environment, log, mail, providers, security, sources, tracing

ENV = environment.load()
BASE_DIR = environment.BASE_DIR
VAR_DIR = BASE_DIR / "var"


def _required(name: str, remedy: str) -> str:
    value = environment.secret(ENV, name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {remedy}")
    return value


START = "Set it, or start bin/up: it brings local servers, and manage.py in the same folder finds them."

CRON = cron.read(ENV)
PROVIDERS = providers.read(ENV)
BACKUPS = backups.read(ENV)
ALERTING = alerts.read(ENV)
MAIL = mail.read(ENV)
TRACES_TO = tracing.read(ENV)
CREDENTIAL_SOURCE = sources.reader(ENV)
VERSION = ENV.get("VERSION", "development")

SECURITY = security.read(ENV)
SECRET_KEY = security.check_key(_required("SECRET_KEY", "Set it to a long random text of your own."))
CREDENTIAL_KEYS = _required(
    "CREDENTIAL_KEYS", "Set it to one or more Fernet keys, newest first, separated by commas."
).split(",")
DEBUG = False
ALLOWED_HOSTS = SECURITY.hosts
CSRF_TRUSTED_ORIGINS = SECURITY.origins

INSTALLED_APPS = [
    "monitoring",  # before the admin, whose base template it replaces
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "django_celery_results",
    "ninja",
    "access",
    "sessions_app",
    "reservations",
    "external_apis",
    "maintenance",
    "jobs",
]
JOBS_CATALOG = "jobs.catalog"

MIDDLEWARE = [
    "config.requests.RequestId",
    "config.requests.RequestOrigin",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
LOGIN_URL = "sign-in"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": database.from_url(_required("DATABASE_URL", START))}
if answer_timeout := ENV.get("DATABASE_ANSWER_TIMEOUT"):
    DATABASES["default"]["OPTIONS"]["answer_timeout"] = float(answer_timeout)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ro", "Română")]

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
WHITENOISE_USE_FINDERS = True

SHARED_PAGE_S = 0.5  # how long the overview that was made for one is shown to others too

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = SECURITY.https_only
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# What a proxy, an orchestrator or Prometheus asks a process itself, inside, where there is no certificate.
SECURE_REDIRECT_EXEMPT = [r"^(livez|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURITY.https_only else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURITY.https_only
# To be put on the browsers' own list is a step that binds the whole domain for months: its owner's to take, not ours.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

BROKER_URL = _required("REDIS_URL", START)
DJANGO_CELERY_BEAT_TZ_AWARE = True

PHONENUMBER_DEFAULT_REGION = "RO"
PHONENUMBER_DB_FORMAT = "E164"

LOG_FORMAT = ENV.get("LOG_FORMAT", "json")
LOGGING = log.configuration(LOG_FORMAT)
log.configure_structlog()
