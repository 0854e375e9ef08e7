"""Who is let in, for how long, and what may be said."""

from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from monitoring.models import Topic
from tests.integration.stack import TOKEN, Stack
from tests.stream.conftest import Listener

Listen = Callable[..., Listener]


STRANGERS: list[dict[str, Any]] = [
    {"headers": {}},
    {"headers": {"Authorization": "Bearer cron_wrong"}},
    {"headers": {"Authorization": f"Bearer {TOKEN}"}, "origin": "https://evil.example"},
    {"headers": {}, "subprotocols": ["cron.v1", "bearer.wrong"]},
    {"headers": {"Cookie": "sessionid=wrong"}, "origin": "http://127.0.0.1"},
]


@pytest.mark.parametrize(
    "given", STRANGERS, ids=["nobody", "wrong token", "foreign page", "wrong protocol", "no session"]
)
def test_strangers_are_not_let_in(listen: Listen, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidStatus) as refused, listen(**given):
        pass
    assert refused.value.response.status_code == 403


def test_a_page_of_ours_may_send_its_token_as_a_protocol(listen: Listen, live: Stack) -> None:
    given = {"headers": {}, "origin": live.web, "subprotocols": ["cron.v1", f"bearer.{TOKEN}"]}
    with listen(**given) as listener:
        assert listener.connection.subprotocol == "cron.v1"
        assert listener.welcome["topics"] == ["runs", "alerts", "reports", "performance"]


def test_a_person_comes_with_their_session_and_goes_with_it(listen: Listen, live: Stack) -> None:
    code = (
        "from django.contrib.auth.models import User; from django.contrib.sessions.backends.db import SessionStore;"
        "from django.contrib.auth import SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY;"
        "user = User.objects.get(username='operator'); store = SessionStore();"
        "store[SESSION_KEY] = str(user.pk); store[BACKEND_SESSION_KEY] = 'django.contrib.auth.backends.ModelBackend';"
        "store[HASH_SESSION_KEY] = user.get_session_auth_hash(); store.save(); print('key', store.session_key)"
    )
    key = live.manage("shell", "-c", code).split("key ")[1].strip()
    with listen(headers={"Cookie": f"sessionid={key}"}, origin=live.web) as listener:
        listener.subscribe("runs")
        live.rows("DELETE FROM django_session")
        with pytest.raises(ConnectionClosed) as closed:
            listener.until("never")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


def test_a_token_that_is_revoked_ends_its_connections(listen: Listen, live: Stack) -> None:
    secret = live.manage("token", "create", "listener", "--scope", "read").strip()
    with listen(headers={"Authorization": f"Bearer {secret}"}) as listener:
        listener.subscribe("runs")
        live.manage("token", "revoke", "listener")
        with pytest.raises(ConnectionClosed) as closed:
            listener.until("never")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


SIGN_IN = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.db import SessionStore
for role in ("nobody", "viewer", "operator", "administrator"):
    user = User.objects.create_user(f"a {role}")
    user.groups.set(Group.objects.filter(name=role))
    store = SessionStore()
    store[SESSION_KEY], store[BACKEND_SESSION_KEY] = str(user.pk), "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    print(f"session of {role}: {store.session_key}")
"""
TOKENS = """
INSERT INTO access_token (name, start, digest, scopes, groups, expires_at, created_at)
SELECT name, '', encode(sha256(convert_to('cron_secret of ' || name, 'UTF8')), 'hex'), scopes, '{}', until, now()
  FROM (VALUES ('reader', '{read}'::varchar[], NULL), ('starter', '{trigger}', NULL), ('manager', '{manage}', NULL),
               ('late reader', '{read}', now() - interval '1 second')) AS wanted (name, scopes, until)
"""
LET_IN = {"reader": True, "starter": False, "manager": False, "late reader": False}
ROLES_LET_IN = {"nobody": False, "viewer": True, "operator": True, "administrator": True}


def test_every_topic_is_for_those_who_may_read(listen: Listen, live: Stack) -> None:
    live.rows(TOKENS)
    said = live.manage("shell", "-v", "0", "-c", SIGN_IN)
    sessions = dict(line.removeprefix("session of ").split(": ") for line in said.splitlines() if ": " in line)
    callers: dict[str, tuple[dict[str, Any], bool]] = {
        name: ({"headers": {"Authorization": f"Bearer cron_secret of {name}"}}, may) for name, may in LET_IN.items()
    }
    callers |= {
        role: ({"headers": {"Cookie": f"sessionid={sessions[role]}"}, "origin": live.web}, may)
        for role, may in ROLES_LET_IN.items()
    }
    for name, (given, may) in callers.items():
        assert (name, _heard(listen, given)) == (name, set(Topic.values) if may else set())


def _heard(listen: Listen, given: dict[str, Any]) -> set[str]:
    try:
        with listen(**given) as listener:
            return {topic for topic in Topic.values if topic in listener.subscribe(topic)["topics"]}
    except InvalidStatus:  # what strangers are told, whoever they are
        return set()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("{", "Invalid JSON"),
        ("[]", "message"),
        ('{"type": "shout"}', "type"),
        ('{"type": "subscribe", "topics": []}', "topics"),
        ('{"type": "subscribe", "topics": ["everything"]}', "'everything' is none of runs"),
        ('{"type": "subscribe", "topics": ["runs"], "after": -1}', "after"),
        ('{"type": "subscribe", "topics": ["runs"], "after": 1e40}', "after"),
        ('{"type": "subscribe", "topics": ["runs"], "colour": "red"}', "colour"),
    ],
)
def test_what_is_not_understood_is_said_and_ends_nothing(listen: Listen, said: str, words: str) -> None:
    with listen() as listener:
        listener.connection.send(said)
        answer = listener.hear()
        assert (answer["type"], words in answer["detail"]) == ("error", True), answer
        assert listener.subscribe("runs")["topics"] == ["runs"]


UNSUBSCRIBE = '{"type": "unsubscribe", "topics": ["runs"]}'


@pytest.mark.parametrize(
    ("messages", "code"),
    [(["x" * 4097], 4400), ([b"binary"], 4400), ([UNSUBSCRIBE] * 21, 4429)],
    ids=["long", "binary", "many"],
)
def test_too_much_ends_the_connection(listen: Listen, messages: list[Any], code: int) -> None:
    with listen() as listener:
        for message in messages:
            listener.connection.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            listener.until("never")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code


def test_many_messages_that_are_few_enough_end_nothing(listen: Listen) -> None:
    with listen() as listener:
        for _ in range(20):
            listener.connection.send(UNSUBSCRIBE)
            assert listener.until("subscribed")["topics"] == []


def test_another_address_has_no_connections(live: Stack) -> None:
    listener = Listener(live)
    listener._address = listener._address.replace("/ws/cron/", "/ws/other/")
    with pytest.raises(InvalidStatus), listener:
        pass
