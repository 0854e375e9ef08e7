"""The first thing that every process of this service does: read the settings, or say in one sentence what is wrong."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

BAD_CONFIGURATION = 2


def load_settings() -> None:
    """Read the settings now; a bad value ends the process with its own sentence and exit code 2."""
    module = os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if module in sys.modules:
        return  # other settings that build on ours are just being read
    try:
        str(settings.SECRET_KEY)
    except ImproperlyConfigured as refused:
        sys.stderr.write(f"{refused}\n")
        raise SystemExit(BAD_CONFIGURATION) from None
