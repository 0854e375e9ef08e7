from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from django.conf import settings as configured
from django.db import connection
from django.utils import timezone

from jobs.engine import registry
from jobs.models import Worker
from local.programs import wait_until
from maintenance import events
from maintenance.models import Backup
from monitoring import performance
from monitoring.models import Alert


@pytest.fixture
def fleet(db):
    """A scheduler and a worker of all groups, an hour old."""
    now = timezone.now()
    times = {"lease_until": now + timedelta(minutes=5), "started_at": now - timedelta(hours=1)}
    Worker.objects.create(name="beat@here#1", kind="scheduler", memory_mb=90, **times)
    return Worker.objects.create(
        name="worker@here#2", kind="worker", queues=registry.groups(), memory_mb=200, cpu_percent=30, **times
    )


def test_it_measures_the_fleet_its_queues_the_machine_and_the_database(run_job, fleet):
    result = run_job("check-system-performance").result

    processes = {process["name"]: process for process in result["fleet"]}
    assert (processes[fleet.name]["memoryMb"], processes[fleet.name]["cpuPercent"]) == (200, 30)
    assert processes["beat@here#1"]["kind"] == "scheduler"
    sizes = [process["memoryMb"] for process in result["fleet"] if process["memoryMb"]]
    assert sizes == sorted(sizes, reverse=True)
    assert [queue["name"] for queue in result["queues"]] == sorted(registry.groups())
    assert 0 < result["machine"]["diskPercent"] <= 100
    assert 1 <= result["database"]["connections"] <= result["database"]["maxConnections"]
    assert result["database"]["sizeMb"] > 1
    assert result["alerts"] == []


def test_what_lasts_above_a_threshold_raises_an_alert_and_is_logged(run_job, fleet):
    Worker.objects.filter(pk=fleet.pk).update(memory_mb=501, cpu_percent=81)

    run = run_job("check-system-performance")

    assert [alert["cause"] for alert in run.result["alerts"]] == ["memory-high", "cpu-high"]
    assert set(Alert.objects.values_list("cause", "subject")) == {("memory-high", fleet.name), ("cpu-high", "here")}
    line = run.log_lines.get(message="something is wrong", fields__cause="memory-high")
    assert (line.level, "501 MB" in line.fields["summary"]) == ("warning", True)


def test_what_is_at_its_threshold_does_not(run_job, fleet):
    Worker.objects.filter(pk=fleet.pk).update(memory_mb=500, cpu_percent=80)

    assert run_job("check-system-performance").result["alerts"] == []


def test_a_dry_run_raises_nothing(run_job, fleet):
    Worker.objects.filter(pk=fleet.pk).update(memory_mb=501)

    assert run_job("check-system-performance", dry_run=True).result["alerts"] == []
    assert not Alert.objects.exists()


def test_a_slow_query_is_told_without_its_words(run_job, transactional_db):
    parameters = connection.get_connection_params()
    with psycopg.connect(
        **{name: parameters[name] for name in ("dbname", "user", "host") if parameters.get(name)}
    ) as slow:
        slow.execute("SELECT set_config('application_name', 'slow', false), '+40700000001'")
        assert performance.SLOW_S == 5
        wait_until(lambda: performance.measure()["database"]["slowQueries"], seconds=60)
        [told] = [each for each in performance.measure()["database"]["slowQueries"] if each["application"] == "slow"]

    assert (told["state"], told["seconds"] >= 5) == ("idle in transaction", True)
    assert "+40700000001" not in str(told)


def test_a_second_time_it_measures_anew(run_job):
    first, second = (run_job("check-system-performance").result for _ in range(2))

    assert first.keys() == second.keys()


@pytest.fixture
def told():
    heard = []

    def overdue(*, why, **_):
        heard.append(why)

    events.proof_overdue.connect(overdue)
    yield heard
    events.proof_overdue.disconnect(overdue)


@pytest.mark.parametrize(("minutes", "overdue"), [(-5, False), (5, True)])
def test_a_proof_that_is_too_old_is_announced(run_job, told, minutes, overdue):
    made = timezone.now() - timedelta(hours=36, minutes=minutes)
    Backup.objects.create(id="20260115T030000Z-4f2a9c", created_at=made, proven_at=made)

    found = run_job("check-system-performance").result["provenBackup"]

    assert found == {"id": "20260115T030000Z-4f2a9c", "ageHours": round(36 + minutes / 60, 1), "overdue": overdue}
    assert ["the newest proven backup is 36 h old" in each for each in told] == [True] * overdue


def test_a_new_service_is_not_told_off(run_job, told):
    found = run_job("check-system-performance").result["provenBackup"]

    assert found == {"id": None, "ageHours": None, "overdue": False}
    assert told == []


def test_where_backups_are_switched_off_none_is_looked_for(run_job, settings):
    settings.CRON = replace(configured.CRON, backup=replace(configured.CRON.backup, enabled=False))

    assert run_job("check-system-performance").result["provenBackup"] is None
