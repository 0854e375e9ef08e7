"""Exec wrapper: `tether.py SIGNAL PARENT COMMAND…` becomes COMMAND, which gets SIGNAL when process PARENT dies.

A program of its own, because preexec_fn is not safe in a process with threads.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
#: What shells answer when a command cannot be run.
NOT_FOUND = 127


def main(arguments: list[str]) -> None:
    """Replace this process by the command."""
    death_signal, parent, command = int(arguments[0]), int(arguments[1]), arguments[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        sys.exit(f"{command[0]}: the process that started it is already gone")
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(NOT_FOUND)


if __name__ == "__main__":
    main(sys.argv[1:])
