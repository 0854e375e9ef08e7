"""`manage.py import_reservations FILE`: reservations from a table or a calendar."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from jobs.management.importing import calendar_files, command, csv_files
from jobs.management.importing.columns import Column, Kind, Problem, moment, one_of, whole_number
from reservations.models import Channel, Reservation

COLUMNS = (
    Column(name="reference", required=True),
    Column(name="guest_name", required=True),
    Column(name="phone", required=True, is_phone=True),
    Column(name="language", read=one_of(*Reservation.Language.values)),
    Column(name="starts_at", required=True, read=moment),
    Column(name="timezone"),
    Column(name="party_size", read=whole_number),
    Column(name="channel", read=one_of(*Channel.values)),
    Column(name="status", read=one_of(*Reservation.Status.values)),
)
CALENDAR_SUFFIXES = {".ics", ".ical", ".ifb", ".icalendar"}


class Format(StrEnum):
    """How the file is written."""

    CSV = "csv"
    CALENDAR = "calendar"


def rules(values: Mapping[str, Any]) -> Iterator[Problem]:
    """What a reservation must fulfil as a whole, before the database is asked."""
    if values["party_size"] < 1:
        yield Problem("party_size", "A reservation is for one person at least.")


# When and why a table was cancelled here says nothing of the status that a file brings.
STAMPS = {"cancelled_at": None, "cancelled_because": ""}
RESERVATIONS = Kind(model=Reservation, noun="reservations", columns=COLUMNS, rules=rules, stamps=STAMPS)


class Command(command.ImportCommand):
    """Imports reservations."""

    def handle(
        self,
        file: command.File,
        format: Annotated[Format | None, Option(help="By default a calendar for .ics, else CSV.")] = None,  # noqa: A002
        dry_run: command.DryRun = False,
        skip_refused: command.SkipRefused = False,
        report: command.Report = None,
        shown: command.Shown = command.SHOWN,
        as_json: command.AsJson = False,
    ) -> None:
        """Import reservations from a CSV file or a calendar (.ics); docs/importing.md describes both.

        A reservation is known by its reference: it is created, updated where it differs, or left as it is.

        Exit codes: 0 everything is imported; 1 lines were refused and nothing was imported;
        2 the file or what was typed cannot be understood; 3 imported without the refused lines (--skip-refused).
        """
        by_suffix = Format.CALENDAR if Path(file).suffix.lower() in CALENDAR_SUFFIXES else Format.CSV
        is_calendar = (format or by_suffix) is Format.CALENDAR
        self.load(
            RESERVATIONS,
            calendar_files.read if is_calendar else lambda lines: csv_files.read(lines, COLUMNS),
            file=file,
            dry_run=dry_run,
            skip_refused=skip_refused,
            report=report,
            shown=shown,
            as_json=as_json,
        )
