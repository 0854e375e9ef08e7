"""`manage.py audit`: who did what, from a terminal."""

from typing import Annotated, Any

from django.conf import settings
from django_typer.management import command
from rich.console import RenderableType
from typer import Argument, Exit, Option

from access import audit
from access.models import Action, AuditEntry
from jobs.engine import editing
from jobs.fleet import tasks
from jobs.management import arguments, moments, printing
from jobs.management.refusals import FAILED
from jobs.management.refusing import RefusingCommand

COLUMNS = ("id", "when", "who", "from", "what", "about")

AsJson = Annotated[bool, Option("--json", help="Answer in JSON.")]
Id = Annotated[int, Argument(help="The entry's id, as in `audit list`.", metavar="ID", min=1, max=2**63 - 1)]
Expected = Annotated[
    str, Option("--expect", help="A seal from an earlier verify or from the log; it must still stand.")
]


class Command(RefusingCommand, rich_markup_mode="markdown"):
    """See who did what, check that nobody changed it, and take edits of schedules back.

    Exit codes: 0 done, or the audit is whole; 1 it is not; 2 what was typed cannot be understood or taken back.
    """

    @command()
    def verify(self, expect: Expected = "", as_json: AsJson = False) -> None:
        """Check every entry against the chain of seals; the seal at its end is to be noted elsewhere."""
        told = audit.verify(expected=expect.strip().lower())
        data = {"entries": told.entries, "head": told.head or None, "problem": told.problem or None}
        count = "1 entry" if told.entries == 1 else f"{told.entries} entries"
        whole = f"The audit is whole: {count}, the last with the seal {told.head or '-'}."
        self._show(data, told.problem or whole, as_json)
        if told.problem:
            raise Exit(FAILED)

    @command("list")
    def list_entries(
        self,
        count: Annotated[int, Option("-n", "--count", help="How many.", min=1, max=1000)] = 20,
        action: Annotated[Action | None, Option(help="Only this kind.")] = None,
        subject: Annotated[str, Option(help="Only about this, such as 'job backup-data'.")] = "",
        as_json: AsJson = False,
    ) -> None:
        """What was done last, the newest first."""
        rows = AuditEntry.objects.order_by("-pk")
        rows = rows.filter(action=action.value) if action else rows
        entries = list((rows.filter(subject=subject) if subject else rows)[:count])
        table = printing.table(COLUMNS, map(_as_row, entries))
        self._show([_as_dict(each) for each in entries], table if entries else "Nothing was done yet.", as_json)

    @command()
    def revert(self, entry_id: Id, as_json: AsJson = False) -> None:
        """Let a schedule say again what it said before an edit."""
        made = AuditEntry.objects.get(pk=editing.revert(entry_id, by=arguments.typist(), known=tasks.known()))
        tasks.read_edits()
        self._show(_as_dict(made), f"{made.subject} says again what it said before; that is entry {made.pk}.", as_json)

    def _show(self, data: Any, text: RenderableType, as_json: bool) -> None:
        if as_json:
            self.stdout.write(printing.dump(data))
        else:
            printing.console(self.stdout, no_color=self.no_color).print(text, soft_wrap=isinstance(text, str))


def _as_row(entry: AuditEntry) -> tuple[str, ...]:
    origin = f"{entry.via} {entry.address}".strip()
    when = moments.show(entry.at, settings.CRON.timezone)
    return str(entry.pk), when, entry.actor, origin, entry.get_action_display(), entry.subject


def _as_dict(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.pk,
        "at": moments.as_json(entry.at),
        "actor": entry.actor,
        "via": entry.via,
        "address": entry.address or None,
        "action": entry.action,
        "subject": entry.subject,
        "before": entry.before,
        "after": entry.after,
        "position": entry.position,
        "seal": entry.seal or None,
    }
