"""The documents say what the code does."""

import re

import pytest

from config import security
from config.cron import _Variables
from jobs.api import problems
from jobs.management import table as jobs_table
from tests.docs.commands import problem
from tests.docs.reading import (
    DOCUMENTS,
    READMES,
    ROOT,
    between,
    inline_commands,
    links,
    required_variables,
    shell_lines,
    table,
    variables_read,
)


@pytest.mark.parametrize("readme", READMES)
def test_the_table_of_jobs_is_the_one_that_the_declarations_make(readme):
    assert between((ROOT / readme).read_text(), "cron table") == jobs_table.markdown()


@pytest.mark.parametrize("readme", READMES)
def test_the_variables_are_those_that_the_code_reads(readme):
    told = [row[0].strip("`") for row in _variables(readme)]

    assert sorted(told) == sorted(
        variables_read() | set(_Variables.model_fields) | set(security._Variables.model_fields)
    )


@pytest.mark.parametrize("readme", READMES)
def test_the_defaults_of_the_cron_variables_are_the_real_ones(readme):
    told = {row[0].strip("`"): row[1].strip("`") for row in _variables(readme) if row[0].startswith("`CRON_")}

    assert told == {name: _as_text(field.default) for name, field in _Variables.model_fields.items()}


@pytest.mark.parametrize("readme", READMES)
def test_exactly_the_required_variables_may_come_as_files(readme):
    marked = {row[0].strip("`") for row in _variables(readme) if row[1].endswith("*file*")}

    assert marked == required_variables() == {"SECRET_KEY", "CREDENTIAL_KEYS", "DATABASE_URL", "REDIS_URL"}


def test_both_readmes_have_the_same_parts_and_commands():
    english, romanian = ((ROOT / name).read_text() for name in READMES)

    assert english.count("\n## ") == romanian.count("\n## ")
    assert shell_lines(english) == shell_lines(romanian)


def test_every_endpoint_in_the_readme_exists(client, db):
    for row in table((ROOT / "README.md").read_text().partition("## The endpoints")[2].partition("\n## ")[0]):
        method, _, path = row[0].strip("`").rpartition(" ")
        address = path.replace("<path>", "backup-data").replace("<id>", "01a20926-88b4-7d7a-a94d-b26d17db4883")
        status = client.generic(method or "GET", address).status_code
        assert status == {"none": 200, "people": 302, "signature": 503}.get(row[2], 401) or address == "/readyz", row


def test_every_kind_of_problem_is_told():
    kinds = [value for value in vars(problems).values() if isinstance(value, problems.Kind)]
    rows = table(between((ROOT / "docs" / "api.md").read_text(), "problems"))

    assert sorted((int(row[0]), row[1].strip("`")) for row in rows) == sorted(
        (kind.status, kind.slug) for kind in kinds
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_within_the_project_leads_somewhere(document):
    inside = [link.partition("#")[0] for link in links(document.read_text()) if not link.startswith("http")]

    assert [link for link in inside if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_exists(document):
    text = document.read_text()
    problems_found = [problem(each) for each in (*shell_lines(text), *inline_commands(text))]

    assert [each for each in problems_found if each] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_is_named_exists(document):
    named = re.findall(
        r"`((?:config|jobs|local|locks|docker|tests|docs)/[\w/.-]+\.(?:py|txt|md))`", document.read_text()
    )
    example = "tests/catalog/test_cleanup_old_drafts.py"  # the job that docs/adding-a-job.md makes up

    assert [name for name in named if name != example and not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    "command",
    [
        "manage.py frobnicate",
        "manage.py cron frobnicate",
        "manage.py cron list --frobnicate",
        "celery -A config frobnicate",
        "celery -A config worker --frobnicate",
        "bin/frobnicate",
        "frobnicate",
    ],
)
def test_a_command_that_does_not_exist_is_found_out(command):
    assert problem(command)


def _variables(readme):
    return table(between((ROOT / readme).read_text(), "variables"))


def _as_text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)
