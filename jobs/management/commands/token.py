"""`manage.py token`: access tokens from a terminal."""

from datetime import datetime
from typing import Annotated, Any

from django.conf import settings
from django.utils import timezone
from django_typer.management import command
from rich.console import RenderableType
from typer import Argument, Option

from access import tokens
from access.models import Scope, Token
from jobs.engine import registry
from jobs.management import arguments, moments, printing
from jobs.management.refusals import BadInput, NothingDone
from jobs.management.refusing import RefusingCommand

COLUMNS = ("name", "begins with", "scopes", "groups", "expires", "last used", "revoked")

AsJson = Annotated[bool, Option("--json", help="Answer in JSON.")]
Name = Annotated[str, Argument(help="Who or what uses it: runs it asks for name it.")]
Scopes = Annotated[list[Scope], Option("--scope", help="What it may do; may be given several times.")]
Groups = Annotated[
    list[str] | None, Option("--group", help="A group of jobs it may touch; may be given several times; default: all.")
]
Expires = Annotated[str | None, Option(help="When it expires, in local time or with a zone; default: never.")]


class Command(RefusingCommand, rich_markup_mode="markdown"):
    """Make, list and revoke access tokens.

    Exit codes: 0 done; 1 there was nothing to revoke; 2 what was typed cannot be understood.
    """

    @command()
    def create(
        self, name: Name, scope: Scopes, group: Groups = None, expires: Expires = None, as_json: AsJson = False
    ) -> None:
        """Make a token. Its secret is the only thing written to standard output, and is shown this once."""
        if Token.objects.filter(name=name).exists():
            raise BadInput(f"There is a token {name!r} already. Choose another name, or revoke that one.")
        unknown = sorted(set(group or []) - set(registry.groups()))
        if unknown:
            raise BadInput(f"--group {unknown[0]!r} is no group of jobs. Known are {', '.join(registry.groups())}.")
        until = self._moment(expires)
        scopes = [str(each) for each in scope]
        token, secret = tokens.issue(
            name=name, scopes=scopes, groups=group or [], expires_at=until, by=arguments.typist()
        )
        self._show({**_as_dict(token), "secret": secret}, secret, as_json)

    @command("list")
    def list_tokens(self, as_json: AsJson = False) -> None:
        """Every token; of its secret only how it begins."""
        found = list(Token.objects.order_by("name"))
        self._show([_as_dict(each) for each in found], printing.table(COLUMNS, map(_as_row, found)), as_json)

    @command()
    def revoke(self, name: Name, as_json: AsJson = False) -> None:
        """Revoke a token: it opens nothing from now on."""
        token = Token.objects.filter(name=name).first()
        if token is None:
            raise BadInput(f"There is no token {name!r}. `manage.py token list` shows all.")
        if not tokens.revoke(token, by=arguments.typist(), now=timezone.now()):
            raise NothingDone(f"The token {name!r} is revoked already.")
        self._show(_as_dict(token), f"{name} is revoked.", as_json)

    @staticmethod
    def _moment(text: str | None) -> datetime | None:
        until = moments.read_one(text, settings.CRON.timezone) if text else None
        if until and until <= timezone.now():
            raise BadInput(f"--expires {text!r} is in the past.")
        return until

    def _show(self, data: Any, text: RenderableType, as_json: bool) -> None:
        if as_json:
            self.stdout.write(printing.dump(data))
        else:
            printing.console(self.stdout, no_color=self.no_color).print(text, soft_wrap=isinstance(text, str))


def _as_row(token: Token) -> tuple[str, ...]:
    zone = settings.CRON.timezone
    shown = [
        moments.show(each, zone) if each else "-" for each in (token.expires_at, token.last_used_at, token.revoked_at)
    ]
    return token.name, token.start or "-", " ".join(token.scopes), " ".join(token.groups) or "all", *shown


def _as_dict(token: Token) -> dict[str, Any]:
    return {
        "name": token.name,
        "start": token.start or None,
        "scopes": token.scopes,
        "groups": token.groups,
        "expiresAt": moments.as_json(token.expires_at),
        "lastUsedAt": moments.as_json(token.last_used_at),
        "revokedAt": moments.as_json(token.revoked_at),
        "createdAt": moments.as_json(token.created_at),
    }
