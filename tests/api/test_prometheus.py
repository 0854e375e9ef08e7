"""GET /metrics: what Prometheus reads, whom it is given, and what its rules and the dashboard ask for."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from jobs.engine import registry
from jobs.models import DailyTotal, State
from maintenance.models import Backup
from monitoring.models import Alert
from tests.api.conftest import make_schedule
from tests.docs.reading import ROOT, between, table

FILES = ROOT / "docker"
START = datetime(2026, 1, 1, tzinfo=UTC)
PROMTOOL = shutil.which("promtool")
UNITS = ("_seconds", "_bytes", "_total", "_info", "_count", "_sum")
NAME = re.compile(r"\bcron_[a-z_]+")
# What counts things has no unit.
COUNTED = {
    "cron_schedules",
    "cron_queue_runs",
    "cron_schedulers",
    "cron_workers",
    "cron_broker_up",
    "cron_broker_queue_messages",
    "cron_database_connections",
    "cron_database_connections_allowed",
    "cron_credentials_in_use",
    "cron_alerts_open",
}


@pytest.fixture
def full(fleet: None, make_run: Any, make_credential: Any) -> None:
    """Something of everything."""
    DailyTotal.objects.create(day=date(2026, 1, 1), job="daily-report", succeeded=7, failed=2, duration_ms=18_500)
    make_run("daily-report", created_at=START, started_at=START, finished_at=START + timedelta(seconds=2))
    make_run("daily-report", state=State.QUEUED, created_at=START)
    make_schedule("daily-report")
    make_credential(in_use=True)
    Backup.objects.create(id="b", created_at=START, proven_at=START)
    times = dict.fromkeys(("raised_at", "seen_at", "told_at"), START)
    Alert.objects.create(cause="cpu-high", subject="x", severity="critical", summary="-", **times)


def scrape(client: Client) -> dict[str, Any]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples
    }


def test_it_tells_what_the_database_says(caller: Callable[..., Client], full: None) -> None:
    told = scrape(caller("read"))
    job = ("job", "daily-report")
    assert told["cron_runs_total", job, ("outcome", "succeeded")] == 7
    assert told["cron_runs_total", job, ("outcome", "failed")] == 2
    assert told["cron_run_duration_seconds_sum", job] == 18.5
    assert told["cron_run_duration_seconds_count", job] == 9
    assert told["cron_run_recent_duration_seconds", job, ("percentile", "95")] == 2
    assert told["cron_run_last_success_timestamp_seconds", job] == START.timestamp() + 2
    assert told["cron_queue_runs", ("queue", "cron"), ("state", "queued")] == 1
    assert told["cron_queue_oldest_wait_seconds", ("queue", "cron")] > 0
    assert told["cron_workers", ("queue", "cleanup")] == 1
    assert told["cron_schedulers",] == 1
    assert told["cron_broker_up",] == 1
    assert told["cron_credentials_in_use", ("status", "valid")] == 1
    assert told["cron_alerts_open", ("severity", "critical")] == 1
    assert told["cron_backup_proven_timestamp_seconds",] == START.timestamp()
    assert told["cron_next_tick_timestamp_seconds", job] > START.timestamp()


def test_counters_of_jobs_that_never_ran_are_zero(caller: Callable[..., Client], db: None) -> None:
    told = scrape(caller())
    for job in registry.all_jobs():
        assert told["cron_runs_total", ("job", job.slug), ("outcome", "failed")] == 0


def test_a_broker_that_is_away_is_a_figure(caller: Callable[..., Client], db: None, no_broker: None) -> None:
    assert scrape(caller())["cron_broker_up",] == 0


def test_labels_are_bounded(caller: Callable[..., Client], full: None, make_run: Any) -> None:
    before = scrape(caller())
    for number in range(20):
        DailyTotal.objects.create(day=date(2026, 1, 2), job=f"an operator's own {number}", succeeded=1)
        make_run(f"own {number}", queue=f"own {number}", finished_at=START)
    assert scrape(caller()).keys() == before.keys()


def test_it_takes_few_queries(caller: Callable[..., Client], full: None) -> None:
    client = caller()
    client.get("/metrics")
    with CaptureQueriesContext(connection) as queries:
        client.get("/metrics")
    assert len(queries) == 14


def test_who_may_not_read_gets_nothing(caller: Callable[..., Client], db: None) -> None:
    assert Client().get("/metrics").status_code == 401
    assert caller("trigger").get("/metrics").status_code == 403


def test_the_document_has_every_metric(caller: Callable[..., Client], full: None) -> None:
    text = caller().get("/metrics").content.decode()
    told = {row[0].strip("`") for row in table(between((ROOT / "docs" / "monitoring.md").read_text(), "metrics"))}
    assert told == set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))


def test_names_have_units_and_every_family_its_help(caller: Callable[..., Client], full: None) -> None:
    for family in text_string_to_metric_families(caller().get("/metrics").content.decode()):
        assert family.documentation.endswith(".")
        for sample in family.samples:
            assert sample.name.endswith(UNITS) or sample.name in COUNTED


def names_in(path: Path) -> set[str]:
    """The metrics that a file's expressions ask for."""
    if path.suffix == ".json":
        panels = json.loads(path.read_text())["panels"]
        expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    else:
        expressions = [rule["expr"] for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]
    return {name for expression in expressions for name in NAME.findall(expression)}


@pytest.mark.parametrize("file", ["prometheus/alerts.yml", "grafana/cron.json"])
def test_rules_and_dashboard_ask_for_what_there_is(caller: Callable[..., Client], full: None, file: str) -> None:
    there = {name for name, *_ in scrape(caller())}
    asked = names_in(FILES / file)
    assert len(asked) > 8
    assert asked <= there


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed; .ci/run installs it")
def test_promtool_accepts_metrics_and_rules(caller: Callable[..., Client], full: None) -> None:
    text = caller().get("/metrics").content
    checked = subprocess.run([str(PROMTOOL), "check", "metrics"], input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
    rules = subprocess.run([str(PROMTOOL), "check", "rules", FILES / "prometheus" / "alerts.yml"], capture_output=True)
    assert rules.returncode == 0, rules.stderr
