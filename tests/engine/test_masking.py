"""What must not stand in a log, and what may."""

import io
import json
import logging
import logging.config
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from config import log
from jobs.engine import masking


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("to +40712345678 twice", "to +40***78 twice"),
        ("+40712345678,+40712345679", "+40***78,+40***79"),
        ("redis://:pa55@host:6379/0", "redis://***@host:6379/0"),
        ("postgresql://cron:pa55@host/cron", "postgresql://***@host/cron"),
        ("Authorization: Bearer abcdefgh.ijkl", "Authorization: Bearer ***"),
        ("the token cron_abcdefghijklmnop", "the token cron_***"),
        ("2026-11-27T10:00:00.000+02:00", "2026-11-27T10:00:00.000+02:00"),
        ("01a21c4d-0b86-7356-a4e8-ee0a4c719df2", "01a21c4d-0b86-7356-a4e8-ee0a4c719df2"),
        ("1+12345678901", "1+12345678901"),
        ("cron-jobs", "cron-jobs"),
    ],
)
def test_texts(said: str, kept: str) -> None:
    assert masking.text(said) == kept


@pytest.mark.parametrize(
    "name", ["secret", "EMAIL_HOST_PASSWORD", "api_key", "apiKey", "token", "Authorization", "cookie"]
)
def test_fields_that_are_named_like_secrets(name: str) -> None:
    assert masking.field(name, {"deep": "value"}) == "***"


def test_fields_are_looked_through_however_deep() -> None:
    deep = {"to": ["+40712345678", {"password": "x", "count": 3}], "none": None}
    assert masking.field("about", deep) == {"to": ["+40***78", {"password": "***", "count": 3}], "none": None}


@given(st.integers(10_000_000, 99_999_999_999_999), st.text(alphabet=" ,;:()\n\"'", max_size=3))
def test_no_phone_number_gets_through(digits: int, around: str) -> None:
    number = f"+{digits}"[:16]
    assert number not in masking.text(f"{around}{number}{around}")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the configured handler writes, as one JSON object a line."""
    out = io.StringIO()
    configured = log.configuration("json")
    handler = logging.StreamHandler(out)
    formatter = configured["formatters"]["line"]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=formatter["processors"], foreign_pre_chain=formatter["foreign_pre_chain"]
        )
    )
    logger = logging.getLogger("tests.masking")
    logger.addHandler(handler)
    logger.propagate = False
    yield out
    logger.removeHandler(handler)
    logger.propagate = True


def test_no_line_tells_a_secret_whoever_logs_it(lines: io.StringIO) -> None:
    plain, structured = logging.getLogger("tests.masking"), structlog.stdlib.get_logger("tests.masking")
    plain.warning("to %s at %s", "+40712345678", "redis://:pa55@host")
    structured.warning("sent", to="+40712345678", access_token="pa55")
    try:
        raise ValueError("Bearer pa55pa55pa55 for +40712345678")
    except ValueError:
        plain.exception("it failed")
        structured.exception("it failed")
    written = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert len(written) == 4
    assert "ValueError" in written[2]["exception"]
    assert "pa55" not in lines.getvalue()
    assert "712345" not in lines.getvalue()
