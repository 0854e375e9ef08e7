"""How lines look at the terminal."""

import os
import sys
import threading

COLOURS = (36, 32, 33, 35, 34, 96, 92, 93)
_writing = threading.Lock()


def coloured() -> bool:
    """Whether standard output is a terminal whose owner has not asked for plain text."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def heading(text: str) -> str:
    """A line that separates steps."""
    return f"\n\x1b[1m== {text}\x1b[0m" if coloured() else f"\n== {text}"


class Lines:
    """Merges the output of many programs: each line gets its program's name, in a colour of its own."""

    def __init__(self, width: int = 9) -> None:
        self._width = width
        self._colours: dict[str, int] = {}

    def write(self, name: str, line: str) -> None:
        """Print one line, whole, whichever thread it comes from."""
        prefix = f"{name:<{self._width}} |"
        if coloured():
            colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        with _writing:
            print(prefix, line, flush=True)
