"""Where traces are sent, if anywhere: typed and checked, read once. All else about them OpenTelemetry reads itself."""

from collections.abc import Mapping
from importlib.util import find_spec

from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel

from config import variables
from config.providers import OptionalAddress


class _Variables(BaseModel):
    OTEL_EXPORTER_OTLP_ENDPOINT: OptionalAddress = ""


def read(given: Mapping[str, str]) -> str:
    """The collector's address, or nothing; raises ImproperlyConfigured when OpenTelemetry is not installed for it."""
    address = variables.check(_Variables, given).OTEL_EXPORTER_OTLP_ENDPOINT
    if address and find_spec("opentelemetry") is None:
        raise ImproperlyConfigured(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed. Install the extra 'otel' of "
            "cron-jobs-service, or leave the variable out."
        )
    return address.rstrip("/")
