"""How a CSV file may be written, and which files are refused as a whole."""

import pytest

from jobs.management.importing.records import RECORD_LIMIT
from reservations.models import Reservation
from tests.imports.conftest import GOOD, HEADER, run_command


@pytest.mark.parametrize(
    "content",
    [
        [HEADER, GOOD],
        [b"\xef\xbb\xbf", HEADER, GOOD],
        [HEADER.replace(",", ";"), GOOD.replace(",", ";")],
        [f"{HEADER}\r", f"{GOOD}\r"],
        ["", "", HEADER, "", GOOD, ",,,", ""],
        ["starts_at,phone,guest_name,reference", "2026-12-24T19:30+02:00,+40712345678,Ana Pop,R-1"],
        [' Reference ,GUEST_NAME,"phone",starts_at', GOOD],
        [f"{HEADER}\n{GOOD}".encode()],
    ],
    ids=["plain", "mark", "semicolons", "crlf", "empty lines", "other order", "header in capitals", "no last newline"],
)
def test_a_table_may_be_written_in_several_ways(reservations, content):
    assert reservations(*content).code == 0
    assert Reservation.objects.get().guest_name == "Ana Pop"


def test_a_semicolon_in_a_quoted_cell_does_not_change_the_separator(reservations):
    answer = reservations(HEADER, 'R-1,"Pop; Ana; and; four; more",+40712345678,2026-12-24T19:30+02:00')

    assert answer.code == 0
    assert Reservation.objects.get().guest_name == "Pop; Ana; and; four; more"


def test_a_quoted_line_break_becomes_a_space_and_line_numbers_stay_those_of_the_file(reservations):
    broken = 'R-1,"Ana\nPop",+40712345678,2026-12-24T19:30+02:00'
    answer = reservations(HEADER, broken, "", "R-2,Ion,nothing,2026-12-24T19:30+02:00", options=("--skip-refused",))

    assert Reservation.objects.get().guest_name == "Ana Pop"
    assert [line for line, *_ in answer.reasons] == [5]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([b""], "The file is empty"),
        ([b"\xef\xbb\xbf"], "The file is empty"),
        (["", " ", ""], "The file is empty"),
        ([GOOD], "The first line is no header"),
        ([f"{HEADER},party_sise", f"{GOOD},4"], "The column 'party_sise' is not known. Did you mean 'party_size'?"),
        ([f"{HEADER},phone", f"{GOOD},4"], "The column 'phone' is there twice"),
        ([f"{HEADER},", f"{GOOD},4"], "Column 5 has no name"),
        (["reference,guest_name,timezone"], "The header lacks phone, starts_at"),
        ([HEADER, GOOD, "R-2,Ren\xe9,1,2".encode("latin-1")], "Line 3, byte 8 is not UTF-8 (0xE9)"),
        ([f"{HEADER}\n".encode("utf-16")], "This file is UTF-16"),
        ([b"PK\x03\x04whatever"], "This is a spreadsheet"),
        ([b"\x7fELF\0\0\0"], "This is a binary file"),
        (["BEGIN:VCALENDAR", "END:VCALENDAR"], "Give it as --format calendar"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_as_a_whole(reservations, content, said):
    answer = reservations(*content)

    assert answer.code == 2
    assert said in answer.refusal
    assert not Reservation.objects.exists()


@pytest.mark.parametrize(("size", "code"), [(RECORD_LIMIT, 1), (RECORD_LIMIT + 1, 2)])
def test_a_record_has_at_most_one_mebibyte(reservations, size, code):
    start, end = "R-2,", ",+40712345678,2026-12-24T19:30+02:00\n"
    answer = reservations(HEADER, GOOD, f"{start}{'x' * (size - len(start) - len(end))}{end}".encode())

    assert answer.code == code
    assert ("The record that begins in line 3 is longer than 1 MiB" in answer.refusal) is (code == 2)


def test_a_quotation_mark_without_a_partner_is_told_by_the_line_it_stands_in(reservations):
    answer = reservations(HEADER, GOOD, 'R-2,"Ion,+40712345678,2026-12-24T19:30+02:00', GOOD)

    assert answer.code == 1
    [(line, column, reason)] = answer.reasons
    assert (line, column) == (3, "")
    assert "quotation marks" in reason


@pytest.mark.parametrize("row", ["R-1,Ana Pop", f"{GOOD},more"])
def test_a_line_with_more_or_fewer_cells_than_the_header_is_refused(reservations, row):
    [(line, _, reason)] = reservations(HEADER, row).reasons

    assert line == 2
    assert reason.endswith("cells, but the header has 4.")


def test_what_cannot_be_opened_is_named(db, tmp_path):
    for path, said in (
        (tmp_path, "is a folder"),
        (tmp_path / "none.csv", "cannot be read: No such file"),
        ("nul\0.csv", "is not the name of a file"),
    ):
        answer = run_command("import_reservations", str(path))
        assert answer.code == 2
        assert said in answer.refusal
