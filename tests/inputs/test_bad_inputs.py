"""Bodies that are none, for every operation that changes something: refused with a problem, and nothing is done."""

import json

import pytest

from tests.inputs.conftest import Everything, refused
from tests.inputs.described import operations

LARGEST = 64 * 1024
CHANGING = [each for each in operations() if each.changes]

MALFORMED = {
    "cut off": b'{"a": ',
    "of single quotes": b"{'a': 1}",
    "with a comma too many": b'{"a": 1,}',
    "of two values": b"{} {}",
    "with a byte order mark": b"\xef\xbb\xbf{}",
    "in UTF-16": '{"a": 1}'.encode("utf-16"),
    "in Latin-1": '{"a": "é"}'.encode("latin-1"),
    "with a raw surrogate": b'{"a": "\xed\xa0\x80"}',
    "with an overlong NUL": b'{"a": "\xc0\x80"}',
    "with an escaped surrogate": b'{"a": "\\ud83d"}',
    "with surrogates in the wrong order": b'{"a": "\\udc00\\ud800"}',
    "with an escaped NUL": b'{"a": "\\u0000"}',
    "with NUL in a key": b'{"a\\u0000": 1}',
    "with a raw NUL": b'{"a": "\x00"}',
    "with a raw line break": b'{"a": "\n"}',
    "with a key twice": b'{"a": 1, "a": 1}',
    "with a key twice, spelled differently": b'{"a": 1, "\\u0061": 2}',
    "with a key twice, deep inside": b'{"a": [{"b": {"c": 1, "c": 2}}]}',
    "with NaN": b'{"a": NaN}',
    "with Infinity": b'{"a": Infinity}',
    "with -Infinity": b'{"a": [-Infinity]}',
    "with 1e400": b'{"a": 1e400}',
    "with -1e400": b'{"a": -1e400}',
    "with a number of five thousand digits": b'{"a": ' + b"9" * 5000 + b"}",
    "with a hexadecimal number": b'{"a": 0x10}',
    "of arrays without end": b"[" * 60_000,
    "of objects without end": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
}
OTHERWISE = {
    "a text": b'"text"',
    "a number": b"7",
    "true": b"true",
    "an array": b"[{}]",
    "an array in an array": b"[[]]",
    "something unknown": b'{"nobodyKnowsThis": 1}',
    "something unknown that is huge": b'{"nobodyKnowsThis": 1' + b"0" * 1000 + b"}",
}


KINDS = ("text/plain", "application/xml", "application/json-patch+json", "json", "", "\0", ";")
PARTS = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
FORMS = {"application/x-www-form-urlencoded": b"dryRun=true", "multipart/form-data; boundary=x": PARTS}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_body_is_refused(everything: Everything, what: str) -> None:
    for operation in CHANGING:
        answer = everything.call(operation, MALFORMED[what])
        assert (operation.name, *refused(answer)) == (operation.name, 400, "bad-request")
        assert len(answer.json()["detail"]) < 300
    assert everything.is_as_before()


@pytest.mark.parametrize("what", OTHERWISE)
def test_json_that_says_something_else_is_refused_by_name(everything: Everything, what: str) -> None:
    for operation in CHANGING:
        answer = everything.call(operation, OTHERWISE[what])
        assert (operation.name, *refused(answer)) == (operation.name, 400, "invalid-input")
        assert {each["field"] for each in answer.json()["errors"]} & {"body", "nobodyKnowsThis"}
    assert everything.is_as_before()


@pytest.mark.parametrize("body", [{"x" * 60_000: 1}, {f"unknown{number}": 1 for number in range(3000)}])
def test_a_refusal_stays_short_whatever_it_is_about(everything: Everything, body: dict[str, int]) -> None:
    for operation in CHANGING:
        answer = everything.call(operation, json.dumps(body))
        assert (operation.name, *refused(answer)) == (operation.name, 400, "invalid-input")
        assert len(answer.content) < 8000
    assert everything.is_as_before()


@pytest.mark.parametrize("size", [LARGEST + 1, 3_000_000])
def test_a_body_that_is_too_large_is_refused(everything: Everything, size: int) -> None:
    for operation in CHANGING:
        answer = everything.call(operation, b"{}".ljust(size))
        assert (operation.name, *refused(answer)) == (operation.name, 413, "too-large")
    assert everything.is_as_before()


@pytest.mark.parametrize("kind", KINDS)
def test_another_kind_of_body_is_refused(everything: Everything, kind: str) -> None:
    for operation in CHANGING:
        answer = everything.call(operation, b'{"a": 1}', kind=kind)
        assert (operation.name, *refused(answer)) == (operation.name, 415, "unsupported-media-type")
    assert everything.is_as_before()


@pytest.mark.parametrize("kind", FORMS)
def test_a_form_is_refused(everything: Everything, kind: str) -> None:
    for operation in CHANGING:
        answer = everything.call(operation, FORMS[kind], kind=kind)
        assert (operation.name, *refused(answer)) == (operation.name, 415, "unsupported-media-type")
    assert everything.is_as_before()


@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "no-such-charset", "'", "\r\nX-Other: 1"])
def test_a_body_is_read_as_utf_8_whatever_is_said_of_it(everything: Everything, charset: str) -> None:
    for operation in CHANGING:
        answer = everything.call(operation, '{"a": "é"}'.encode("latin-1"), kind=f"application/json; charset={charset}")
        assert refused(answer)[0] in (400, 415), operation.name
    assert everything.is_as_before()


@pytest.mark.parametrize("body", [b"", b"{}", b"null"])
def test_nothing_may_be_said_where_nothing_is_asked(everything: Everything, body: bytes) -> None:
    for operation in CHANGING:
        if not operation.has_body:
            answer = everything.call(operation, body)
            assert answer.status_code in (200, 202, 204, 404, 409), answer.content


def test_every_dry_run_that_is_not_known_is_refused(everything: Everything) -> None:
    """Were it overlooked, what should only be looked at would be done."""
    for operation in CHANGING:
        if not operation.has_body:
            answer = everything.call(operation, b'{"dryRun": true}')
            assert (refused(answer), answer.json()["errors"][0]["field"]) == ((400, "invalid-input"), "body")
    assert everything.is_as_before()
