"""What a collector gets of a run, and that nobody misses a collector that is away."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from local.provider import StandIn
from tests.alerts.receiver import Receiver
from tests.faults.conftest import BOOKED, FORGET
from tests.faults.probes import Probes
from tests.integration.waiting import within

pytestmark = pytest.mark.faults


@pytest.fixture
def collector() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def trace_of(collector: Receiver, run: dict[str, Any]) -> list[Span]:
    """The spans of a run in the order of their beginning."""
    found = [span for span in everything(collector) if span.trace_id.hex() == run["id"].replace("-", "")]
    return sorted(found, key=lambda span: span.start_time_unix_nano)


def everything(collector: Receiver) -> list[Span]:
    sent = [ExportTraceServiceRequest.FromString(each.body) for each in collector.calls if each.path == "/v1/traces"]
    return [span for each in sent for part in each.resource_spans for scope in part.scope_spans for span in scope.spans]


def told(span: Span) -> dict[str, str]:
    return {each.key: each.value.string_value or str(each.value.int_value) for each in span.attributes}


@pytest.fixture
def reminded(probes: Probes, collector: Receiver, provider: StandIn) -> dict[str, Any]:
    """A run that fell due and reminded three guests, all of it traced."""
    stack = probes.stack
    environment = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "META_GRAPH_URL": provider.url,
        "META_ACCESS_TOKEN": "EAAtoken",
        "META_PHONE_NUMBER_ID": "1001",
        "REMINDER_QUIET_HOURS": "none",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
    }
    stack.manage("cron", "run", "sync-credentials", **environment)
    stack.rows(BOOKED, [3])
    stack.start_beat(**environment)
    worker = stack.start_worker("cron", **environment)
    probes.ask("reservation-reminders")
    [run] = probes.when("reservation-reminders", "succeeded")
    worker.stop()
    stack.rows(FORGET)
    return run


def test_a_run_is_one_trace_from_its_tick_to_its_statements_and_calls(
    probes: Probes, collector: Receiver, provider: StandIn, reminded: dict[str, Any]
) -> None:
    [by_hand] = probes.runs("sync-credentials")
    begun = [span.name for span in trace_of(collector, by_hand)][:2]
    assert begun == ["trigger sync-credentials", "queue sync-credentials"]
    spans = {span.span_id: span for span in trace_of(collector, reminded)}
    [root] = [span for span in spans.values() if not span.parent_span_id]
    assert root.name == "tick reservation-reminders"
    below = [span.name for span in spans.values() if span.parent_span_id == root.span_id]
    assert below == ["queue reservation-reminders", "run reservation-reminders"]
    [attempt] = [span for span in spans.values() if span.name.startswith("run ")]
    assert told(attempt) | {"cron.attempt": "1", "cron.state": "succeeded"} == told(attempt)
    inside = [span for span in spans.values() if span.parent_span_id == attempt.span_id]
    assert {"SELECT", "UPDATE", "POST"} <= {span.name.split()[0] for span in inside}
    assert len([span for span in inside if span.name == "POST"]) == len(provider.messages) == 3
    assert all(span.parent_span_id in spans for span in spans.values() if span is not root)
    traces = {span.trace_id.hex() for span in everything(collector)}
    assert traces == {each["id"].replace("-", "") for each in probes.runs()}, "runs and nothing else"
    for secret in (b"EAAtoken", b"+40711000001", b"40711000001"):
        assert not any(secret in each.body for each in collector.calls)
    assert not any("traceparent" in each.headers for each in provider.calls)


def test_attempts_meet_in_one_trace_and_say_what_was_wrong(probes: Probes, collector: Receiver) -> None:
    probes.stack.start_beat()
    worker = probes.stack.start_worker(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    probes.ask("probe-twice")
    [run] = probes.when("probe-twice", "succeeded")
    worker.stop()

    attempts = [span for span in trace_of(collector, run) if span.name.startswith("run ")]
    assert [(told(span)["cron.attempt"], told(span)["cron.state"]) for span in attempts] == [
        ("1", "retrying"),
        ("2", "succeeded"),
    ]
    assert attempts[0].status.code == Status.STATUS_CODE_ERROR
    assert attempts[0].status.message == "ConnectionError: +40***78 is not there"
    assert attempts[1].status.code == Status.STATUS_CODE_UNSET
    assert {span.parent_span_id for span in attempts} == {UUID(run["id"]).bytes[8:]}


def test_a_run_that_somebody_else_gave_its_id_is_traced_too(probes: Probes, collector: Receiver) -> None:
    """Celery's ids tell no time."""
    worker = probes.stack.start_worker(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    call = "from config.celery import app; app.send_task('jobs.probe-cron', queue='cron')"
    probes.stack.manage("shell", "-v0", "-c", call)
    [run] = probes.when("probe-cron", "succeeded")
    worker.stop()

    assert UUID(run["id"]).version == 4
    names = {span.name for span in trace_of(collector, run)}
    assert {"trigger probe-cron", "queue probe-cron", "run probe-cron"} <= names


@pytest.mark.parametrize("status", [None, 503])
def test_a_collector_that_is_away_or_refuses_costs_no_run(
    probes: Probes, collector: Receiver, status: int | None
) -> None:
    collector.status = status or 200
    probes.stack.start_beat()
    address = collector.url if status else "http://127.0.0.1:9"
    worker = probes.stack.start_worker(OTEL_EXPORTER_OTLP_ENDPOINT=address)
    probes.ask("probe-cron", count=3)
    probes.when("probe-cron", "succeeded", count=3)
    with within(10):
        assert worker.stop() == 0
