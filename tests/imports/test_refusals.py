"""What happens to the good lines beside refused ones, and how the refused are told."""

import csv
import stat
from pathlib import Path

import pytest
from django.db import connection

from reservations.models import Reservation
from tests.imports.conftest import GOOD, HEADER, run_command

BAD = "R-2,Ion,+40712345678,noon"
OTHER = GOOD.replace("R-1", "R-3")


def rows_in(path):
    with open(path, newline="", encoding="utf-8") as report:
        return list(csv.reader(report))


def references():
    return sorted(Reservation.objects.values_list("reference", flat=True))


def test_one_refused_line_keeps_the_whole_file_out(reservations):
    answer = reservations(HEADER, GOOD, BAD, OTHER)

    assert answer.code == 1
    assert answer.data["written"] is False
    assert references() == []


def test_refused_lines_can_be_skipped(reservations):
    answer = reservations(HEADER, GOOD, BAD, OTHER, options=("--skip-refused",))

    assert answer.code == 3
    assert (answer.data["created"], answer.data["refusedLines"]) == (2, 1)
    assert references() == ["R-1", "R-3"]


def test_a_dry_run_keeps_nothing_and_says_so(db, write):
    answer = run_command("import_reservations", write(HEADER, GOOD), "--dry-run")

    assert answer.code == 0
    assert "A dry run: nothing was kept. Of 1 reservations it would be 1 created" in answer.text
    assert references() == []


@pytest.mark.parametrize(("options", "code"), [((), 1), (("--skip-refused",), 3)])
def test_a_dry_run_ends_with_the_code_that_the_import_would_end_with(reservations, options, code):
    assert reservations(HEADER, GOOD, BAD, options=("--dry-run", *options)).code == code
    assert references() == []


def test_a_reference_that_comes_again_is_refused_and_the_first_line_named(reservations):
    answer = reservations(HEADER, GOOD, OTHER, GOOD, GOOD, options=("--skip-refused",))

    said = "The same reference stands in line 2 already."
    assert answer.reasons == [(4, "reference", said), (5, "reference", said)]
    assert references() == ["R-1", "R-3"]


def test_a_reference_that_comes_again_far_below_is_found(reservations):
    lines = [GOOD.replace("R-1", f"R-{number}") for number in range(1, 2100)]
    answer = reservations(HEADER, *lines, GOOD)

    assert answer.reasons == [(2101, "reference", "The same reference stands in line 2 already.")]


def test_a_reference_also_counts_where_its_first_line_is_refused(reservations):
    answer = reservations(HEADER, BAD, OTHER.replace("R-3", "R-2"), options=("--skip-refused",))

    assert [line for line, *_ in answer.reasons] == [2, 3]
    assert references() == []


@pytest.mark.parametrize("options", [("--skip-refused",), ("--skip-refused", "--dry-run")])
def test_lines_that_only_the_database_refuses_are_found_among_the_others(reservations, options):
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE reservations_reservation ADD CONSTRAINT nobody_is_called_ion CHECK (guest_name <> 'Ion')"
        )
    lines = [GOOD.replace("R-1", f"R-{number}") for number in range(1, 41)]
    lines[6], lines[30] = (lines[at].replace("Ana Pop", "Ion") for at in (6, 30))
    answer = reservations(HEADER, *lines, options=options)

    said = "The database refuses it by its rule 'nobody is called ion'."
    assert answer.reasons == [(8, "", said), (32, "", said)]
    assert (answer.code, answer.data["created"]) == (3, 38)
    assert len(references()) == (0 if "--dry-run" in options else 38)


def test_a_trigger_that_raises_refuses_its_line_and_no_phone_number_is_told(reservations):
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is on holiday', NEW.phone; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON reservations_reservation "
            "FOR EACH ROW WHEN (NEW.reference = 'R-3') EXECUTE FUNCTION refuse()"
        )
    answer = reservations(HEADER, GOOD, OTHER, options=("--skip-refused",))

    assert answer.reasons == [(3, "", "The database refuses it: +40…78 is on holiday.")]
    assert references() == ["R-1"]


def test_only_the_first_few_are_shown_and_the_others_counted(db, write):
    path = write(HEADER, BAD, *(BAD.replace("R-2", f"R-{number}") for number in range(3, 6)))

    assert "and 2 more; --report FILE writes them all" in run_command("import_reservations", path, "--shown", "2").text
    assert "more" not in run_command("import_reservations", path, "--shown", "4").text


def test_people_read_a_table_and_why_nothing_was_imported(db, write):
    text = run_command("import_reservations", write(HEADER, GOOD, BAD)).text

    assert "line  column     value  reason" in text
    assert "3     starts_at  noon   It is not a time." in text
    assert "Nothing was imported, since of 2 reservations 1 are refused." in text


def test_the_report_holds_all_of_them_for_its_owner_alone(reservations, tmp_path):
    report = tmp_path / "report.csv"
    lines = [BAD.replace("R-2", f"R-{number}") for number in range(50)]
    answer = reservations(HEADER, *lines, options=("--report", str(report), "--shown", "1"))

    assert answer.data["more"] == 49
    assert len(rows_in(report)) == 51
    assert rows_in(report)[1][:3] == ["2", "starts_at", "noon"]
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_no_spreadsheet_takes_a_value_in_the_report_for_a_formula(reservations, tmp_path, start):
    report = tmp_path / "report.csv"
    reservations(
        HEADER, GOOD.replace("R-1", f"{start}cmd|' /C calc'!A0 and much more"), options=("--report", str(report))
    )

    assert rows_in(report)[1][2].startswith(f"'{start}cmd")


def test_phone_numbers_are_masked_in_every_answer(reservations, tmp_path):
    report = tmp_path / "report.csv"
    header = f"{HEADER},timezone"
    answer = reservations(
        header,
        "R-1,Ana Pop,+40712345,2026-12-24T19:30+02:00,",
        "R-2,Ana Pop,+40712345678,+40712345678,0712 345 678",
        "R-3,Ana,40712345678901234,2026-12-24T19:30+02:00,",
        f"R-4,call +40 712 345 678 {'x' * 200},+40712345678,2026-12-24T19:30+02:00,",
        options=("--report", str(report)),
    )

    assert answer.data["refusedLines"] == 4
    for text in (answer.text, report.read_text()):
        assert "345" not in text
        assert "+40…" in text


def test_the_report_never_overwrites_the_file(db, write):
    path = write(HEADER, GOOD)
    answer = run_command("import_reservations", path, "--report", path)

    assert answer.code == 2
    assert "would overwrite" in answer.refusal
    assert GOOD in Path(path).read_text()


def test_a_report_that_cannot_be_written_is_told_before_anything_is_read(reservations, tmp_path):
    answer = reservations(HEADER, GOOD, options=("--report", str(tmp_path / "none" / "report.csv")))

    assert (answer.code, references()) == (2, [])
    assert "cannot be written: No such file or directory" in answer.refusal
