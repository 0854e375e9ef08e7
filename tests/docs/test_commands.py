"""What looks at the documents' commands leaves the process as it was."""

import logging

import pytest
from django.conf import settings

from monitoring import log_entries
from monitoring.models import LogEntry
from tests.docs.commands import problem


@pytest.mark.django_db(transaction=True)
def test_a_look_at_the_web_application_keeps_no_lines_of_the_tests_to_come():
    assert problem("gunicorn config.wsgi:application") == ""

    logging.getLogger("jobs.tests").warning("A line of another test.")
    log_entries.flush()

    assert not LogEntry.objects.exists()


def test_a_look_at_the_web_application_makes_nobody_impatient_with_the_database():
    assert problem("gunicorn config.wsgi:application") == ""

    assert "answer_timeout" not in settings.DATABASES["default"]["OPTIONS"]


@pytest.mark.parametrize("application", ["config.wsgi:nothing", "config.nothing:application", "config.wsgi:settings"])
def test_an_application_that_cannot_be_called_is_told(application):
    assert problem(f"gunicorn {application}") == f"gunicorn {application}: {application} cannot be called"
