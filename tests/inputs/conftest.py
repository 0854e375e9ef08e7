"""Something of everything that can be asked for, and what counts as a refusal."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from access.models import IdempotencyKey
from jobs.engine import sync
from jobs.fleet import tasks
from jobs.models import State
from monitoring.models import Alert
from tests.access.conftest import caller, make_token, person
from tests.api.conftest import make_run, make_worker, sent
from tests.api.test_alerts import make_alert
from tests.api.test_daily_reports import make_report
from tests.inputs.described import THERE, Operation

__all__ = ["caller", "make_alert", "make_report", "make_run", "make_token", "person", "sent"]

PROBLEM = "application/problem+json"
CHANGEABLE = {"access", "jobs", "monitoring", "maintenance", "django_celery_beat"}


@dataclass(kw_only=True)
class Everything:
    """A run that can be tried again, schedules, an alert and a report, and a caller who may do anything with them."""

    client: Client
    alert: Alert
    before: list[Any] = field(default_factory=list)

    def call(self, operation: Operation, body: Any = b"", *, kind: str = "application/json", **how: Any) -> Any:
        """Call it at something that is there, in whatever version that is."""
        how = {"HTTP_IF_MATCH": "*", **how}
        return self.client.generic(operation.method.upper(), self.address(operation), body, content_type=kind, **how)

    def address(self, operation: Operation) -> str:
        """Where there is something."""
        return operation.address(alert_id=str(self.alert.pk))

    def is_as_before(self) -> bool:
        """Whether nothing was made or changed: no run, no schedule, no alert, no token, no entry of the audit."""
        return self.before == _rows()


@pytest.fixture
def everything(
    caller: Callable[..., Client], make_run: Any, make_alert: Any, make_report: Any, sent: list[Any]
) -> Everything:
    make_run(id=THERE["run_id"], state=State.FAILED, reason="error")
    sync.reset(THERE["slug"], by="a deploy")
    tasks.read_edits()
    make_worker("scheduler")
    make_worker("worker", "cron", "scheduled", "cleanup")
    make_report(date.fromisoformat(THERE["day"]))
    return Everything(client=caller(), alert=make_alert(), before=_rows())


def refused(answer: Any) -> tuple[int, str]:
    """The status and the kind of a problem; fails for whatever is none."""
    assert answer["Content-Type"] == PROBLEM, (answer.status_code, answer.content[:300])
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["detail"]
    return answer.status_code, problem["type"].removeprefix("urn:problem-type:cron:")


def _rows() -> list[Any]:
    """Every row that a call could make or change, without the traces that a refused call leaves."""
    found = []
    for model in apps.get_models():
        if model._meta.app_label in CHANGEABLE and model is not IdempotencyKey:
            names = [each.attname for each in model._meta.concrete_fields if each.attname != "last_used_at"]
            found.append(list(model._default_manager.order_by("pk").values(*names)))
    return found
