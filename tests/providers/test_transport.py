"""What the network does to a call, and what is made of it: for a send, and for something read."""

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from external_apis.providers import http
from external_apis.providers.answers import Answer, Meaning, ProviderError
from external_apis.providers.http import HttpSession
from local.provider import Reply, StandIn
from tests.integration.waiting import within
from tests.providers.conftest import PHONE, make_meta, make_twilio, reminder, sms

OK = {"messages": [{"id": "wamid.A"}], "sid": "SM1", "id": "2000", "status": "active"}
PLACES = ["meta.messages", "meta.phone_number", "twilio.messages", "twilio.account"]


def outcomes(url: str, session: HttpSession) -> dict[str, Answer]:
    """The answers to two sends and two readings, by place."""
    meta, twilio = make_meta(url, session), make_twilio(url, session)
    return {
        "meta.messages": reminder(meta),
        "meta.phone_number": failure(lambda: meta.phone_number("2000")),
        "twilio.messages": sms(twilio),
        "twilio.account": failure(twilio.account_status),
    }


def failure(read: Callable[[], object]) -> Answer:
    with pytest.raises(ProviderError) as caught:
        read()
    assert caught.value.__context__ is None
    return caught.value.answer


def meanings(answers: dict[str, Answer]) -> list[Meaning]:
    return [answers[place].meaning for place in PLACES]


LOST = [Meaning.UNKNOWN, Meaning.RETRY, Meaning.UNKNOWN, Meaning.RETRY]


@pytest.fixture
def deaf() -> Iterator[str]:
    """An address where connections are not taken in any more."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        for each in waiting:
            each.close()


def test_a_refused_connection_is_surely_not_done(session: HttpSession) -> None:
    with StandIn() as stand_in:
        url = stand_in.url
    assert meanings(outcomes(url, session)) == [Meaning.RETRY] * 4


def test_a_connection_that_never_stands_is_surely_not_done(deaf: str, hurried: HttpSession) -> None:
    assert meanings(outcomes(deaf, hurried)) == [Meaning.RETRY] * 4


def test_a_name_that_nobody_knows_is_surely_not_done(session: HttpSession) -> None:
    assert meanings(outcomes("http://nobody.invalid", session)) == [Meaning.RETRY] * 4


def test_a_failed_handshake_is_surely_not_done(stand_in: StandIn, session: HttpSession) -> None:
    assert meanings(outcomes(stand_in.url.replace("http://", "https://"), session)) == [Meaning.RETRY] * 4
    assert stand_in.calls == []


@pytest.mark.parametrize("how", ["hang", "reset", "cut"])
def test_a_lost_answer_leaves_a_send_open(stand_in: StandIn, hurried: HttpSession, how: Any) -> None:
    for place in PLACES:
        stand_in.always(place, Reply(body=OK, how=how))
    assert meanings(outcomes(stand_in.url, hurried)) == LOST
    assert len(stand_in.calls) == 4


@pytest.mark.parametrize("place", PLACES)
def test_a_reset_of_a_connection_that_worked_before_is_not_repeated(
    stand_in: StandIn, session: HttpSession, place: str
) -> None:
    make_twilio(stand_in.url, session).probe()
    stand_in.script(place, Reply(how="reset"))
    meta, twilio = make_meta(stand_in.url, session), make_twilio(stand_in.url, session)
    calls: dict[str, Callable[[], Answer]] = {
        "meta.messages": lambda: reminder(meta),
        "meta.phone_number": lambda: failure(lambda: meta.phone_number("2000")),
        "twilio.messages": lambda: sms(twilio),
        "twilio.account": lambda: failure(twilio.account_status),
    }
    assert calls[place]().meaning == LOST[PLACES.index(place)]
    assert len(stand_in.calls_to(place)) == 1


def test_an_answer_that_trickles_in_is_not_waited_for(stand_in: StandIn, hurried: HttpSession) -> None:
    for place in PLACES:
        stand_in.always(place, Reply(body="x" * 1000, how="drip"))  # a minute each
    with within(10):
        assert meanings(outcomes(stand_in.url, hurried)) == LOST


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[]", b"{}", b"<html>", b"\xff\xfe\x00", b"[" * 100_000, b'{"id": ""}']
)
@pytest.mark.parametrize("status", [200, 201, 500, 502])
def test_an_answer_that_says_nothing_leaves_a_send_open(
    stand_in: StandIn, session: HttpSession, body: bytes, status: int
) -> None:
    for place in PLACES:
        stand_in.always(place, Reply(status=status, body=body))
    assert meanings(outcomes(stand_in.url, session)) == LOST


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 400, 401, 403, 404, 410, 499])
def test_a_refusal_that_says_nothing_is_given_up_and_looked_into(
    stand_in: StandIn, session: HttpSession, status: int
) -> None:
    for place in PLACES:
        stand_in.always(place, Reply(status=status, body="<html>No</html>"))
    answers = outcomes(stand_in.url, session)
    assert meanings(answers) == [Meaning.GIVE_UP] * 4
    assert all(each.alert and str(status) in each.detail for each in answers.values())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(stand_in: StandIn, session: HttpSession, status: int) -> None:
    with StandIn() as elsewhere:
        for place in PLACES:
            stand_in.always(place, Reply(status=status, body=OK, headers={"Location": f"{elsewhere.url}/v23.0/2000"}))
        assert meanings(outcomes(stand_in.url, session)) == [Meaning.GIVE_UP] * 4
        assert elsewhere.calls == []
    assert len(stand_in.calls) == 4


def test_an_answer_without_end_is_not_read_to_the_end(stand_in: StandIn, session: HttpSession) -> None:
    for place in PLACES:
        stand_in.always(place, Reply(body=b" " * (http.LARGEST + 1)))
    assert meanings(outcomes(stand_in.url, session)) == LOST
    stand_in.always("twilio.account", Reply(body=b'{"status": "active"}'.ljust(http.LARGEST)))
    assert make_twilio(stand_in.url, session).account_status() == "active"


def test_an_overloaded_server_may_say_when_to_come_back(stand_in: StandIn, session: HttpSession) -> None:
    stand_in.script("twilio.account", Reply(status=503, headers={"Retry-After": "30"}))
    answer = failure(make_twilio(stand_in.url, session).account_status)
    assert answer.wait is not None
    assert answer.wait.total_seconds() == 30


def test_a_date_without_the_servers_own_is_compared_with_the_clock(stand_in: StandIn) -> None:
    noon = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    stand_in.script("twilio.account", Reply(status=503, headers={"Retry-After": "Sun, 01 Mar 2026 12:01:00 GMT"}))
    with HttpSession(connect_timeout=5, read_timeout=10, clock=lambda: noon) as session:
        answer = failure(make_twilio(stand_in.url, session).account_status)
    assert answer.wait is not None
    assert answer.wait.total_seconds() == 60


def test_connections_are_kept_for_each_thread(session: HttpSession) -> None:
    with StandIn() as stand_in:
        twilio = make_twilio(stand_in.url, session)
        before = threading.active_count()
        for _ in range(5):
            sms(twilio)
        assert threading.active_count() == before + 1  # the stand-in has one for each connection

        others = [threading.Thread(target=lambda: [sms(twilio) for _ in range(5)]) for _ in range(8)]
        for each in others:
            each.start()
        for each in others:
            each.join()
        assert len({message.id for message in stand_in.messages}) == 45


def test_a_connection_that_the_server_closed_meanwhile_is_replaced(session: HttpSession) -> None:
    with StandIn() as first:
        sms(make_twilio(first.url, session))
        port = int(first.url.rsplit(":", 1)[1])
    with StandIn(port=port) as second:
        assert sms(make_twilio(second.url, session)).meaning == Meaning.DONE


def test_cookies_and_the_environment_are_ignored(
    stand_in: StandIn, session: HttpSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    stand_in.script("twilio.messages", Reply(status=500, headers={"Set-Cookie": "a=b; Path=/"}))
    twilio = make_twilio(stand_in.url, session)
    sms(twilio)
    assert sms(twilio).meaning == Meaning.DONE
    assert "Cookie" not in stand_in.calls[-1].headers


@pytest.mark.parametrize("token", ["", "new\nline", "spa ce", "tăcut", "nul\x00"])
def test_a_token_that_cannot_be_one_is_not_sent(stand_in: StandIn, session: HttpSession, token: str) -> None:
    meta = make_meta(stand_in.url, session, token=token)
    assert reminder(meta).meaning == Meaning.DISABLE
    assert failure(lambda: meta.phone_number("2000")).meaning == Meaning.DISABLE
    assert stand_in.calls == []


def test_what_cannot_be_written_down_is_given_up(stand_in: StandIn, session: HttpSession) -> None:
    answer = make_twilio(stand_in.url, session).send(channel="sms", sender="+40700000000", to=PHONE, body="\ud800")
    assert (answer.meaning, answer.alert) == (Meaning.GIVE_UP, True)
    assert make_meta("nonsense", session).send("2000", to=PHONE, reference="a", text="x").meaning == Meaning.GIVE_UP
