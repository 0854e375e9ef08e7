"""Whatever valid table is written in whatever way, the database holds the same afterwards."""

import csv
import io
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.management.commands.import_reservations import COLUMNS, RESERVATIONS
from jobs.management.importing import csv_files
from jobs.management.importing.loading import load
from jobs.management.importing.records import Lines
from jobs.management.importing.refused import RefusedLines
from reservations.models import Reservation

ZONES = ["Europe/Bucharest", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"]


def one_line(*, longest):
    """Texts of visible characters with single spaces inside, quotation marks, separators and formulas among them."""
    visible = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs"))
    words = st.text(st.one_of(visible, st.sampled_from("\";,='")), min_size=1, max_size=8)
    texts = st.lists(words, min_size=1, max_size=6).map(" ".join)
    return texts.filter(lambda text: len(text) <= longest and text == " ".join(text.split()))


ROWS = st.fixed_dictionaries(
    {
        "reference": one_line(longest=20),
        "guest_name": one_line(longest=200),
        "phone": st.integers(20_000_000, 69_999_999).map(lambda number: f"+407{number}"),
        "language": st.sampled_from(Reservation.Language.values),
        "starts_at": st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        "timezone": st.sampled_from(ZONES),
        "party_size": st.integers(1, 32767),
        "channel": st.sampled_from(["whatsapp", "sms"]),
        "status": st.sampled_from(Reservation.Status.values),
    }
)
TABLES = st.lists(ROWS, max_size=8, unique_by=lambda row: row["reference"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=TABLES,
    columns=st.permutations([column.name for column in COLUMNS]),
    separator=st.sampled_from(",;"),
    mark=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_a_valid_table_comes_out_as_it_went_in(db, rows, columns, separator, mark, line_end, quoting):
    Reservation.objects.all().delete()
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter=separator, lineterminator=line_end, quoting=quoting)
    writer.writeheader()
    writer.writerows({**row, "starts_at": row["starts_at"].isoformat()} for row in rows)
    file = text.getvalue().encode("utf-8-sig" if mark else "utf-8")

    first, second = imported(file), imported(file)

    assert (first.created, second.unchanged) == (len(rows), len(rows))
    found = Reservation.objects.order_by("pk").values(*columns)
    assert [{**row, "phone": str(row["phone"])} for row in found] == [
        {name: row[name] for name in columns} for row in rows
    ]


def imported(file):
    refused = RefusedLines(shown=10)
    table = csv_files.read(Lines(io.BytesIO(file)), COLUMNS)
    outcome = load(table, RESERVATIONS, refused, skip_refused=False, dry_run=False)
    assert refused.first == []
    return outcome
