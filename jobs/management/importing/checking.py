"""Whether a record may be imported: cell by cell, then as a whole, by the model's rules and the file's."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from jobs.management.importing.columns import Kind, Problem, Values, cleaner
from jobs.management.importing.records import Record


class Checker:
    """Turns records of one kind into values; uniqueness and the table's constraints are left to the database."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._cleaners = {column.name: cleaner(column, kind.model_field(column)) for column in kind.columns}
        self._fields = {column.name: column.attribute for column in kind.columns}

    def check(self, record: Record) -> tuple[Values, list[Problem]]:
        """The values by column, complete only where there is no problem."""
        if record.problem:
            return {}, [Problem("", record.problem)]
        values: Values = {}
        problems: list[Problem] = []
        for name, clean in self._cleaners.items():
            value, reason = clean(record.cells.get(name, ""))
            values[name] = value
            if reason:
                problems.append(Problem(name, reason))
        if not problems:
            self._kind.fill(values)
            problems = [*self._kind.rules(values), *self._by_model(values)]
        return values, problems

    def _by_model(self, values: dict[str, Any]) -> Iterator[Problem]:
        instance = self._kind.model(**{self._fields[name]: value for name, value in values.items()})
        try:
            instance.clean()
        except ValidationError as refused:
            columns = {field: name for name, field in self._fields.items()}
            reasons = refused.message_dict if hasattr(refused, "error_dict") else {NON_FIELD_ERRORS: refused.messages}
            yield from (Problem(columns.get(field, ""), " ".join(said)) for field, said in reasons.items())
