"""`manage.py backup`: backups from a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_typer.management import command
from pyrage import x25519
from rich.console import RenderableType
from typer import Argument, Exit, Option

from jobs.management import backups, live, printing
from jobs.management.refusals import FAILED, Refusal
from jobs.management.refusing import RefusingCommand
from maintenance.backup import archives, creating, keys, listing, restoring, verifying
from maintenance.backup.database import Database
from maintenance.backup.errors import EXPECTED, UnknownBackup
from maintenance.backup.means import Means

Id = Annotated[str, Argument(help="The backup's id, as in `backup list`.", metavar="ID")]
AsJson = Annotated[bool, Option("--json", help="Answer in JSON.")]
KEY = "A file with the private key that opens the backup, as age-keygen or `backup keygen` write it."
URL = "The database to restore into, without a password (PGPASSWORD or ~/.pgpass have it); default: the service's own."
Tell = Callable[[int, int | None, str], None]


class Command(RefusingCommand, rich_markup_mode="markdown"):
    """List, make, verify and restore backups.

    Exit codes: 0 done; 1 it failed, or the backup is not what it should be; 2 what was typed cannot be understood;
    3 there is no such backup; 4 the guard refuses to restore into that database.
    """

    def refusal_of(self, error: BaseException | None) -> Refusal | None:
        """Those of backups have exit codes of their own."""
        return backups.refusal_of(error)

    @command("list")
    def list_backups(self, as_json: AsJson = False) -> None:
        """Every backup, the newest first: also what the stores hold when the database is lost."""
        found = listing.everything(self._means().stores)
        rows = (backups.as_row(each, settings.CRON.timezone) for each in found)
        self._show([backups.as_dict(each) for each in found], printing.table(backups.COLUMNS, rows), as_json)

    @command()
    def create(self, as_json: AsJson = False) -> None:
        """Make a backup now and prove it, as backup-data does; nothing old is deleted."""
        means = self._means()
        with self._reported(None, as_json), self._progress(hidden=as_json) as tell:
            made = creating.create(means, clock=timezone.now, tell=tell)
        told = backups.listed(made, means.stores)
        proven = backups.proven_in_words(made.proven_at, settings.CRON.timezone)
        self._show(backups.as_dict(told), f"{made.id}: {made.size} bytes in {made.seconds} s, {proven}", as_json)

    @command()
    def verify(
        self,
        backup_id: Id,
        identity: Annotated[Path | None, Option(help=f"{KEY} With it, the whole restore is tried.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Check a backup's checksum in every store, and with a key restore it into a scratch database and compare."""
        means, opens = self._means(), backups.read_identities(identity) if identity else []
        with self._reported(backup_id, as_json), self._progress(hidden=as_json) as tell:
            seen = verifying.verify(means, backup_id, identities=opens, now=timezone.now(), tell=tell)
        told = backups.listed(seen, [each.store for each in archives.find(means.stores, backup_id)])
        proven = backups.proven_in_words(seen.proven_at, settings.CRON.timezone)
        how = "restored and compared: all is there" if opens else "the checksum is right"
        self._show(backups.as_dict(told), f"{backup_id}: {how} ({proven})", as_json)

    @command()
    def restore(
        self,
        backup_id: Id,
        identity: Annotated[Path, Option(help=KEY)],
        database_url: Annotated[str | None, Option(help=URL)] = None,
        replace: Annotated[
            str | None, Option(help="The name of a database that is not empty and to be replaced.")
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """Restore a backup into an empty database, or in place of one that nobody uses any more."""
        means, opens = self._means(), backups.read_identities(identity)
        target = Database.at(database_url) if database_url else means.database
        connection.close()  # the guard would take it for somebody's
        kept = next(archives.find(means.stores, backup_id))
        with self._progress(hidden=as_json) as tell:
            aside = restoring.restore(
                kept,
                database=target,
                identities=opens,
                pg_bin=means.pg_bin,
                replace=replace,
                live=live.at_work,
                now=timezone.now(),
                tell=tell,
            )
        found = backups.fit(kept.manifest.migrations)
        told = backups.as_dict(backups.listed(kept.manifest, [kept.store]))
        was = f" What was there before is now the database {aside}." if aside else ""
        text = f"{backup_id} is restored into {target.name}, and compared.{was} {backups.fit_in_words(found)}"
        self._show({**told, "database": target.name, "keptAs": aside, "migrations": found}, text, as_json)

    @command()
    def keygen(self) -> None:
        """Make a key pair: the private key goes to standard output, to be kept away from the server."""
        made = x25519.Identity.generate()
        self.stdout.write(keys.key_file(made, now=timezone.now()))
        self.stderr.write(f"Public key, for BACKUP_RECIPIENTS: {made.to_public()}")

    @staticmethod
    def _means() -> Means:
        return Means.of(settings.BACKUPS, connection.settings_dict)

    def _show(self, data: Any, text: RenderableType, as_json: bool) -> None:
        if as_json:
            self.stdout.write(printing.dump(data))
        else:
            printing.console(self.stdout, no_color=self.no_color).print(text, soft_wrap=isinstance(text, str))

    @contextmanager
    def _reported(self, backup_id: str | None, as_json: bool) -> Iterator[None]:
        """Let programs read what went wrong where they read what went well."""
        try:
            yield
        except UnknownBackup:
            raise
        except EXPECTED as failed:
            if not as_json:
                raise
            self.stdout.write(printing.dump(backups.nothing(backup_id, str(failed))))
            raise Exit(FAILED) from failed

    @contextmanager
    def _progress(self, *, hidden: bool) -> Iterator[Tell]:
        """A bar, at a terminal only."""
        with printing.progress(self.stderr, no_color=self.no_color, hidden=hidden) as progress:
            bar = progress.add_task("beginning")
            yield lambda done, total, note: progress.update(bar, description=note, completed=done, total=total)
