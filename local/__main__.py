"""`python -m local up`, `… test …` and `… provider …`; bin/up and bin/test prepare .venv and come here."""

import signal
import sys
from pathlib import Path

from local import provider_command, test, up
from local.errors import LocalError

ROOT = Path(__file__).resolve().parent.parent
USAGE = """usage: bin/up | bin/test [--job SLUG] [--faults] [pytest arguments]
       python -m local provider [--port N] [--log FILE] [--latency SECONDS] [--statuses URL]"""


def main(arguments: list[str]) -> int:
    """Run the command named by the first argument and answer its exit code."""
    try:
        match arguments:
            case ["up"]:
                return up.main(root=ROOT)
            case ["test", *rest]:
                return test.main(rest, root=ROOT)
            case ["provider", *rest]:
                return provider_command.main(rest)
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(USAGE, file=sys.stderr)
    return 2


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an ordinary end, in which servers are stopped
    sys.exit(main(sys.argv[1:]))
