"""Query parameters and variable parts of paths that are not what is described: refused by name, and never a failure."""

from urllib.parse import quote

import pytest

from tests.inputs.conftest import Everything, refused
from tests.inputs.described import Operation, operations

READING = [each for each in operations() if not each.changes]
WITH_QUERY = [each for each in READING if each.query]
WITH_PARTS = [each for each in operations() if each.parts]

STORED_NOWHERE = {"NUL": "%00", "NUL amid letters": "a%00b"}
NO_NUMBER = {
    "nothing": "",
    "a word": "many",
    "a fraction": "1.5",
    "zero": "0",
    "negative": "-1",
    "huge": str(2**63),
    "a thousand digits": str(10**1000),
    "five thousand digits": "9" * 5000,
    "1e400": "1e400",
    "NaN": "NaN",
    "Infinity": "Infinity",
    "hexadecimal": "0x10",
    "in Arabic digits": quote("١٢"),
    "in wide digits": quote("１２"),
    "superscript": quote("²"),
    "a list": "1,2",
    "JSON": "[1]",
}
NO_MOMENT = {
    "nothing": "",
    "a word": "yesterday",
    "a number": "1768464000",
    "the zeroth month": "2026-00-15T00:00:00Z",
    "the thirtieth of February": "2026-02-30T00:00:00Z",
    "the hour 24": "2026-01-15T24:00:00Z",
    "the second 61": "2026-01-15T00:00:61Z",
    "an offset of days": "2026-01-15T00:00:00%2B99:00",
    "an offset of no digits": "2026-01-15T00:00:00%2Bab:cd",
    "a zone by name": "2026-01-15T00:00:00[Europe/Bucharest]",
    "no such zone": "2026-01-15T00:00:00[Mars/Olympus]",
    "in Arabic digits": quote("٢٠٢٦-٠١-١٥T٠٠:٠٠:٠٠Z"),
    "the year 10000": "10000-01-01T00:00:00Z",
    "the year 0": "0000-01-01T00:00:00Z",
}
ODD = {
    "nothing": "",
    "an emoji": quote("🍕"),
    "half an emoji": "%ED%A0%BC",
    "overlong": "%C0%80",
    "no UTF-8": "%FF%FE",
    "percents": "%25%32%35",
    "half a percent": "%",
    "no percent": "%zz",
    "line breaks": "a%0D%0ASet-Cookie:%20x=1",
    "a quotation mark": "%27%22--",
    "very long": "x" * 20_000,
    "right to left": quote("\u202e\u0000"[:1] + "gpj"),
}
NO_PART = {
    "NUL": "%00",
    "dots": "..",
    "dots and a slash": "..%2f..%2fadmin",
    "dots, encoded twice": "%252e%252e%252f",
    "a slash": "%2f",
    "a backslash": "%5c..%5c",
    "a semicolon": ";a=b",
    "line breaks": "a%0d%0aLocation:%20x",
    "Arabic digits": quote("١"),
    "wide letters": quote("ｄａｉｌｙ-ｒｅｐｏｒｔ"),
    "an id in wide digits": quote("０1890a5d-ac96-774b-bcce-b302099a8057"),
    "an id in capitals": "01890A5D-AC96-774B-BCCE-B302099A8057",
    "an id in braces": "%7B01890a5d-ac96-774b-bcce-b302099a8057%7D",
    "a huge number": str(2**63),
    "a number of five thousand digits": "9" * 5000,
    "negative": "-1",
    "no UTF-8": "%ff",
    "half an emoji": "%ed%a0%bc",
    "very long": "x" * 100_000,
    "half a percent": "%",
    "with a space": "daily-report%20",
    "with a query": "daily-report%3fa=b",
}


def form_of(operation: Operation, name: str) -> set[str]:
    """The types and formats that a parameter may have."""
    schema = operation.query[name]
    return {each.get("format") or each.get("type", "") for each in schema.get("anyOf", [schema])} - {"null"}


def ask(everything: Everything, operation: Operation, name: str, value: str) -> tuple[int, set[str]]:
    """The status for a value of one parameter, and the names of the parameters that are at fault."""
    answer = everything.client.get(f"{everything.address(operation)}?{name}={value}")
    if answer.status_code == 400:
        assert refused(answer) == (400, "invalid-input")
        return 400, {each["field"] for each in answer.json()["errors"]}
    return answer.status_code, set()


@pytest.mark.parametrize("operation", WITH_QUERY, ids=str)
def test_what_is_no_number_or_moment_is_refused_by_name(everything: Everything, operation: Operation) -> None:
    for name in operation.query:
        form = form_of(operation, name)
        wrong = {"integer": NO_NUMBER, "date-time": NO_MOMENT, "date": NO_MOMENT}.get("".join(form), {})
        for what, value in wrong.items():
            if what == "zero" and operation.query[name].get("minimum") == 0:
                continue
            assert (name, what, ask(everything, operation, name, value)) == (name, what, (400, {name}))


@pytest.mark.parametrize("operation", WITH_QUERY, ids=str)
def test_what_can_be_stored_nowhere_is_refused_by_name(everything: Everything, operation: Operation) -> None:
    for name in operation.query:
        for what, value in STORED_NOWHERE.items():
            assert (name, what, ask(everything, operation, name, value)) == (name, what, (400, {name}))


@pytest.mark.parametrize("operation", WITH_QUERY, ids=str)
def test_what_is_odd_finds_nothing_or_is_refused_by_name(everything: Everything, operation: Operation) -> None:
    for name in operation.query:
        for what, value in ODD.items():
            status, named = ask(everything, operation, name, value)
            assert (status, named) in [(200, set()), (400, {name})], (name, what)


@pytest.mark.parametrize("operation", WITH_QUERY, ids=str)
def test_a_parameter_that_is_unknown_or_comes_twice_is_refused_by_name(
    everything: Everything, operation: Operation
) -> None:
    valid = "&".join(f"{name}=2026-01-15T08:00:00Z" for name in operation.required)
    for query, name in [("nobody=1", "nobody"), *((f"{name}=1&{name}=1", name) for name in operation.query)]:
        answer = everything.client.get(f"{everything.address(operation)}?{valid}&{query}")
        assert refused(answer) == (400, "invalid-input"), query
        assert name in {each["field"] for each in answer.json()["errors"]}


@pytest.mark.parametrize("operation", WITH_PARTS, ids=str)
def test_what_is_no_part_of_a_path_leads_nowhere(everything: Everything, operation: Operation) -> None:
    for part in operation.parts:
        for what, value in NO_PART.items():
            answer = everything.client.generic(operation.method.upper(), operation.address(**{part: value}))
            assert refused(answer)[0] in (400, 404, 405), (part, what)
            assert len(answer.content) < 1000, (part, what)
    assert everything.is_as_before()
