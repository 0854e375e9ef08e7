"""The stand-in for the messaging providers, asked with plain sockets and urllib."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from local.provider import Reply, StandIn
from tests.integration.waiting import BUSY, eventually, within
from tests.local.conftest import ROOT

PHONE = "+40712345678"
MESSAGES = "/2010-04-01/Accounts/AC1/Messages.json"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TEXT = {"messaging_product": "whatsapp", "to": "40712345678", "type": "text", "text": {"body": "Bună"}}


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn() as server:
        yield server


def ask(server: StandIn, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    try:
        if isinstance(body, dict):
            body, headers = json.dumps(body), {"Content-Type": "application/json", **headers}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or "null")
    finally:
        connection.close()


def send_sms(server: StandIn, **form: str) -> tuple[int, Any]:
    return ask(server, "POST", MESSAGES, urlencode({"To": PHONE, "From": "+40700000000", "Body": "Hi", **form}), **FORM)


def test_meta_accepts_a_text(stand_in: StandIn) -> None:
    body = {**TEXT, "biz_opaque_callback_data": "attempt 1"}
    status, answer = ask(stand_in, "POST", "/v23.0/2000/messages", body, Authorization="Bearer t")
    (message,) = stand_in.messages
    assert (status, answer["messages"][0]["id"]) == (200, message.id)
    assert answer["contacts"] == [{"input": "40712345678", "wa_id": "40712345678"}]
    assert (message.provider, message.channel, message.to, message.sender) == ("meta", "whatsapp", PHONE, "2000")
    assert (message.text, message.reference) == ("Bună", "attempt 1")


def test_meta_accepts_a_template(stand_in: StandIn) -> None:
    parameters = [{"type": "text", "text": "Ana"}, {"type": "text", "text": "19:00"}]
    components = [{"type": "body", "parameters": parameters}]
    template = {"name": "reservation_reminder", "language": {"code": "ro"}, "components": components}
    ask(stand_in, "POST", "/v23.0/2000/messages", {"to": PHONE, "type": "template", "template": template})
    (message,) = stand_in.messages
    assert (message.to, message.template, message.language) == (PHONE, "reservation_reminder", "ro")
    assert message.parameters == ["Ana", "19:00"]


def test_a_token_that_is_known_to_be_dead_is_refused(stand_in: StandIn) -> None:
    stand_in.tokens["dead"] = {"is_valid": False, "error": {"code": 190, "subcode": 463, "message": "expired"}}
    status, answer = ask(stand_in, "POST", "/v23.0/2000/messages", TEXT, Authorization="Bearer dead")
    assert (status, answer["error"]["code"], stand_in.messages) == (401, 190, [])
    status, answer = ask(stand_in, "GET", "/v23.0/debug_token?input_token=dead&access_token=1|s")
    assert (status, answer["data"]["is_valid"], answer["data"]["error"]["subcode"]) == (200, False, 463)


def test_a_strict_one_refuses_tokens_that_it_does_not_know() -> None:
    with StandIn(strict=True) as stand_in:
        stand_in.tokens["known"] = {}
        assert ask(stand_in, "POST", "/v23.0/2000/messages", TEXT, Authorization="Bearer other")[0] == 401
        assert ask(stand_in, "POST", "/v23.0/2000/messages", TEXT, Authorization="Bearer known")[0] == 200


def test_an_exchange_gives_a_token_that_is_known_from_then_on(stand_in: StandIn) -> None:
    stand_in.tokens["old"] = {"expires_at": 1_900_000_000}
    _, answer = ask(stand_in, "GET", "/v23.0/oauth/access_token?fb_exchange_token=old")
    assert answer["expires_in"] == 5_184_000
    assert answer["access_token"] in stand_in.tokens
    _, answer = ask(stand_in, "GET", "/v23.0/oauth/access_token?fb_exchange_token=endless")
    assert "expires_in" not in answer


def test_meta_tells_numbers_and_templates(stand_in: StandIn) -> None:
    assert ask(stand_in, "GET", "/v23.0/2000?fields=quality_rating")[1]["id"] == "2000"
    assert ask(stand_in, "GET", "/v23.0/3000/phone_numbers")[1]["data"][0]["quality_rating"] == "GREEN"
    templates = ask(stand_in, "GET", "/v23.0/3000/message_templates?name=hello")[1]["data"]
    assert {(each["name"], each["status"]) for each in templates} == {("hello", "APPROVED")}


def test_twilio_accepts_an_sms(stand_in: StandIn) -> None:
    stand_in.clock = lambda: datetime(2026, 3, 1, 10, 0, 0, tzinfo=UTC)
    status, answer = send_sms(stand_in, StatusCallback="https://x.example/webhooks/twilio?reference=a1")
    (message,) = stand_in.messages
    assert (status, answer["sid"], answer["status"]) == (201, message.id, "queued")
    assert answer["date_created"] == "Sun, 01 Mar 2026 10:00:00 +0000"
    assert (message.channel, message.to, message.reference) == ("sms", PHONE, "a1")


def test_twilio_accepts_whatsapp_through_a_service(stand_in: StandIn) -> None:
    form = {"To": f"whatsapp:{PHONE}", "MessagingServiceSid": "MG1", "ContentSid": "HX1"}
    form["ContentVariables"] = json.dumps({"1": "Ana"})
    _, answer = ask(stand_in, "POST", MESSAGES, urlencode(form), **FORM)
    (message,) = stand_in.messages
    assert (answer["status"], answer["to"], answer["from"]) == ("accepted", f"whatsapp:{PHONE}", None)
    assert (message.to, message.sender, message.template, message.parameters) == (PHONE, "MG1", "HX1", ["Ana"])


def test_twilio_lists_newest_first_and_page_by_page(stand_in: StandIn) -> None:
    for text in "abc":
        send_sms(stand_in, Body=text)
    send_sms(stand_in, To="+40700000009")
    seen, path = [], f"{MESSAGES}?{urlencode({'To': PHONE, 'PageSize': 2})}"
    while path:
        _, page = ask(stand_in, "GET", path)
        seen.append([each["body"] for each in page["messages"]])
        path = page["next_page_uri"]
    assert seen == [["c", "b"], ["a"]]
    assert parsedate_to_datetime(page["messages"][0]["date_created"]).tzinfo is not None


def test_twilio_shows_one_message_the_account_and_keys(stand_in: StandIn) -> None:
    _, sent = send_sms(stand_in)
    assert ask(stand_in, "GET", sent["uri"])[1]["sid"] == sent["sid"]
    assert ask(stand_in, "GET", "/2010-04-01/Accounts/AC1.json")[1]["status"] == "active"
    _, key = ask(stand_in, "POST", "/v1/Keys", urlencode({"AccountSid": "AC1", "FriendlyName": "night"}), **FORM)
    assert ask(stand_in, "GET", "/v1/Keys?AccountSid=AC1")[1]["keys"][0]["friendly_name"] == "night"
    assert ask(stand_in, "DELETE", f"/v1/Keys/{key['sid']}")[0] == 204
    assert "auth_token" in ask(stand_in, "POST", "/v1/AuthTokens/Promote")[1]


def test_unknown_addresses_are_answered_so(stand_in: StandIn) -> None:
    assert ask(stand_in, "GET", "/nowhere/at/all")[0] == 404
    with pytest.raises(ValueError, match=r"'meta\.mesages' is no place"):
        stand_in.script("meta.mesages")


def test_answers_follow_the_script_then_the_rule_then_custom(stand_in: StandIn) -> None:
    stand_in.script("twilio.messages", Reply(status=429), None, Reply(status=500, accept=True))
    stand_in.always("twilio.messages", Reply(status=503))
    assert [send_sms(stand_in)[0] for _ in range(4)] == [429, 201, 500, 503]
    assert len(stand_in.messages) == 2
    stand_in.always("twilio.messages", None)
    assert send_sms(stand_in)[0] == 201
    assert [call.where for call in stand_in.calls] == ["twilio.messages"] * 5
    assert stand_in.calls[0].headers["content-type"] == FORM["Content-Type"]


@pytest.mark.parametrize(
    ("how", "what"),
    [("reset", ConnectionResetError), ("cut", http.client.IncompleteRead), ("hang", TimeoutError)],
)
def test_answers_can_go_wrong(stand_in: StandIn, how: Any, what: type[Exception]) -> None:
    stand_in.script("twilio.account", Reply(body={"status": "active"}, how=how))
    connection = http.client.HTTPConnection(urlsplit(stand_in.url).netloc, timeout=0.3)
    try:
        connection.request("GET", "/2010-04-01/Accounts/AC1.json")
        with pytest.raises(what):
            connection.getresponse().read()
    finally:
        connection.close()
    assert len(stand_in.calls) == 1


def test_a_drip_comes_whole_in_the_end_but_slowly(stand_in: StandIn) -> None:
    stand_in.script("twilio.account", Reply(body="[1,2]", how="drip"))
    begun = time.monotonic()
    assert ask(stand_in, "GET", "/2010-04-01/Accounts/AC1.json") == (200, [1, 2])
    assert time.monotonic() - begun > 0.2


def test_it_closes_at_once_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with StandIn() as stand_in:
        stand_in.script("twilio.account", Reply(how="hang"))
        address = urlsplit(stand_in.url)
        idle = socket.create_connection((str(address.hostname), int(address.port or 0)))
        hanging = socket.create_connection((str(address.hostname), int(address.port or 0)))
        hanging.sendall(b"GET /2010-04-01/Accounts/AC1.json HTTP/1.1\r\nHost: x\r\n\r\n")
        eventually(lambda: stand_in.calls, seconds=5, what="the call that hangs")
        began = time.monotonic()
    assert time.monotonic() - began < BUSY
    assert set(threading.enumerate()) == before
    assert (idle.recv(1), hanging.recv(1)) == (b"", b"")
    idle.close()
    hanging.close()


def test_many_threads_are_served_side_by_side() -> None:
    with StandIn(latency=0.2) as stand_in:

        def send_five() -> None:
            connection = http.client.HTTPConnection(urlsplit(stand_in.url).netloc, timeout=60)
            for _ in range(5):
                connection.request(
                    "POST", "/v23.0/2000/messages", json.dumps(TEXT), {"Content-Type": "application/json"}
                )
                connection.getresponse().read()
            connection.close()

        threads = [threading.Thread(target=send_five) for _ in range(64)]
        with within(10):  # one second on an idle machine; one after the other it would be 64
            for each in threads:
                each.start()
            for each in threads:
                each.join()
        assert len(stand_in.messages) == 320


def test_as_a_program_it_logs_what_it_accepts(tmp_path: Path) -> None:
    log = tmp_path / "accepted.jsonl"
    command = [sys.executable, "-m", "local", "provider", "--log", str(log)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ})
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        connection.request("POST", "/v23.0/2000/messages", json.dumps(TEXT), {"Content-Type": "application/json"})
        connection.getresponse().read()
        connection.close()
        assert json.loads(log.read_text())["to"] == PHONE
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 143
        process.stdout.close()
