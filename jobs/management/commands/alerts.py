"""`manage.py alerts`: alerts from a terminal."""

import getpass
from collections.abc import Sequence
from typing import Annotated, Any

from django.conf import settings
from django.utils import timezone
from django_typer.management import command
from rich.console import RenderableType
from typer import Argument, Exit, Option

from jobs.management import moments, printing
from jobs.management.refusals import FAILED, BadInput, NothingDone
from jobs.management.refusing import RefusingCommand
from monitoring.alerts import channels, standing
from monitoring.alerts.outbox import Channel, Undelivered
from monitoring.models import Alert, Notice, Severity

COLUMNS = ("id", "severity", "state", "since", "alert", "what and why")
NO_CHANNEL = "No channel is set up: see ALERT_CHANNELS and ALERT_WEBHOOK_URL in docs/alerts.md."

AsJson = Annotated[bool, Option("--json", help="Answer in JSON.")]
Id = Annotated[int, Argument(help="The alert's id, as in `alerts list`.", metavar="ID")]


class Command(RefusingCommand, rich_markup_mode="markdown"):
    """See what is wrong, acknowledge it, and try the channels.

    Exit codes: 0 done; 1 there was nothing to acknowledge, or a channel failed; 2 what was typed cannot be understood.
    """

    @command("list")
    def list_alerts(self, as_json: AsJson = False) -> None:
        """What is wrong now, the newest first."""
        alerts = list(Alert.objects.open().order_by("-pk"))
        table = printing.table(COLUMNS, map(_as_row, alerts))
        self._show([_as_dict(each) for each in alerts], table if alerts else "Nothing is wrong.", as_json)

    @command()
    def acknowledge(self, alert_id: Id, as_json: AsJson = False) -> None:
        """Say that somebody has seen it: it is not repeated until it becomes worse."""
        alert = Alert.objects.filter(pk=alert_id).first()
        if alert is None:
            raise BadInput(f"There is no alert {alert_id}. `manage.py alerts list` shows what is open.")
        if not standing.acknowledge(alert, by=getpass.getuser(), now=timezone.now()):
            raise NothingDone(f"The alert {alert_id} is {alert.state} already.")
        self._show(_as_dict(alert), f"{alert}: acknowledged.", as_json)

    @command()
    def test(self, as_json: AsJson = False) -> None:
        """Send a message by every channel, and say what became of it."""
        tried = [(channel.name, _try(channel)) for channel in channels.configured()]
        if not tried:
            raise NothingDone(NO_CHANNEL)
        lines = [f"{name}: {error or 'delivered'}" for name, error in tried]
        self._show([{"channel": name, "error": error or None} for name, error in tried], "\n".join(lines), as_json)
        if any(error for _, error in tried):
            raise Exit(FAILED)

    def _show(self, data: Any, text: RenderableType, as_json: bool) -> None:
        if as_json:
            self.stdout.write(printing.dump(data))
        else:
            printing.console(self.stdout, no_color=self.no_color).print(text, soft_wrap=isinstance(text, str))


def _try(channel: Channel) -> str:
    """Why the channel failed; empty when it did not."""
    try:
        channel.send(_nothing_wrong(channel.name))
    except Undelivered as why:
        return str(why)
    return ""


def _nothing_wrong(channel: str) -> Sequence[Notice]:
    now, words = timezone.now(), "Somebody tries whether this channel works. Nothing is wrong."
    alert = Alert(pk=0, cause="test", severity=Severity.WARNING, summary=words, raised_at=now)
    return [Notice(pk=0, alert=alert, kind=Notice.Kind.RAISED, channel=channel, summary=words, created_at=now)]


def _as_row(alert: Alert) -> tuple[str, ...]:
    since = moments.show(alert.raised_at, settings.CRON.timezone)
    return str(alert.pk), alert.severity, alert.state, since, str(alert), alert.summary


def _as_dict(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.pk,
        "cause": alert.cause,
        "subject": alert.subject or None,
        "severity": alert.severity,
        "state": alert.state,
        "summary": alert.summary,
        "raisedAt": moments.as_json(alert.raised_at),
        "acknowledgedAt": moments.as_json(alert.acknowledged_at),
        "acknowledgedBy": alert.acknowledged_by or None,
    }
