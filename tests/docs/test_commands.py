"""What looks at the documents' commands leaves the process as it was."""

import logging

import pytest

from monitoring import log_entries
from monitoring.models import LogEntry
from tests.docs.commands import problem


@pytest.mark.django_db(transaction=True)
def test_a_look_at_the_web_application_keeps_no_lines_of_the_tests_to_come():
    assert problem("gunicorn config.wsgi:application") == ""

    logging.getLogger("jobs.tests").warning("A line of another test.")
    log_entries.flush()

    assert not LogEntry.objects.exists()
