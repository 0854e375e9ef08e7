"""Reminders that are due all at once, sent by two workers to a provider that takes 200 ms, beside the rate limit."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bench.command import Size, main
from bench.gauges import cpu_seconds
from bench.report import Finding
from bench.side import BenchError, Side, listens
from bench.stage import Stage
from local.claims import free_port
from local.programs import Program, end, spawn, wait_until

TOPIC = "reminders, provider answering in 200 ms"
RATE = 80
LATENCY_S = 0.2
ENDED = "SELECT state, extract(epoch FROM finished_at - started_at)::float FROM jobs_run WHERE finished_at IS NOT NULL"
READY = "SELECT count(*) FROM jobs_worker WHERE kind = 'worker'"
SENT = "SELECT count(*) FROM reservations_reminder WHERE state = 'sent'"


def measure(stage: Stage, size: Size) -> list[Finding]:
    """One run of the job, from its start to its end; the second worker stands ready to take it over."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    urls = ("META_GRAPH_URL", "TWILIO_API_URL", "TWILIO_IAM_URL", "TWILIO_ACCOUNTS_URL")
    ours = stage.ours()
    environment = {**ours.environment, **dict.fromkeys(urls, address), "META_MESSAGES_PER_SECOND": str(RATE)}
    side = replace(ours, environment={**environment, "REMINDER_QUIET_HOURS": "none"})
    with _stand_in(side, port):
        side.ask("owe_reminders", size.reminders)
        with side.running(*side.worker(processes=1)) as first, side.running(*side.worker(processes=1)) as second:
            if not wait_until(lambda: side.rows(READY) == [(2,)], seconds=30):
                raise BenchError("The two workers did not start.")
            before = cpu_seconds(first) + cpu_seconds(second)
            side.ask("trigger", "reservation-reminders")
            seconds = _wait(side, size.reminders)
            used = cpu_seconds(first) + cpu_seconds(second) - before
    rate = size.reminders / seconds
    return [
        Finding(
            topic=TOPIC, what=f"{size.reminders:,} sent", ours=rate, beside=RATE, peer="limit", unit="/s", at_least=0.9
        ),
        Finding(topic=TOPIC, what="CPU a reminder, workers", ours=used / size.reminders * 1000, unit="ms"),
    ]


@contextmanager
def _stand_in(side: Side, port: int) -> Iterator[None]:
    """The stand-in for the providers in a process of its own."""
    command = [sys.executable, "-m", "local", "provider", "--port", str(port), "--latency", str(LATENCY_S)]
    program = Program(name="provider", command=[*command, "--log", str(side.logs / "messages")], environment={})
    with (side.logs / "provider.log").open("wb") as output:
        process = spawn(program, output=output)
    try:
        if not wait_until(lambda: listens(port), seconds=30):
            raise BenchError("The stand-in for the providers does not listen.")
        yield
    finally:
        end(process, asking=2, grace=5)


def _wait(side: Side, count: int) -> float:
    """The seconds that the run took; every reminder must have been sent."""
    patience = 60 + 2 * count / RATE
    if not wait_until(lambda: bool(side.rows(ENDED)), seconds=patience):
        raise BenchError(f"After {patience:g} s {side.rows(SENT)} of {count} reminders are sent.")
    [(state, seconds)] = side.rows(ENDED)
    if state != "succeeded" or side.rows(SENT) != [(count,)]:
        raise BenchError(f"The run {state} with {side.rows(SENT)} of {count} reminders sent.")
    return float(seconds)


if __name__ == "__main__":
    main(measure)
