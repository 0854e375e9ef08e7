"""At a deploy, rows follow the code where nobody edited them, and keep what an operator did."""

import pytest
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from jobs.engine import registry, sync
from jobs.engine.definition import declare
from jobs.engine.errors import UnknownJob
from jobs.models import Schedule
from tests.engine.conftest import NOON, refresh_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def deploy(declared):
    """Declare the job anew, as a version of the code does, and synchronise."""

    def with_code(schedule: str = "0 4 * * *", **policy) -> sync.Synced:
        if registry.find("probe-job"):
            registry.remove("probe-job")
            registry.add(fresh(schedule=schedule, **policy))
        else:
            declared(schedule=schedule, **policy)
        done = sync.sync()
        refresh_all(NOON)
        return done

    def fresh(**policy):
        return declare(lambda _run: None, slug="probe-job", group="cron", **{"description": "Probes", **policy})

    return with_code


def row() -> PeriodicTask:
    return PeriodicTask.objects.select_related("crontab", "interval").get(name="probe-job")


def live() -> Schedule:
    return Schedule.objects.get(name="probe-job")


def test_the_first_deploy_makes_a_row_for_every_declared_job_and_a_second_changes_nothing():
    done = sync.sync()
    assert sorted(done.created) == sorted(job.slug for job in registry.all_jobs())
    assert PeriodicTask.objects.count() == len(done.created)
    refresh_all(NOON)
    assert not Schedule.objects.exclude(broken="").exists()
    assert not Schedule.objects.filter(next_tick_at=None).exists()
    again = sync.sync()
    assert sorted(again.unchanged) == sorted(done.created)
    assert not Schedule.objects.filter(dirty=True).exists()


def test_each_job_has_a_crontab_row_of_its_own():
    sync.sync()
    own = PeriodicTask.objects.values_list("crontab_id", flat=True)
    assert len(set(own)) == len(own)


def test_a_row_nobody_edited_follows_the_code(deploy):
    deploy("0 4 * * *")
    assert "probe-job" in deploy("0 5 * * *", description="Probes more").updated
    assert (row().crontab.hour, row().description) == ("5", "Probes more")
    assert live().timing["cron"] == "0 5 * * *"
    assert CrontabSchedule.objects.count() == PeriodicTask.objects.count()


def test_an_operators_edit_is_kept_and_shown_as_drift_with_a_way_back(deploy):
    deploy("0 4 * * *")
    assert sync.drift(live()) is None
    CrontabSchedule.objects.filter(pk=row().crontab_id).update(hour="6")
    assert "probe-job" in deploy("0 5 * * *").kept
    difference = sync.drift(live())
    assert (difference["live"]["cron"], difference["declared"]["cron"]) == ("0 6 * * *", "0 5 * * *")
    sync.reset("probe-job", by="ana")
    refresh_all(NOON)
    assert (row().crontab.hour, sync.drift(live())) == ("5", None)
    assert "probe-job" in deploy("0 7 * * *").updated


def test_an_edit_back_to_what_was_declared_before_follows_the_code_again(deploy):
    deploy("0 4 * * *")
    CrontabSchedule.objects.filter(pk=row().crontab_id).update(hour="6")
    deploy("0 5 * * *")
    CrontabSchedule.objects.filter(pk=row().crontab_id).update(hour="4")
    assert "probe-job" in deploy("0 5 * * *").updated


def test_another_zone_or_kind_of_schedule_is_an_edit_too(deploy):
    deploy()
    CrontabSchedule.objects.filter(pk=row().crontab_id).update(timezone="UTC")
    assert "probe-job" in deploy("0 5 * * *").kept
    hourly = IntervalSchedule.objects.create(every=1, period="hours")
    PeriodicTask.objects.filter(name="probe-job").update(crontab=None, interval=hourly)
    assert "probe-job" in deploy("0 5 * * *").kept
    sync.reset("probe-job", by="ana")
    assert (row().interval, row().crontab.hour) == (None, "5")


def test_a_row_that_an_operator_switched_off_stays_off_while_it_follows_the_code(deploy):
    deploy("0 4 * * *")
    PeriodicTask.objects.filter(name="probe-job").update(enabled=False)
    assert "probe-job" in deploy("0 5 * * *").updated
    assert not row().enabled


def test_a_renamed_row_is_still_the_jobs_own(deploy):
    deploy("0 4 * * *")
    PeriodicTask.objects.filter(name="probe-job").update(name="nightly probe")
    refresh_all(NOON)
    done = deploy("0 5 * * *")
    assert ("probe-job" in done.updated, done.disabled) == (True, [])
    renamed = PeriodicTask.objects.get(name="nightly probe")
    assert (renamed.enabled, renamed.crontab.hour) == (True, "5")
    assert not PeriodicTask.objects.filter(name="probe-job").exists()
    sync.reset("probe-job", by="ana")
    assert PeriodicTask.objects.filter(task="jobs.probe-job").count() == 1


def test_the_row_of_a_job_that_left_the_code_is_switched_off_and_on_again_when_it_comes_back(deploy):
    deploy()
    job = registry.get("probe-job")
    registry.remove("probe-job")
    assert sync.sync().disabled == ["probe-job"]
    assert sync.sync().disabled == []
    refresh_all(NOON)
    assert not row().enabled
    registry.add(job)
    assert "probe-job" in sync.sync().updated
    refresh_all(NOON)
    assert (row().enabled, live().broken) == (True, "")
    assert live().next_tick_at is not None
    assert "probe-job" in sync.sync().unchanged


def test_a_job_that_comes_back_is_switched_on_once_and_its_edited_time_kept(deploy):
    deploy()
    CrontabSchedule.objects.filter(pk=row().crontab_id).update(hour="6")
    job = registry.get("probe-job")
    registry.remove("probe-job")
    sync.sync()
    registry.add(job)
    assert "probe-job" in sync.sync().kept
    assert row().enabled
    PeriodicTask.objects.filter(name="probe-job").update(enabled=False)
    assert "probe-job" in sync.sync().kept
    assert not row().enabled


def test_a_row_that_was_switched_off_before_its_job_left_stays_off_when_it_comes_back(deploy):
    deploy()
    PeriodicTask.objects.filter(name="probe-job").update(enabled=False)
    job = registry.get("probe-job")
    registry.remove("probe-job")
    sync.sync()
    registry.add(job)
    sync.sync()
    assert not row().enabled


def test_a_deleted_row_is_made_anew(deploy):
    deploy()
    row().delete()
    refresh_all(NOON)
    assert "probe-job" in deploy().created


def test_rows_of_operators_are_left_alone(make_periodic_task):
    make_periodic_task("my own", cron="0 3 * * *")
    sync.sync()
    assert PeriodicTask.objects.get(name="my own").enabled
    refresh_all(NOON)
    assert sync.drift(Schedule.objects.get(name="my own")) is None


def test_only_declared_jobs_can_be_reset():
    with pytest.raises(UnknownJob):
        sync.reset("no-such-job", by="ana")
