"""What can be wrong with this machine or with what was asked, in words for the person at the terminal."""


class LocalError(Exception):
    """The command cannot go on; the message says what is wrong and what to do about it."""
