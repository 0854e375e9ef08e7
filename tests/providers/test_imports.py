"""What every process carries with it."""

import subprocess
import sys

LOOK = """
import django, sys
django.setup()
from jobs.engine import registry
registry.load()
print([name for name in ("requests", "urllib3") if name in sys.modules])
"""


def test_who_knows_the_jobs_but_calls_nobody_loads_no_http_library():
    """A scheduler knows all jobs; the library would take four megabytes of it."""
    told = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"
