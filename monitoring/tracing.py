"""Traces for OpenTelemetry: how a run fell due, waited and was executed, with its SQL and its calls to the outside.

The trace of a run has the run's id, so that its attempts meet in one, in whatever process they are made, and so that a
run leads to its trace. Nothing else is traced. Whoever imports this has set OTEL_EXPORTER_OTLP_ENDPOINT.
"""

from collections.abc import Sequence
from contextvars import ContextVar, Token
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.dispatch import receiver
from opentelemetry import context, propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, Status, StatusCode, TraceFlags

from jobs.engine import events, masking
from jobs.models import Run, State

SERVICE = "cron-jobs"
FLUSH_MS = 2_000
ADDRESSES = {"http.url", "url.full"}
LOW = (1 << 64) - 1

_beginning: ContextVar[UUID | None] = ContextVar("beginning", default=None)
_attempts: dict[UUID, tuple[Span, Token[context.Context]]] = {}


class _RunIds(RandomIdGenerator):
    """The first span of a run takes its ids from the run's: anybody can name it as the parent of a later attempt."""

    def generate_trace_id(self) -> int:
        run_id = _beginning.get()
        return super().generate_trace_id() if run_id is None else run_id.int

    def generate_span_id(self) -> int:
        run_id = _beginning.get()
        return super().generate_span_id() if run_id is None else run_id.int & LOW


class _Runs(Sampler):
    """Runs and nothing else: a heartbeat's statement would be a trace of its own."""

    def should_sample(self, *given: Any, **named: Any) -> SamplingResult:
        decided = ALWAYS_OFF if _beginning.get() is None else ALWAYS_ON
        return decided.should_sample(*given, **named)

    def get_description(self) -> str:
        return "Runs"


class _Masking(SpanExporter):
    """Hands spans on without secrets, phone numbers, and what addresses ask for."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._inner.export([_masked(span) for span in spans])

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def _begin(exporter: SpanExporter) -> TracerProvider:
    """Trace what is connected and called from now on."""
    named = Resource.create({SERVICE_NAME: SERVICE}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(sampler=ParentBased(_Runs()), resource=named, id_generator=_RunIds())
    provider.add_span_processor(BatchSpanProcessor(_Masking(exporter)))
    propagate.set_global_textmap(CompositePropagator([]))  # providers have no use for our traces
    PsycopgInstrumentor().instrument(tracer_provider=provider)
    RequestsInstrumentor().instrument(tracer_provider=provider)
    return provider


_provider = _begin(OTLPSpanExporter(endpoint=f"{settings.TRACES_TO}/v1/traces"))
_tracer = _provider.get_tracer(__name__)


def flush() -> None:
    """Send what has ended, or try for two seconds."""
    _provider.force_flush(FLUSH_MS)


@receiver(events.run_started)
def _run_started(*, run: Run, **_: Any) -> None:
    about: dict[str, Any] = {"cron.job": run.job, "cron.run": str(run.pk), "cron.schedule": run.schedule_name}
    if run.attempt == 1:
        _begin_trace(run, about)
    about |= {"cron.attempt": run.attempt, "cron.worker": run.worker}
    span = _tracer.start_span(f"run {run.job}", _under(run.pk), attributes=about)
    _attempts[run.pk] = span, context.attach(trace.set_span_in_context(span))


def _begin_trace(run: Run, about: dict[str, Any]) -> None:
    """The spans of what lies behind it: from the moment that was intended to the run's making, and to its start."""
    assert run.started_at is not None
    created = _created(run.pk) or run.started_at
    first, name = (min(run.tick, created), "tick") if run.tick else (created, "trigger")
    here = _beginning.set(run.pk)
    try:
        root = _tracer.start_span(f"{name} {run.job}", context.Context(), attributes=about, start_time=_ns(first))
    finally:
        _beginning.reset(here)
    root.end(_ns(created))
    waiting = _tracer.start_span(f"queue {run.job}", _under(run.pk), attributes=about, start_time=_ns(created))
    waiting.end(_ns(max(run.started_at, created)))


def _created(run_id: UUID) -> datetime | None:
    """The time in an id of ours; one that Celery gave to a call by hand has none."""
    return datetime.fromtimestamp((run_id.int >> 80) / 1000, UTC) if run_id.version == 7 else None


def _under(run_id: UUID) -> context.Context:
    root = SpanContext(run_id.int, run_id.int & LOW, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return trace.set_span_in_context(NonRecordingSpan(root), context.Context())


@receiver(events.run_finished)
def _run_finished(*, run: Run, **_: Any) -> None:
    wrong = (run.error or run.reason) if run.state == State.FAILED else ""
    _end(run.pk, became=run.state, wrong=wrong)


@receiver(events.run_retrying)
def _run_retrying(*, run: Run, error: str, **_: Any) -> None:
    _end(run.pk, became=State.RETRYING, wrong=error)


@receiver([events.run_goes_on_later, events.run_given_back])
def _run_left(*, run: Run, **_: Any) -> None:
    _end(run.pk, became=run.state, wrong="")


@receiver(events.run_refused)
def _run_refused(*, run_id: UUID, reason: str, **_: Any) -> None:
    _end(run_id, became="refused", wrong=reason)


def _end(run_id: UUID, *, became: str, wrong: str) -> None:
    """End an attempt that was made here; of others, which recovery ends as well, there is nothing to say."""
    span, token = _attempts.pop(run_id, (None, None))
    if span is None or token is None:
        return
    span.set_attribute("cron.state", str(became))
    if wrong:
        span.set_status(Status(StatusCode.ERROR, wrong))
    span.end()
    context.detach(token)


def _masked(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_without(span.attributes),
        events=[Event(each.name, _without(each.attributes), each.timestamp) for each in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code, masking.text(span.status.description or "") or None),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _without(attributes: Any) -> dict[str, Any]:
    cut = {name: value.partition("?")[0] if name in ADDRESSES else value for name, value in (attributes or {}).items()}
    return {name: masking.field(name, value) for name, value in cut.items()}


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1_000
