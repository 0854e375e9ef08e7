"""Where a session can stand, and which moves from one state to another there are; the database holds to the same."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.constraints import BaseConstraint

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class Status(models.TextChoices):
    """Open: in conversation. Waiting: for a person, or for a booking to be finished."""

    OPEN = "open", "open"
    WAITING = "waiting", "waiting"
    ERROR = "error", "error"
    RESOLVED = "resolved", "resolved"
    CLOSED = "closed", "closed"
    ABANDONED = "abandoned", "abandoned"


CURRENT = (Status.OPEN, Status.WAITING, Status.ERROR)
ENDED = (Status.RESOLVED, Status.CLOSED, Status.ABANDONED)

# The one table of allowed moves. After a change `makemigrations` writes the migration that changes the trigger.
MOVES: dict[str, tuple[str, ...]] = {
    Status.OPEN: (Status.WAITING, Status.ERROR, Status.RESOLVED, Status.CLOSED),
    Status.WAITING: (Status.OPEN, Status.ERROR, Status.RESOLVED, Status.CLOSED, Status.ABANDONED),
    Status.ERROR: (Status.OPEN, Status.WAITING, Status.RESOLVED, Status.CLOSED),
    Status.RESOLVED: (Status.OPEN,),
    Status.CLOSED: (Status.OPEN,),
    Status.ABANDONED: (Status.OPEN,),
}


def pairs() -> list[str]:
    """The allowed moves as the database holds them, `from>to`."""
    return [f"{old.lower()}>{new.lower()}" for old, targets in MOVES.items() for new in targets]


def leading_to(new: str) -> list[str]:
    """The states from which a session can come into that state."""
    return [old for old, targets in MOVES.items() if new in targets]


class AllowedMoves(BaseConstraint):
    """A trigger that refuses every change of a column but the given ones, each as `from>to`.

    As a constraint of the model the pairs are copied into the migration that creates the trigger, so that a change of
    the table without a migration does not go unnoticed, and no migration changes afterwards.
    """

    def __init__(self, *, field: str, moves: list[str], name: str) -> None:
        super().__init__(name=name)
        self.field, self.moves = field, moves

    def create_sql(self, model: Any, schema_editor: "BaseDatabaseSchemaEditor | None") -> str:
        """The trigger and its function; the error names both states."""
        assert schema_editor is not None
        quote = schema_editor.quote_name
        column = quote(model._meta.get_field(self.field).column)
        moves = ", ".join(schema_editor.quote_value(move) for move in self.moves)
        return f"""
            CREATE FUNCTION {quote(self.name)}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF OLD.{column} || '>' || NEW.{column} NOT IN ({moves}) THEN
                    RAISE EXCEPTION 'a {model._meta.verbose_name} cannot go from % to %', OLD.{column}, NEW.{column}
                        USING ERRCODE = 'check_violation', CONSTRAINT = {schema_editor.quote_value(self.name)};
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER {quote(self.name)} BEFORE UPDATE ON {quote(model._meta.db_table)} FOR EACH ROW
                WHEN (OLD.{column} IS DISTINCT FROM NEW.{column}) EXECUTE FUNCTION {quote(self.name)}()
        """

    def constraint_sql(self, model: Any, schema_editor: "BaseDatabaseSchemaEditor | None") -> str:
        """Nothing inside CREATE TABLE; the trigger follows when the table is there."""
        assert schema_editor is not None
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))
        return ""

    def remove_sql(self, model: Any, schema_editor: "BaseDatabaseSchemaEditor | None") -> str:  # noqa: ARG002
        """Away with the function, and the trigger with it."""
        assert schema_editor is not None
        return f"DROP FUNCTION {schema_editor.quote_name(self.name)}() CASCADE"

    def validate(self, *_: Any, **__: Any) -> None:
        """Only the database knows the state before."""

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """As migrations write it."""
        path, args, named = super().deconstruct()
        return path, args, {**named, "field": self.field, "moves": self.moves}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AllowedMoves):
            return NotImplemented
        return (self.name, self.field, self.moves) == (other.name, other.field, other.moves)

    def __hash__(self) -> int:
        return hash((self.name, self.field, tuple(self.moves)))
