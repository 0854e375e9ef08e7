"""What a job does not need may be away: mail, chat, whom we ping, Redis, and the database while it works."""

import pytest

from local.servers import Server
from tests.faults.probes import Probes
from tests.integration.waiting import eventually

pytestmark = pytest.mark.faults

NOBODY = "127.0.0.1:9"
DEAF = {
    "EMAIL_HOST": "127.0.0.1",
    "EMAIL_PORT": "9",
    "EMAIL_SECURITY": "none",
    "EMAIL_FROM": "cron@example.com",
    "REPORT_RECIPIENTS": "ops@example.com",
    "ALERT_CHANNELS": f"mail=mailto://{NOBODY}?from=cron@example.com&to=ops@example.com chat=json://{NOBODY}/chat",
    "PING_URL": f"http://{NOBODY}/ping",
    "OUTGOING_ALLOW_PRIVATE": "true",
}
REAL = {"DJANGO_SETTINGS_MODULE": "config.settings", **DEAF}
NEED_NOBODY = ("cleanup-sessions", "check-system-performance", "check-abandoned-sessions", "optimize-database")
TO_BE_TOLD = """
WITH alert AS (
    INSERT INTO monitoring_alert
           (cause, subject, severity, state, summary, raised_at, seen_at, told_at, acknowledged_by)
    VALUES ('scheduler-silent', '', 'critical', 'raised', 'No scheduler lives.', now(), now(), now(), '') RETURNING id)
INSERT INTO monitoring_notice (alert_id, kind, channel, summary, created_at, next_try_at, attempts, error)
SELECT id, 'raised', channel, 'No scheduler lives.', now(), now(), 0, ''
  FROM alert, unnest(ARRAY['mail', 'chat']) channel
"""
SENT_IN_VAIN = "SELECT count(*) FROM monitoring_notice WHERE attempts > 0 AND sent_at IS NULL"
FORGET = "TRUNCATE monitoring_alert, monitoring_notice"


def test_nobody_who_is_told_or_pinged_is_there(probes: Probes) -> None:
    stack = probes.stack
    stack.rows(TO_BE_TOLD)
    worker = stack.start_worker(**REAL)
    eventually(
        lambda: stack.value(SENT_IN_VAIN) == 2,
        seconds=60,
        what="notices that nobody took",
        told=lambda: probes.told("%"),
    )
    for job in NEED_NOBODY:
        stack.manage("cron", "trigger", job, **REAL)
    probes.when_all_ended(count=len(NEED_NOBODY), seconds=60)
    assert {(run["job"], run["state"], run["attempt"]) for run in probes.runs()} == {
        (job, "succeeded", 1) for job in NEED_NOBODY
    }
    assert worker.stop() == 0
    stack.rows(FORGET)


@pytest.mark.parametrize("name", ["valkey", "postgres"])
def test_a_server_goes_while_a_job_works_that_does_not_need_it(probes: Probes, name: str) -> None:
    server: Server = getattr(probes.stack.servers, name)
    probes.stack.start_beat(**DEAF)
    worker = probes.stack.start_worker(**DEAF)
    probes.occupy(1)
    server.stop()
    try:
        probes.open_gate()
        if name == "valkey":
            probes.when("probe-gate", "succeeded")
    finally:
        server.start()
    [run] = probes.when("probe-gate", "succeeded")
    assert (run["attempt"], run["failures"], run["error"]) == (1, 0, "")
    assert worker.alive
