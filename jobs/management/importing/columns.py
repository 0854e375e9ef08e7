"""What may stand in a column: how its text is read, and whether the model's field takes the value."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, LiteralString, NamedTuple

from django.core.exceptions import ValidationError
from django.db.models import Field, Model

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
KEPT_CELLS = 2048


class Problem(NamedTuple):
    """What is wrong with a record: in which column (empty: the whole record), and why."""

    column: str
    reason: str


class Cell(NamedTuple):
    """A cell's value as the database gets it, or why it has none."""

    value: Any
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the file; `read` turns its text into a value, or raises ValueError with a sentence."""

    name: str
    field: str = ""
    read: Callable[[str], Any] = str
    required: bool = False
    is_phone: bool = False

    @property
    def attribute(self) -> str:
        """The name of the model's field."""
        return self.field or self.name


Values = dict[str, Any]
Rule = Callable[[Mapping[str, Any]], Iterable[Problem]]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What is imported: into which model, from which columns, under which rules; values and rules go by column.

    `fill` completes the values; `stamps` are fields that a new row gets, and a row whose status the file changes.
    """

    model: type[Model]
    noun: str
    columns: tuple[Column, ...]
    rules: Rule
    fill: Callable[[Values], None] = lambda _: None
    stamps: Mapping[str, Any] = field(default_factory=dict)
    conflict: LiteralString = "(reference)"

    def model_field(self, column: Column) -> Field:
        """The model's field of a column."""
        found = self.model._meta.get_field(column.attribute)
        assert isinstance(found, Field)
        return found


def cleaner(column: Column, field: Field) -> Callable[[str], Cell]:
    """Reads the cells of one column; those that come again and again are read once."""
    has_none = column.required or field.null or field.has_db_default()
    default = None if has_none else field.get_default()

    @lru_cache(maxsize=KEPT_CELLS)
    def clean(text: str) -> Cell:
        if control := CONTROL.search(text):
            return Cell(None, f"It holds the control character U+{ord(control[0]):04X}.")
        text = " ".join(text.split())
        if not text:
            return Cell(None, "It is empty.") if column.required else Cell(default)
        try:
            return Cell(field.get_prep_value(field.clean(column.read(text), None)))
        except ValidationError as refused:
            return Cell(None, " ".join(refused.messages))
        except ValueError as refused:
            return Cell(None, str(refused))

    return clean


def whole_number(text: str) -> int:
    """A number without sign, point or exponent."""
    if not WHOLE_NUMBER.fullmatch(text):
        raise ValueError("It is not a whole number.")
    return int(text)


def moment(text: str) -> datetime:
    """A time with its offset, in UTC."""
    try:
        read = datetime.fromisoformat(text)
        if read.utcoffset() is not None:
            return read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("It is not a time. Write it like 2026-12-24T19:30+02:00.") from None
    raise ValueError("It has no offset, so it could be any of several times. Write it like 2026-12-24T19:30+02:00.")


def one_of(*choices: str) -> Callable[[str], str]:
    """One of a few words, in capitals or not."""

    def read(text: str) -> str:
        word = text.lower()
        if word in choices:
            return word
        close = get_close_matches(word, choices, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"It is none of {', '.join(choices)}.{hint}")

    return read
