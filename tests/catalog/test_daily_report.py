from datetime import UTC, date, datetime, timedelta

from jobs.models import Run, State
from monitoring.report import figures

BUCHAREST = "Europe/Bucharest"
TICK = datetime(2026, 6, 15, 5, 0, tzinfo=UTC)  # 08:00 in Bucharest
START = datetime(2026, 6, 13, 21, 0, tzinfo=UTC)  # midnight before the 14th, in Bucharest
END = START + timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


def test_the_report_of_a_tick_is_about_the_last_complete_local_day_before_it(run_job):
    result = run_job("daily-report", tick=TICK, now=TICK + timedelta(days=2)).result

    assert (result["day"], result["timezone"]) == ("2026-06-14", BUCHAREST)


def test_a_report_that_somebody_asks_for_is_about_the_last_complete_local_day(run_job):
    just_after_midnight = END

    assert run_job("daily-report", now=just_after_midnight).result["day"] == "2026-06-14"
    assert run_job("daily-report", now=just_after_midnight - MICROSECOND).result["day"] == "2026-06-13"


def test_a_day_lasts_from_local_midnight_to_local_midnight(run_job, make_message):
    for sent_at in (START - MICROSECOND, START, END - MICROSECOND, END):
        make_message(sent_at=sent_at, direction="inbound")

    assert run_job("daily-report", tick=TICK, now=TICK).result["messages"]["received"] == 2


def test_the_days_of_the_clock_changes_have_23_and_25_hours():
    lengths = [
        end - start
        for start, end in (figures.bounds(day, zone=BUCHAREST) for day in (date(2026, 3, 29), date(2026, 10, 25)))
    ]

    assert lengths == [timedelta(hours=23), timedelta(hours=25)]


def test_it_counts_what_became_of_sessions(run_job, make_session):
    noon = START + timedelta(hours=12)
    make_session("open", started_at=noon)
    make_session("resolved", started_at=START - timedelta(days=3), resolved_at=noon)
    make_session("closed", started_at=START - timedelta(days=3), closed_at=noon)
    make_session("abandoned", started_at=START - timedelta(days=3), closed_at=noon)
    make_session("waiting", started_at=START - timedelta(days=3))
    make_session("error", started_at=START - timedelta(days=3), next_try_at=noon)

    assert run_job("daily-report", tick=TICK, now=TICK).result["sessions"] == {
        "opened": 1,
        "resolved": 1,
        "closed": 1,
        "abandoned": 1,
        "openNow": 1,
        "waitingNow": 1,
        "inErrorNow": 1,
    }


def test_it_counts_reservations_and_guests(run_job, make_reservation):
    noon = START + timedelta(hours=12)
    make_reservation(starts_at=noon, party_size=4, status="seated")
    make_reservation(starts_at=noon, party_size=2, status="no_show")
    make_reservation(starts_at=noon, party_size=8, status="cancelled")
    make_reservation(starts_at=END, party_size=3)

    result = run_job("daily-report", tick=TICK, now=TICK).result["reservations"]

    assert (result["total"], result["seated"], result["noShow"], result["cancelled"]) == (3, 1, 1, 1)
    assert result["guests"] == 6


def test_it_counts_runs_and_names_the_jobs_that_failed(run_job):
    noon = START + timedelta(hours=12)
    for state in (State.SUCCEEDED, State.FAILED):
        started = {"started_at": noon, "finished_at": noon + timedelta(seconds=2)}
        Run.objects.create(
            job="backup-data", task="jobs.backup-data", queue="cron", state=state, reason="timeout", **started
        )

    result = run_job("daily-report", tick=TICK, now=TICK).result["jobs"]

    failed = [{"job": "backup-data", "failed": 1, "lastError": "timeout"}]
    assert result == {"succeeded": 1, "failed": 1, "averageMs": 2000, "failedJobs": failed}


def test_a_second_time_it_says_the_same(run_job, make_message):
    make_message(sent_at=START)

    first, second = (run_job("daily-report", now=TICK).result for _ in range(2))

    assert first["messages"] == second["messages"]
    assert first["day"] == second["day"]
