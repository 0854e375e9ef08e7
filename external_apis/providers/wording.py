"""Providers' own words, made fit to be logged; and texts, made fit for a template."""

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

LONGEST = 300
HIDDEN = "[…]"
# Seven digits or more, however they are set apart, are taken for a phone number.
NUMBER = re.compile(r"\+?\d(?:[\W_]{0,3}\d){6,}")
# Tokens, keys and signatures: long runs without a space that hold a digit.
OPAQUE = re.compile(r"(?=[\w|.%=-]*\d)[\w|.%=-]{20,}")
BLANK = re.compile(r"[\s\x00-\x1f\x7f]+")


def harmless(text: str, *, secrets: Iterable[str] = ()) -> str:
    """The text on one line, shortened, without the secrets and without what looks like a phone number or a token."""
    for secret in filter(None, secrets):
        for form in {secret, quote(secret), quote_plus(secret)}:
            text = text.replace(form, HIDDEN)
    text = NUMBER.sub(HIDDEN, OPAQUE.sub(HIDDEN, text))
    return BLANK.sub(" ", text).strip()[:LONGEST]


def on_one_line(text: str) -> str:
    """The text as a template's parameter: no line break, no tab, no run of spaces."""
    return BLANK.sub(" ", text).strip()
