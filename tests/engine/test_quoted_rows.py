"""What PostgreSQL quotes of a row when it refuses it does not come into the records of a run, nor into the log."""

import json

import pytest
from django_celery_results.models import TaskResult

from jobs.engine.runner import execute
from reservations.models import Reservation
from tests.engine.conftest import NOON

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = "+40700000001"


def refused(*_):
    given = {"reference": "R-1", "guest_name": "Ana", "phone": PHONE, "starts_at": NOON, "party_size": 0}
    Reservation.objects.create(**given)


def one_of_three_is_refused(run):
    run.each([1, 2, 3], refused).raise_if_failed()


@pytest.mark.parametrize("body", [refused, one_of_three_is_refused])
def test_a_refused_row_is_not_quoted(make_run, body, caplog, capsys):
    run = make_run(job="tests.probe", overlap_key=None)

    execute(run.pk, worker="w", body=body, now=NOON)

    run.refresh_from_db()
    assert "reservation_is_for_somebody" in run.error
    assert "reservation_is_for_somebody" in run.traceback
    kept = [run.error, run.traceback, json.dumps(list(TaskResult.objects.values("result", "traceback")))]
    for text in (*kept, caplog.text, "".join(capsys.readouterr())):
        assert PHONE not in text
        assert "Ana" not in text
