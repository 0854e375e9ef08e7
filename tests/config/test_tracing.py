"""The collector's address: what is refused, and what is said when OpenTelemetry is not installed."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import tracing
from tests.docs.reading import ROOT

GIVEN = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector.example.com:4318/"}


def test_nothing_is_traced_by_default_and_an_address_is_kept_without_its_last_slash() -> None:
    assert tracing.read({}) == ""
    assert tracing.read(GIVEN) == "https://collector.example.com:4318"


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="OTEL_EXPORTER_OTLP_ENDPOINT='collector:4318' is not allowed"):
        tracing.read({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"})


def test_without_the_extra_it_says_what_to_install(monkeypatch: Any) -> None:
    monkeypatch.setattr(tracing, "find_spec", lambda _: None)
    assert tracing.read({}) == ""
    with pytest.raises(ImproperlyConfigured, match="Install the extra 'otel'"):
        tracing.read(GIVEN)


def test_the_document_has_the_variable() -> None:
    document = (ROOT / "docs" / "monitoring.md").read_text()
    assert all(f"| `{name}` |" in document for name in tracing._Variables.model_fields)
