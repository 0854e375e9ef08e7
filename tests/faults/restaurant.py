"""A restaurant with guests to remind, a provider that notes what it accepts, and workers that get killed over it."""

import http.client
import json
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import psutil

from local.programs import wait_until
from local.provider import Accepted, StandIn
from tests.integration.stack import Process, Stack, call
from tests.integration.waiting import eventually
from tests.webhooks.conftest import META, delivery, meta_signature, status

JOB = "reservation-reminders"
NEVER_RECORDED = "no answer was recorded"
SENDERS = """
from external_apis.models import Credential, Sender

meta = Credential.objects.create(
    provider="meta", kind="access_token", label="m", account="1001", secret="EAAtoken", in_use=True)
twilio = Credential.objects.create(
    provider="twilio", kind="auth_token", label="t", account="AC1", secret="anauthtoken", in_use=True)
Sender.objects.create(provider="meta", channel="whatsapp", address="1001", credential=meta)
Sender.objects.create(provider="twilio", channel="sms", address="+40310000000", credential=twilio)
"""
BOOK = """
INSERT INTO reservations_reservation
       (reference, guest_name, phone, language, starts_at, timezone, party_size, channel, status)
SELECT %(channel)s || n, 'Guest ' || n, %(prefix)s || lpad(n::text, 6, '0'), 'ro', now() + interval '100 minutes',
       'Europe/Bucharest', 2, %(channel)s, 'booked'
  FROM generate_series(1, %(count)s) AS n
"""
PREFIXES = {"sms": "+40721", "whatsapp": "+40722"}
RUN = "SELECT to_jsonb(r) FROM jobs_run r WHERE job = %s ORDER BY state = 'running' DESC, id DESC LIMIT 1"
ATTEMPTS = """
SELECT a.id::text AS key, a.provider, a.provider_id, a.phone, a.outcome, a.status, a.detail, a.looks, a.started_at,
       a.ended_at, a.looked_at, r.state
  FROM reservations_reminderattempt a JOIN reservations_reminder r ON r.id = a.reminder_id ORDER BY a.started_at
"""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One call about a reminder, as the service recorded it, and where that left the reminder."""

    key: str
    provider: str
    provider_id: str
    phone: str
    outcome: str
    status: str
    detail: str
    looks: int
    started_at: datetime
    ended_at: datetime | None
    looked_at: datetime | None
    state: str

    @property
    def was_unknown(self) -> bool:
        """Whether its answer counted as lost, whatever came to light later."""
        return self.detail == NEVER_RECORDED or self.outcome == "unknown"

    @property
    def is_open(self) -> bool:
        """Whether it is not known, or not yet, what became of it."""
        return self.outcome == "sending" or (self.outcome == "unknown" and self.state in ("unknown", "due"))


@dataclass(kw_only=True)
class Restaurant:
    """The service on its servers, and the stand-in that its messages go to."""

    stack: Stack
    stand_in: StandIn
    kills: list[datetime] = field(default_factory=list)
    unanswered: list[Accepted] = field(default_factory=list)  # accepted, and their caller killed before it was told

    def open(self) -> None:
        """Start everything that it takes to remind guests."""
        self.stack.manage("shell", "-v0", "-c", SENDERS)
        self.stack.start_beat(wait=False)
        for group in ("cron", "cron", "scheduled"):
            self.stack.start_worker(group, wait=False)
        self.stack.start_web()
        for process in self.stack.processes:
            if process.name.startswith("worker"):
                process.wait_for(" ready.")

    def book(self, channel: str, *, count: int) -> None:
        """Tables for guests who are reminded on that channel, each with a number of their own."""
        self.stack.rows(BOOK, {"channel": channel, "prefix": PREFIXES[channel], "count": count})

    def trigger(self) -> None:
        """Have the guests reminded, over HTTP; another run may be about to do so already."""
        code, body, _ = call("POST", f"{self.stack.web}/cron/trigger/{JOB}")
        assert code in (202, 409), body

    def run(self) -> dict[str, Any]:
        """The running run of the job, or else the latest."""
        row: dict[str, Any] = self.stack.value(RUN, [JOB])
        return row

    def holder(self) -> Process:
        """The worker that works on the run; waits until there is one."""

        def found() -> Process | None:
            run = self.run()
            own = [each for each in self.stack.processes if f"#{each.pid}-" in run["worker"] and each.alive]
            return own[0] if own and run["state"] == "running" else None

        worker = eventually(found, seconds=60, what="a worker that reminds", told=self.told)
        assert worker is not None
        return worker

    def when_accepted(self, count: int) -> None:
        """Wait until the provider has accepted so many messages."""
        eventually(lambda: len(self.stand_in.messages) >= count, seconds=120, what=f"{count} messages", told=self.told)

    def kill_at_acceptance(self, provider: str, kill: Callable[[], None]) -> None:
        """Kill whoever calls between the provider's taking in a message and its answer; waits for that."""

        def listen(message: Accepted) -> None:
            if message.provider == provider and listen in self.stand_in.listeners:
                self.stand_in.listeners.remove(listen)
                kill()
                self.unanswered.append(message)

        before = len(self.unanswered)
        self.stand_in.listeners.append(listen)
        eventually(lambda: len(self.unanswered) > before, seconds=60, what="an acceptance", told=self.told)

    def taken_up_again(self, lost: dict[str, Any]) -> None:
        """Wait until guests are reminded again after an attempt was lost; a run that failed is asked for anew."""

        def state() -> str:
            run = self.run()
            others = (run["id"], run["attempt"]) != (lost["id"], lost["attempt"])
            return str(run["state"]) if run["state"] == "failed" or (others and run["state"] == "running") else ""

        if eventually(state, seconds=90, what="another attempt", told=self.told) == "failed":
            self.trigger()

    def note_kill(self) -> None:
        """Remember when somebody was killed."""
        self.kills.append(datetime.now(UTC))

    def lost_by_kill(self) -> list[int]:
        """How many answers each kill cost."""
        begun = [each.started_at for each in self.attempts() if each.was_unknown]
        return [
            sum(earlier < at < kill for at in begun)
            for earlier, kill in pairwise([datetime.min.replace(tzinfo=UTC), *self.kills])
        ]

    def attempts(self) -> list[Attempt]:
        """Every call there was, oldest first."""
        with self.stack.connection() as connection:
            cursor = connection.execute(ATTEMPTS)
            assert cursor.description
            names = [column.name for column in cursor.description]
            return [Attempt(**dict(zip(names, row, strict=True))) for row in cursor]

    def accepted(self) -> dict[str, list[str]]:
        """The ids of the messages that the providers took in, by the guest's number."""
        found: dict[str, list[str]] = {}
        for message in list(self.stand_in.messages):
            found.setdefault(message.to, []).append(message.id)
        return found

    def calls(self, to: str) -> list[str]:
        """The places at the providers that were called about a guest's number, in order."""
        named = {to, to.removeprefix("+")}
        about = [call for call in self.stand_in.calls if named & {*call.query.values(), *map(str, call.body.values())}]
        return [call.where for call in about]

    def states(self) -> Counter[str]:
        """How many reminders are in which state."""
        rows = self.stack.rows("SELECT state, count(*) FROM reservations_reminder GROUP BY state")
        return Counter(dict(rows))

    def tell_delivered(self, messages: Iterable[Accepted]) -> None:
        """Call the webhook as Meta does, with a signed status of each message in one body."""
        values = []
        for message in messages:
            at = str(int(message.created_at.timestamp()))
            values.append({"statuses": [status(message.id, timestamp=at, biz_opaque_callback_data=message.reference)]})
        body = json.dumps(delivery(*values)).encode()
        headers = {"X-Hub-Signature-256": meta_signature(body), "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection(self.stack.web.removeprefix("http://"), timeout=80)) as connection:
            connection.request("POST", META, body, headers)
            assert connection.getresponse().status == 200

    def when_told(self) -> None:
        """Wait until a worker has worked off everything that came by webhook."""
        left = "SELECT count(*) = 0 FROM external_apis_webhookevent WHERE state <> 'processed'"
        eventually(lambda: self.stack.value(left), seconds=60, what="the statuses worked off", told=self.told)

    def told(self) -> str:
        """For the message of a failing test."""
        run = {key: value for key, value in self.run().items() if key not in ("arguments", "traceback")}
        ends = [f"--- {each.name}\n" + "\n".join(each.log.splitlines()[-8:]) for each in self.stack.processes]
        return "\n".join([str(run), str(dict(self.states())), f"{len(self.stand_in.messages)} accepted", *ends])


def kill_child(worker: Process) -> Callable[[], None]:
    """SIGKILL for the process that executes the worker's run; it is dead when the call returns."""
    children = worker.children

    def kill() -> None:
        for child in children:
            child.kill()
        assert wait_until(lambda: not any(_lives(child) for child in children), seconds=60)

    return kill


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
