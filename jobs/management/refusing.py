"""What the commands of this service have in common: how they leave when they cannot do what was asked."""

from typing import Any

from django.core.management.base import CommandError
from django_typer.management import TyperCommand

from jobs.management import refusals
from jobs.management.refusals import Refusal


class RefusingCommand(TyperCommand, rich_markup_mode="markdown"):
    """A command that leaves with one line and an exit code where an exception is one that we expect."""

    suppressed_base_arguments = {"verbosity", "settings", "pythonpath", "traceback", "skip_checks", "version"}

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Any:
        """Refuse, or let the exception pass."""
        refusal = self.refusal_of(error)
        if refusal is None:
            return super().__exit__(kind, error, trace)
        super().__exit__(None, None, None)
        if getattr(self, "_called_from_command_line", False):
            self.stderr.write(f"Error: {refusal.text}")
            raise SystemExit(refusal.code)
        raise CommandError(refusal.text, returncode=refusal.code) from error

    def refusal_of(self, error: BaseException | None) -> Refusal | None:
        """The line and the exit code that an exception stands for; None for those that we do not expect."""
        return refusals.refusal_of(error)
