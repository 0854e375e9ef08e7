"""`manage.py rotate_secrets`: encrypt everything stored with the newest of CREDENTIAL_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from external_apis.rotation import rotate


class Command(BaseCommand):
    """Put the newest key first in CREDENTIAL_KEYS and restart; run this; then the older keys can be removed."""

    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Rotate, and say what became of the rows; fails when older keys, or lost ones, are still needed."""
        left = False
        for each in rotate():
            self.stdout.write(
                f"{each.name}: {each.renewed} renewed, {each.current} had the newest key already, "
                f"{each.changed} changed meanwhile, {len(each.closed)} that no key opens."
            )
            for pk in each.closed:
                self.stdout.write(f"  No key opens {each.name} of row {pk}.")
            left = left or bool(each.closed or each.changed)
        if left:
            raise CommandError(
                "Not everything is encrypted with the newest key. Run it again for what changed meanwhile; for what no "
                "key opens, add the missing key to CREDENTIAL_KEYS or enter the secret anew."
            )
        self.stdout.write("Everything is encrypted with the newest key: the older ones can be removed.")
