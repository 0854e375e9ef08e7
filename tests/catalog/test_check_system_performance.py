from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.utils import timezone

from maintenance import events
from maintenance.models import Backup
from monitoring import performance


def test_it_measures_the_machine_the_worker_and_the_database(run_job):
    result = run_job("check-system-performance").result

    assert 0 <= result["cpu"]["percent"] <= 100
    assert result["memory"]["largestProcessMb"] > 10
    assert 0 < result["disk"]["percent"] <= 100
    assert 1 <= result["database"]["connections"] <= result["database"]["maxConnections"]
    assert result["database"]["sizeMb"] > 1


def test_it_names_what_passes_its_threshold_and_logs_it(run_job, settings):
    settings.CRON = replace(configured.CRON, memory_threshold_mb=1)

    run = run_job("check-system-performance")

    memory = run.result["overThreshold"][0]
    assert (memory["what"], memory["threshold"], memory["unit"]) == ("memory", 1, "MB")
    line = run.log_lines.get(message="a threshold is passed", fields__what="memory")
    assert (line.level, line.fields["threshold"]) == ("warning", 1)


def test_a_value_at_its_threshold_does_not_pass_it():
    sample = {"memory": {"largestProcessMb": 500.0}, "cpu": {"percent": 80.0}}

    assert performance.over_threshold(sample, memory_mb=500, cpu_percent=80) == []


def test_a_value_just_above_does():
    sample = {"memory": {"largestProcessMb": 500.1}, "cpu": {"percent": 80.1}}

    over = performance.over_threshold(sample, memory_mb=500, cpu_percent=80)

    assert [each["what"] for each in over] == ["memory", "cpu"]


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
