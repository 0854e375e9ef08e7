"""From findings to alerts: raised once, escalated, acknowledged, repeated quietly, cleared when it stays away."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.alerts import standing
from monitoring.alerts.finding import Finding
from monitoring.alerts.standing import HOLD, Pending, acknowledge
from monitoring.models import Alert, Cause, Notice, Severity

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
WARNING = Finding(cause=Cause.CPU_HIGH, subject="here", summary="It is busy.")
CRITICAL = Finding(cause=Cause.CPU_HIGH, subject="here", summary="Very busy.", severity=Severity.CRITICAL)


def settle(
    *findings: Finding, at: timedelta, pending: Pending | None = None, looked: list[Cause] | None = None
) -> Pending:
    return standing.settle(
        findings,
        looked=[Cause.CPU_HIGH, Cause.DISK_FULL] if looked is None else looked,
        pending=pending or {},
        now=START + at,
        channels=["mail"],
    )


def told() -> list[str]:
    return [str(kind) for kind in Notice.objects.order_by("pk").values_list("kind", flat=True)]


def test_it_is_raised_once_with_what_was_found() -> None:
    settle(WARNING, at=0 * SECOND)
    settle(WARNING, at=10 * SECOND)
    alert = Alert.objects.get()
    assert (alert.state, alert.severity, alert.summary) == ("raised", "warning", "It is busy.")
    assert (alert.raised_at, alert.seen_at) == (START, START + 10 * SECOND)
    assert told() == ["raised"]


def test_what_must_last_is_raised_when_it_has_and_not_before() -> None:
    lasting = Finding(cause=Cause.CPU_HIGH, summary="-", lasting=20 * SECOND)
    pending = settle(lasting, at=0 * SECOND)
    pending = settle(lasting, at=19 * SECOND, pending=pending)
    assert not Alert.objects.exists()
    assert settle(lasting, at=20 * SECOND, pending=pending) == {}
    assert told() == ["raised"]


def test_what_was_gone_meanwhile_must_last_anew() -> None:
    lasting = Finding(cause=Cause.CPU_HIGH, summary="-", lasting=20 * SECOND)
    pending = settle(lasting, at=0 * SECOND)
    pending = settle(at=10 * SECOND, pending=pending)
    pending = settle(lasting, at=20 * SECOND, pending=pending)
    assert not Alert.objects.exists()
    assert pending == {("cpu-high", ""): START + 20 * SECOND}


def test_what_nobody_could_look_at_stays_as_it_is() -> None:
    lasting = Finding(cause=Cause.CPU_HIGH, summary="-", lasting=20 * SECOND)
    pending = settle(lasting, WARNING, at=0 * SECOND)
    assert settle(at=10 * MINUTE, pending=pending, looked=[Cause.DISK_FULL]) == pending
    assert Alert.objects.get().state == "raised"


def test_it_is_cleared_when_it_was_not_seen_for_a_minute_and_not_before() -> None:
    settle(WARNING, at=0 * SECOND)
    settle(at=HOLD - SECOND)
    assert Alert.objects.get().state == "raised"
    settle(at=HOLD)
    alert = Alert.objects.get()
    assert (alert.state, alert.cleared_at, alert.lasted) == ("cleared", START + HOLD, HOLD)
    assert told() == ["raised", "cleared"]


def test_what_comes_and_goes_is_held_twice_as_long_each_time() -> None:
    settle(WARNING, at=0 * SECOND)
    settle(at=HOLD)
    settle(WARNING, at=2 * MINUTE)
    settle(at=2 * MINUTE + 2 * HOLD - SECOND)
    assert Alert.objects.open().count() == 1
    settle(at=2 * MINUTE + 2 * HOLD)
    assert not Alert.objects.open().exists()


@pytest.mark.parametrize("minutes", [1, 2, 5])
def test_what_flaps_for_a_day_is_told_four_times_an_hour_at_the_most(minutes: int) -> None:
    for number in range(24 * 60 // minutes):
        settle(*([WARNING] if number % 2 else []), at=number * minutes * MINUTE)
    assert 0 < told().count("raised") <= 24 * 4


def test_a_warning_that_becomes_critical_is_news_even_if_it_was_acknowledged() -> None:
    settle(WARNING, at=0 * SECOND)
    assert acknowledge(Alert.objects.get(), by="ana", now=START + SECOND)
    settle(CRITICAL, at=10 * SECOND)
    alert = Alert.objects.get()
    assert (alert.state, alert.severity, alert.acknowledged_by) == ("raised", "critical", "")
    assert alert.escalated_at == START + 10 * SECOND
    settle(WARNING, at=20 * SECOND)
    settle(CRITICAL, at=30 * SECOND)
    assert Alert.objects.get().severity == "critical"
    assert told() == ["raised", "escalated"]


def test_a_warning_is_repeated_each_day_and_a_critical_alert_every_four_hours() -> None:
    settle(WARNING, at=0 * HOUR)
    settle(WARNING, at=24 * HOUR - SECOND)
    assert told() == ["raised"]
    settle(WARNING, at=24 * HOUR)
    settle(WARNING, at=24 * HOUR + SECOND)
    assert told() == ["raised", "reminder"]
    settle(CRITICAL, at=25 * HOUR)
    settle(CRITICAL, at=29 * HOUR - SECOND)
    assert told() == ["raised", "reminder", "escalated"]
    settle(CRITICAL, at=29 * HOUR)
    assert told() == ["raised", "reminder", "escalated", "reminder"]


def test_an_acknowledged_alert_is_not_repeated_and_its_end_is_told() -> None:
    settle(WARNING, at=0 * HOUR)
    acknowledge(Alert.objects.get(), by="ana", now=START + HOUR)
    settle(WARNING, at=48 * HOUR)
    assert told() == ["raised"]
    assert Alert.objects.get().state == "acknowledged"
    settle(at=48 * HOUR + HOLD)
    assert told() == ["raised", "cleared"]
    assert Alert.objects.get().acknowledged_by == "ana"


def test_it_is_acknowledged_once_and_not_after_it_is_over() -> None:
    settle(WARNING, at=0 * HOUR)
    alert = Alert.objects.get()
    assert acknowledge(alert, by="ana", now=START)
    assert not acknowledge(alert, by="dan", now=START)
    settle(at=HOLD)
    assert not acknowledge(alert, by="dan", now=START)
    assert Alert.objects.get().acknowledged_by == "ana"


def test_two_things_of_one_cause_are_two_alerts() -> None:
    settle(WARNING, Finding(cause=Cause.CPU_HIGH, subject="there", summary="-"), at=0 * SECOND)
    assert Alert.objects.open().count() == 2


def test_a_hostile_subject_is_stored() -> None:
    odd = Finding(cause=Cause.CPU_HIGH, subject="a\x00\ud800" * 200, summary="b\x00" * 5000)
    settle(odd, at=0 * SECOND)
    settle(odd, at=10 * SECOND)
    assert told() == ["raised"]


FOUND = st.lists(st.sampled_from([(), (WARNING,), (CRITICAL,)]), max_size=60)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(looks=FOUND, seconds=st.integers(5, 90))
def test_whatever_is_seen_each_alert_is_raised_once_and_ends_at_most_once(looks: list, seconds: int) -> None:
    Alert.objects.all().delete()
    pending: Pending = {}
    for number, found in enumerate(looks):
        pending = settle(*found, at=number * seconds * SECOND, pending=pending)
        open_now = Alert.objects.open()
        assert open_now.count() <= 1
        assert not found or open_now.get().seen_at == START + number * seconds * SECOND
    for alert in Alert.objects.all():
        kinds = [str(kind) for kind in alert.notices.order_by("pk").values_list("kind", flat=True)]
        assert kinds.count("raised") == 1 == len([kind for kind in kinds[:1] if kind == "raised"])
        assert kinds.count("escalated") <= 1
        assert ("cleared" in kinds) == (kinds[-1] == "cleared") == (alert.state == "cleared")
