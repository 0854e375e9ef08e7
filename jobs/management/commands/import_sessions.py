"""`manage.py import_sessions FILE`: sessions from a table."""

from collections.abc import Iterator, Mapping
from typing import Any

from jobs.management.importing import command, csv_files
from jobs.management.importing.columns import Column, Kind, Problem, Values, moment, one_of
from sessions_app.models import Session

COLUMNS = (
    Column(name="reference", required=True),
    Column(name="phone", field="customer_phone", required=True, is_phone=True),
    Column(name="name", field="customer_name"),
    Column(name="channel", required=True, read=one_of(*Session.Channel.values)),
    Column(name="status", read=one_of(*Session.Status.values)),
    Column(name="started_at", required=True, read=moment),
    Column(name="last_activity_at", read=moment),
    Column(name="resolved_at", read=moment),
    Column(name="closed_at", read=moment),
)
NEEDED_TIME = {
    Session.Status.RESOLVED: "resolved_at",
    Session.Status.CLOSED: "closed_at",
    Session.Status.ABANDONED: "closed_at",
}
# What the file says about a session's standing replaces what was noted about the one before.
STAMPS = {
    "reason": "as the imported file says",
    "moved_by": "import",
    "error_cause": "",
    "error": "",
    "tries": 0,
    "next_try_at": None,
}


def fill(values: Values) -> None:
    """The last activity, unless given, is the latest of the other times."""
    if values["last_activity_at"] is None:
        times = (values["started_at"], values["resolved_at"], values["closed_at"])
        values["last_activity_at"] = max(each for each in times if each is not None)


def rules(values: Mapping[str, Any]) -> Iterator[Problem]:
    """What a session must fulfil as a whole, before the database is asked."""
    if values["status"] == Session.Status.ERROR:
        yield Problem("status", "A session in error needs a cause and a next try, which a file cannot give.")
    needed = NEEDED_TIME.get(values["status"])
    if needed and values[needed] is None:
        yield Problem(needed, f"It is empty, but a session that is {values['status']} needs this time.")
    for name in ("last_activity_at", "resolved_at", "closed_at"):
        if values[name] is not None and values[name] < values["started_at"]:
            yield Problem(name, "It lies before started_at.")


SESSIONS = Kind(
    model=Session,
    noun="sessions",
    columns=COLUMNS,
    rules=rules,
    fill=fill,
    stamps=STAMPS,
    conflict="(reference) WHERE reference <> ''",
)


class Command(command.ImportCommand):
    """Imports sessions."""

    def handle(
        self,
        file: command.File,
        dry_run: command.DryRun = False,
        skip_refused: command.SkipRefused = False,
        report: command.Report = None,
        shown: command.Shown = command.SHOWN,
        as_json: command.AsJson = False,
    ) -> None:
        """Import sessions from a CSV file; docs/importing.md describes it.

        A session is known by its reference: it is created, updated where it differs, or left as it is.

        Exit codes: 0 everything is imported; 1 lines were refused and nothing was imported;
        2 the file or what was typed cannot be understood; 3 imported without the refused lines (--skip-refused).
        """
        self.load(
            SESSIONS,
            lambda lines: csv_files.read(lines, COLUMNS),
            file=file,
            dry_run=dry_run,
            skip_refused=skip_refused,
            report=report,
            shown=shown,
            as_json=as_json,
        )
