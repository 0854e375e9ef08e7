#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

BAD_CONFIGURATION = 2


def main() -> None:
    """Run the command named on the command line; a bad configuration ends in its own sentence and exit code 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from monitoring import log_entries

    log_entries.begin(" ".join(["manage.py", *sys.argv[1:2]]))
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as refused:
        sys.stderr.write(f"{refused}\n")
        sys.exit(BAD_CONFIGURATION)


if __name__ == "__main__":
    main()
