"""The page in English and in Romanian."""

import re
from datetime import UTC, datetime, timedelta
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.apps import apps
from django.utils import translation
from django.utils.translation.template import templatize

from jobs.engine import registry
from jobs.engine.timing_warnings import warnings_of
from jobs.engine.words import cron_in_words
from monitoring.models import Cause
from monitoring.page import labels
from monitoring.page.schedule_words import in_language
from monitoring.templatetags.page import tick_words, took
from tests.page.conftest import make_alert, make_schedule
from tests.page.reading import section, shown, text

MONITORING, JOBS, ACCESS = (Path(apps.get_app_config(app).path) for app in ("monitoring", "jobs", "access"))
TEXT = re.compile(r"""gettext(?:_noop|_lazy)?\(u?(?:'((?:[^'\\]|\\.)+)'|"((?:[^"\\]|\\.)+)")[,)]|[\s(]_\("([^"]+)"\)""")
PAGES = sorted(
    [*(MONITORING / "templates/monitoring/page").rglob("*.*"), *(MONITORING / "templates/admin").rglob("*.*")]
)


def catalogue(app: Path) -> set[str]:
    with (app / "locale/ro/LC_MESSAGES/django.mo").open("rb") as compiled:
        found = GNUTranslations(compiled)._catalog  # type: ignore[attr-defined]  # there is no other way to its texts
    return {key[0] if isinstance(key, tuple) else key for key, value in found.items() if value}


def texts(source: str) -> set[str]:
    return {next(filter(None, groups)).replace("\\'", "'") for groups in TEXT.findall(source)}


@pytest.mark.parametrize("template", PAGES, ids=lambda path: path.name)
def test_every_text_of_a_template_is_translated(template):
    missing = texts(templatize(template.read_text())) - catalogue(MONITORING)
    assert not missing


def test_the_texts_of_templates_are_found_at_all():
    assert sum(len(texts(templatize(template.read_text()))) for template in PAGES) > 100


def test_every_text_of_the_modules_is_translated():
    modules = [*(MONITORING / "page").glob("*.py"), *(MONITORING / "templatetags").glob("*.py")]
    known = catalogue(MONITORING)
    assert not {found for module in modules for found in texts(module.read_text())} - known
    assert {str(word) for words in labels.ALL.values() for word in words.values()} <= known
    assert set(Cause.labels) <= known


def test_every_text_of_signing_in_is_translated():
    assert texts((ACCESS / "sign_in.py").read_text()) <= catalogue(ACCESS)


def test_what_jobs_declare_is_translated():
    known = catalogue(JOBS)
    assert {job.description for job in registry.all_jobs()} <= known
    assert {registry.title(queue) for queue in registry.groups()} <= known


@pytest.mark.parametrize("job", [job.slug for job in registry.all_jobs()])
def test_every_declared_schedule_has_words_in_both_languages(job):
    words = cron_in_words(registry.get(job).schedule)
    with translation.override("en"):
        assert in_language(words) == words
    with translation.override("ro"):
        assert in_language(words).startswith("La ")


def test_a_schedule_that_has_no_words_stays_as_it_is():
    with translation.override("ro"):
        assert in_language("7,9 */3 1-5 * 2") == "7,9 */3 1-5 * 2"
        assert in_language("At 05:00, only on Sunday") == "La 05:00, numai duminică"


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("30 7 * * 1-5", "La 07:30, de luni până vineri"),
        ("0 7,19 * * *", "La 07:00 și 19:00"),
        ("*/15 8-17 * * *", "La fiecare 15 minute, între 08:00 și 17:59"),
        ("0 0 1 1 *", "La 00:00, în ziua 1 a lunii, numai în ianuarie"),
        ("30 7 1-7 * *", "La 07:30, din ziua 1 până în ziua 7 a lunii"),
        ("0 9-17 * * *", "Între 09:00 și 17:59"),
    ],
)
def test_what_is_put_together_of_known_phrases_has_words(cron, words):
    with translation.override("ro"):
        assert in_language(cron_in_words(cron)) == words


@pytest.mark.django_db
def test_warnings_about_a_schedule_have_words():
    row = make_schedule("daily-report")
    timing = {"cron": "30 3 * * *", "zone": "Europe/Bucharest"}
    now, ticks = datetime(2026, 3, 1, tzinfo=UTC), [row.next_tick_at, row.next_tick_at + timedelta(minutes=1)]
    found = [*warnings_of(timing, ticks=ticks, now=now, usual=timedelta(hours=1)), *warnings_of({}, ticks=[], now=now)]
    assert len(found) == 6
    with translation.override("ro"):
        assert [each for each in found if in_language(each) == each] == []


@pytest.mark.django_db
def test_the_editor_can_ask_for_words(looker):
    asked = {"phrase": ["At 05:00", "It is never due.", "whatever"]}
    looker.defaults["HTTP_ACCEPT_LANGUAGE"] = "ro"
    assert looker.get("/phrases", asked).json() == {"phrases": ["La 05:00", "Nu are loc niciodată.", "whatever"]}


@pytest.mark.django_db
def test_the_page_speaks_the_language_of_the_browser(looker):
    make_schedule("daily-report")
    make_alert()
    looker.defaults["HTTP_ACCEPT_LANGUAGE"] = "ro-RO,ro;q=0.9"
    html = shown(looker)
    assert '<html lang="ro">' in html
    assert "Unele joburi nu pot rula." in text(section(html, "state"))
    assert "discul este aproape plin" in section(html, "alerts")
    assert "Joburi de curățenie" in html


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/jobs/daily-report"])
def test_pictures_are_drawn_in_every_language(looker, make_ended, address):
    for n in range(7):
        make_ended(took_s=n + 0.1)
    html = shown(looker, address)
    looker.defaults["HTTP_ACCEPT_LANGUAGE"] = "ro"
    for page in (html, shown(looker, address)):
        numbers = re.findall(
            r' (?:[xy][12]?|width|height|max|value)="([^"]*)"', "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
        )
        assert numbers
        assert all(re.fullmatch(r"\d+(\.\d+)?", number) for number in numbers)


def test_ticks_have_the_readers_days():
    tick = "Sun 2026-10-25 03:30 EET"
    with translation.override("ro"):
        assert tick_words(tick) == "Dum 2026-10-25 03:30 EET"
    with translation.override("en"):
        assert tick_words(tick) == tick


@pytest.mark.parametrize(("language", "words"), [("en", "1.5 s"), ("ro", "1,5 s")])
def test_lengths_of_time_are_written_as_the_reader_does(language, words):
    with translation.override(language):
        assert took(timedelta(seconds=1.5)) == words


@pytest.mark.django_db
def test_another_language_can_be_chosen_and_leads_back(looker):
    html = shown(looker, "/alerts")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', html)[1]
    given = {"language": "ro", "next": "/alerts", "csrfmiddlewaretoken": token}
    assert looker.post("/language", given)["Location"] == "/alerts"
    assert "<h1>Alerte</h1>" in shown(looker, "/alerts")


@pytest.mark.django_db
def test_the_rest_interface_speaks_one_language(looker):
    answer = looker.get("/cron/runs?state=nonsense", headers={"Accept-Language": "ro"})
    assert answer.status_code == 400
    assert "Input should be" in answer.json()["detail"]
