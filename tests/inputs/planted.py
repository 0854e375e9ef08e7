"""A restaurant whose every secret and every guest's number can be told from anything else, and its day's work."""

import http.client
import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from jobs.engine import registry
from local.kept import new_backup_key, new_credential_key, new_secret_key, public_key
from local.postgres import find_binaries
from local.provider import Reply, StandIn
from tests.integration.prepared import prepared
from tests.integration.stack import TOKEN, Stack, call
from tests.integration.waiting import eventually
from tests.webhooks.conftest import FORM, META, TWILIO, delivery, message, meta_signature, sms, twilio_signature

URLS = ("META_GRAPH_URL", "TWILIO_API_URL", "TWILIO_IAM_URL", "TWILIO_ACCOUNTS_URL")
FIRST = ("sync-credentials", "validate-credentials")  # without credentials the others have nobody to send by
GUESTS = {"whatsapp": ["+40733914827", "+40733915936"], "sms": ["+40744826153", "+40744827264"]}
CUSTOMERS = ["+40755937281", "+40766148392"]
PHONES = [*GUESTS["whatsapp"], *GUESTS["sms"], *CUSTOMERS]
BOOK = """
INSERT INTO reservations_reservation
       (reference, guest_name, phone, language, starts_at, timezone, party_size, channel, status)
VALUES (%s, 'Ana Pop', %s, 'ro', now() + interval '100 minutes', 'Europe/Bucharest', 2, %s, 'booked')
"""
TALK = """
from datetime import timedelta
from django.utils import timezone
from sessions_app.models import Message, Session

then = timezone.now() - timedelta(days=40)
session = Session.objects.create(customer_phone="{}", customer_name="Dan", channel="whatsapp", last_activity_at=then)
Message.objects.create(session=session, sent_at=then, direction="inbound", provider="meta", body="Bună ziua")
"""
REVEAL = """
from external_apis.models import Credential

print("\\n".join(each.secret.reveal() for each in Credential.objects.all()))
"""
SESSION = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore

user, session = get_user_model().objects.get(username="operator"), SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session.save()
print(session.session_key)
"""
# A job that breaks it fails with an error of the database that quotes the whole row.
ODD_RULE = (
    "ALTER TABLE sessions_app_session ADD CONSTRAINT odd CHECK (customer_name <> 'Dan' OR status = 'open') NOT VALID"
)
JSON = "application/json"
AT_WORK = "SELECT count(*) FROM jobs_run WHERE state IN ('queued', 'running') AND attempt <= 1"


@dataclass(kw_only=True)
class Planted:
    """The service after its day's work; `secrets` are by the name of the variable that holds them."""

    stack: Stack
    secrets: dict[str, str]
    backups: Path
    answers: dict[str, str] = field(default_factory=dict)


def canary(name: str) -> str:
    """A secret that is nowhere else."""
    return f"canary{secrets.token_hex(8)}{name.title().replace('_', '')}"


def planted_secrets() -> dict[str, str]:
    """One of each kind that the service is given."""
    named = ("META_ACCESS_TOKEN", "META_APP_SECRET", "META_VERIFY_TOKEN", "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY_SECRET",
             "EMAIL_HOST_PASSWORD", "DATABASE_PASSWORD", "CHANNEL_PASSWORD", "PING_KEY", "WEBHOOK_KEY")  # fmt: skip
    own = {"SECRET_KEY": new_secret_key(), "CREDENTIAL_KEYS": new_credential_key(), "BACKUP_KEY": new_backup_key()}
    signing = {"ALERT_WEBHOOK_SECRET": "whsec_" + secrets.token_urlsafe(33).replace("-", "a").replace("_", "b")}
    operator = {"LOCAL_API_TOKEN": TOKEN, "OPERATOR_PASSWORD": "a password of the tests"}
    return {**{name: canary(name) for name in named}, **own, **signing, **operator}


def environment(planted: dict[str, str], *, provider: str, database: str, backups: Path) -> dict[str, str]:
    """Everything that can be set and holds a secret, and what goes with it."""
    given = {
        name: value for name, value in planted.items() if name.startswith(("META_", "TWILIO_", "EMAIL_", "ALERT_"))
    }
    return {
        **given,
        **dict.fromkeys(URLS, provider),
        "SECRET_KEY": planted["SECRET_KEY"],
        "CREDENTIAL_KEYS": planted["CREDENTIAL_KEYS"],
        "DATABASE_URL": database.replace("@", f":{planted['DATABASE_PASSWORD']}@", 1),
        "META_APP_ID": "1000000000001",
        "META_PHONE_NUMBER_ID": "1001",
        "META_WABA_ID": "2002",
        "TWILIO_ACCOUNT_SID": "AC1",
        "TWILIO_API_KEY_SID": "SK1",
        "TWILIO_FROM": "+40310000000",
        "ALERT_CHANNELS": f"desk=json://robot:{planted['CHANNEL_PASSWORD']}@127.0.0.1:9/hook",
        "ALERT_WEBHOOK_URL": f"http://127.0.0.1:9/hook/{planted['WEBHOOK_KEY']}",
        "PING_URL": f"http://127.0.0.1:9/ping/{planted['PING_KEY']}",
        "OUTGOING_ALLOW_PRIVATE": "true",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": "9",
        "EMAIL_HOST_USER": "robot",
        "EMAIL_SECURITY": "none",
        "EMAIL_FROM": "cron@example.com",
        "REPORT_RECIPIENTS": "ana@example.com",
        "BACKUP_DIR": str(backups),
        "BACKUP_RECIPIENTS": public_key(planted["BACKUP_KEY"]),
        "BACKUP_PG_BIN": str(find_binaries()),
        "PROVIDER_READ_TIMEOUT": "2",
        "REMINDER_QUIET_HOURS": "none",
    }


@contextmanager
def after_a_day(folder: Path) -> Iterator[Planted]:
    """The service with everything planted, after each of its jobs has run."""
    planted, backups = planted_secrets(), folder / "backups"
    backups.mkdir()
    with ExitStack() as cleanup:
        stand_in = cleanup.enter_context(StandIn())
        servers = cleanup.enter_context(prepared(folder))
        given = environment(planted, provider=stand_in.url, database=servers.database_url, backups=backups)
        stack = cleanup.enter_context(Stack(servers, folder, settings="config.settings", environment=given))
        fill(stack)
        stack.start_beat(wait=False)
        stack.start_production_web()
        stack.start_worker(slots=3)
        planted["MADE_TOKEN"] = make_token(stack)
        run_all(stack, stand_in, planted)
        for number, secret in enumerate(stack.manage("shell", "-v0", "-c", REVEAL).split()):
            planted[f"credential {number}"] = secret  # those that a provider gave in exchange are among them
        yield Planted(stack=stack, secrets=planted, backups=backups)


def fill(stack: Stack) -> None:
    """Tables for guests of each channel, and talks with customers."""
    for channel, phones in GUESTS.items():
        for phone in phones:
            stack.rows(BOOK, [f"R-{phone[-4:]}", phone, channel])
    stack.manage("shell", "-v0", "-c", TALK.format(CUSTOMERS[0]))


def run_all(stack: Stack, stand_in: StandIn, planted: dict[str, str]) -> None:
    """Each job once, while providers quote what they were sent, and a customer writes."""
    for slug in FIRST:
        trigger(stack, slug)
        when_ended(stack)
    quoted = " ".join([*PHONES, *(planted[name] for name in ("META_ACCESS_TOKEN", "TWILIO_AUTH_TOKEN"))])
    stand_in.script("meta.messages", refusal(quoted))
    stand_in.script("twilio.messages", refusal(quoted))
    tell(stack, planted)
    stack.rows(ODD_RULE)
    for job in registry.all_jobs():
        if job.slug not in FIRST:
            trigger(stack, job.slug)
    when_ended(stack)


def refusal(quoted: str) -> Reply:
    """A provider's, which quotes what it was sent."""
    error = {"message": quoted, "type": "OAuthException", "code": 100, "error_data": {"details": quoted}}
    return Reply(status=400, body={"error": error, "code": 21211, "message": quoted, "detail": quoted})


def make_token(stack: Stack) -> str:
    """The secret of a token that is made over the API, under a key for which the answer is kept."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": JSON, "Idempotency-Key": "made-once"}
    with closing(http.client.HTTPConnection(urlsplit(stack.web).netloc, timeout=60)) as connection:
        connection.request("POST", "/cron/tokens", json.dumps({"name": "made", "scopes": ["read"]}), headers)
        return str(json.loads(connection.getresponse().read())["secret"])


def trigger(stack: Stack, slug: str) -> None:
    status, body, _ = call("POST", f"{stack.web}/cron/trigger/{slug}")
    assert status in (202, 409), body


def when_ended(stack: Stack) -> None:
    """Wait until each run has had its turn; the report finds no mail server, and is tried again for hours."""
    eventually(lambda: stack.value(AT_WORK) == 0, seconds=60, what="the end of all runs", told=lambda: told(stack))


def told(stack: Stack) -> str:
    return str(stack.rows("SELECT job, state, reason, error FROM jobs_run ORDER BY id"))


def tell(stack: Stack, planted: dict[str, str]) -> None:
    """What providers call: the handshake, customers' messages, and each once more with what is wrong."""
    key, token, verify = (planted[name] for name in ("META_APP_SECRET", "TWILIO_AUTH_TOKEN", "META_VERIFY_TOKEN"))
    for given, status in ((verify, 200), (f"{verify}x", 403)):
        handshake = urlencode({"hub.mode": "subscribe", "hub.verify_token": given, "hub.challenge": "1"})
        assert send(stack, "GET", f"{META}?{handshake}") == status
    contacts = [{"wa_id": CUSTOMERS[1][1:], "profile": {"name": "Dan"}}]
    body = json.dumps(delivery({"messages": [message("wamid.1", **{"from": CUSTOMERS[1][1:]})], "contacts": contacts}))
    form = sms("SM1", From=CUSTOMERS[1], Body=f"STOP {CUSTOMERS[1]}")
    for spoilt, status in (("", 200), ("x", 403)):
        signature = meta_signature(body.encode(), key + spoilt)
        assert send(stack, "POST", META, body, **{"X-Hub-Signature-256": signature, "Content-Type": JSON}) == status
        signature = twilio_signature(stack.web + TWILIO, list(form.items()), token + spoilt)
        assert (
            send(stack, "POST", TWILIO, urlencode(form), **{"X-Twilio-Signature": signature, "Content-Type": FORM})
            == status
        )


def send(stack: Stack, method: str, address: str, body: str = "", **headers: str) -> int:
    """Call as a provider does; the status."""
    with closing(http.client.HTTPConnection(urlsplit(stack.web).netloc, timeout=60)) as connection:
        connection.request(method, address, body, headers)
        return connection.getresponse().status
