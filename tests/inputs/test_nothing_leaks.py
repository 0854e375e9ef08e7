"""After each job has run: no secret stands anywhere, and no whole phone number but where it belongs."""

import base64
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.inputs.described import operations
from tests.inputs.planted import PHONES, SESSION, Planted, after_a_day
from tests.inputs.searching import broker, columns, files, pages
from tests.integration.stack import call

# Where a guest's number has to stand, and why.
NUMBERS_BELONG = {
    "reservations_reservation.phone": "whom to remind",
    "reservations_reminderattempt.phone": "whom a message went to, should the guest's number change later",
    "reservations_optout.phone": "who wants no message",
    "sessions_app_session.customer_phone": "whom a session is with",
    "sessions_app_message.body": "what a customer wrote, in their own words",
}
# Pages whose subject is that guest.
NUMBERS_SHOWN = re.compile(r"/admin/(reservations|sessions_app)/")
OPEN = ("/livez", "/readyz", "/metrics", "/cron/openapi.json", "/cron/docs")
SEPARATORS = re.compile(r"[\s().\-/]|%20|&nbsp;")

Places = list[tuple[str, str]]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    with after_a_day(tmp_path_factory.mktemp("planted")) as planted:
        yield planted


@pytest.fixture(scope="module")
def answers(planted: Planted) -> Places:
    """Of every GET, of every run too, and of some that are refused."""
    [job, run] = ["daily-report", str(planted.stack.value("SELECT id FROM jobs_run WHERE job = 'daily-report'"))]
    runs = [str(each) for (each,) in planted.stack.rows("SELECT id FROM jobs_run")]
    alerts = [str(each) for (each,) in planted.stack.rows("SELECT id FROM monitoring_alert")] or ["1"]
    days = [str(each) for (each,) in planted.stack.rows("SELECT day FROM monitoring_dailyreport")] or ["2026-01-01"]
    addresses = [*OPEN]
    for operation in operations():
        if not operation.changes:
            values = {"run_id": runs, "alert_id": alerts, "day": days}
            part = next((each for each in operation.parts if each in values), "")
            addresses += [operation.address(**{part: value}) for value in values.get(part, [""])]
    addresses += [f"/cron/reports/{days[0]}?format={form}" for form in ("html", "text")]
    addresses += [f"/cron/jobs/{job}/why?at=2026-01-15T08:00:00Z", f"/cron/runs/{run}x", "/cron/runs?limit=0"]
    return [(address, call("GET", planted.stack.web + address)[1].decode()) for address in addresses]


@pytest.fixture(scope="module")
def admin(planted: Planted) -> Places:
    return list(pages(planted.stack, planted.stack.manage("shell", "-v0", "-c", SESSION).strip()))


@pytest.fixture(scope="module")
def stored(planted: Planted, answers: Places, admin: Places) -> Places:
    """What the database and the broker hold, after everything has been looked at."""
    return [*columns(planted.stack), *broker(planted.stack)]


@pytest.fixture(scope="module")
def written(planted: Planted, answers: Places, admin: Places) -> Places:
    """Every log, the servers' own too, and what of the backups can be read by anybody."""
    return [*files(planted.stack.folder, "*.log"), *files(planted.backups)]


def secrets_in(places: Places, planted: Planted) -> set[tuple[str, str]]:
    """Where which secret stands, however it is written."""
    forms = {name: forms_of(secret) for name, secret in planted.secrets.items()}
    return {
        (place, name)
        for place, text in places
        for name, all_forms in forms.items()
        if any(form in text for form in all_forms)
    }


def forms_of(secret: str) -> set[str]:
    """As it is, in an address, and in Base64."""
    return {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode().rstrip("=")}


def numbers_in(places: Places) -> set[tuple[str, str]]:
    """Where which guest's number stands, with or without its country, however it is spaced."""
    return {(place, phone) for place, text in places for phone in PHONES if phone[3:] in SEPARATORS.sub("", text)}


def test_everything_was_looked_at(stored: Places, written: Places, answers: Places, admin: Places) -> None:
    """Else all that follows would be true of nothing."""
    places = {place for place, _ in stored}
    assert set(NUMBERS_BELONG) <= {place for place, _ in numbers_in(stored)}
    assert {"jobs_run.result", "jobs_runlog.fields", "django_celery_results_taskresult.result"} <= places
    assert {"web-1.log", "worker-2.log", "beat-0.log", "postgres.log"} <= {place for place, _ in written}
    assert [place for place, _ in written if place.endswith(".json")]
    assert [text for place, text in stored if place == "jobs_run.error" and "IntegrityError" in text]
    assert len(answers) > 30
    assert len([place for place, _ in admin if place.endswith("/change/")]) > 20
    assert [place for place, _ in numbers_in(admin)], "the guests' own pages"


def test_a_secret_would_be_found_however_it_is_written(planted: Planted) -> None:
    for name, secret in planted.secrets.items():
        for form in forms_of(secret):
            assert ("x", name) in secrets_in([("x", f"so it said {form!r}.")], planted)


def test_no_secret_is_stored(stored: Places, planted: Planted) -> None:
    assert secrets_in(stored, planted) == set()


def test_no_secret_is_written(written: Places, planted: Planted) -> None:
    assert secrets_in(written, planted) == set()


def test_no_secret_is_answered_or_shown(answers: Places, admin: Places, planted: Planted) -> None:
    assert secrets_in([*answers, *admin], planted) == set()


def test_numbers_are_stored_where_they_belong_and_nowhere_else(stored: Places) -> None:
    assert {(place, phone) for place, phone in numbers_in(stored) if place not in NUMBERS_BELONG} == set()


def test_no_number_is_written(written: Places) -> None:
    assert numbers_in(written) == set()


def test_no_number_is_answered(answers: Places) -> None:
    assert numbers_in(answers) == set()


def test_numbers_are_shown_on_their_guests_pages_and_nowhere_else(admin: Places) -> None:
    assert {(place, phone) for place, phone in numbers_in(admin) if not NUMBERS_SHOWN.match(place)} == set()
