from dataclasses import replace

from django.conf import settings as configured

from jobs.models import State


def test_it_says_that_no_backup_was_made(run_job):
    run = run_job("backup-data")

    assert run.state == State.SUCCEEDED
    assert run.result["backup"] is None
    assert run.result["databaseBytes"] > 0
    assert run.result["retentionDays"] == 30
    assert run.result["notConfigured"].startswith("No backup was made")


def test_switched_off_it_says_so_and_by_which_variable(run_job, settings):
    settings.CRON = replace(configured.CRON, backup=replace(configured.CRON.backup, enabled=False))

    assert run_job("backup-data").result == {
        "backup": None,
        "skipped": "CRON_BACKUP_ENABLED is false: backups are switched off.",
    }


def test_a_second_time_it_says_the_same(run_job):
    first, second = (run_job("backup-data").result for _ in range(2))

    assert first.keys() == second.keys()
