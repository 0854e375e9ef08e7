"""The rows of the demo data: the same for the same source of chance, but for the moment they are made around."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from jobs.management.demo_texts import CONVERSATIONS, FIRST_NAMES, SURNAMES
from reservations.models import Reminder, ReminderAttempt, Reservation
from sessions_app.models import Message, Session

CUSTOMERS = 700
RESERVATIONS = 1200
REFERENCE = "DEMO-"

# How many sessions of a state had their last activity so many days ago: each job finds some of its own, and none
# finds so many that its brake would stop it.
SESSIONS = (
    ("open", 380, 0, 1),
    ("open", 70, 1, 3),
    ("waiting", 180, 0, 2),
    ("waiting", 50, 2, 5),
    ("error", 110, 0, 3),
    ("resolved", 520, 0, 30),
    ("resolved", 190, 31, 170),
    ("closed", 420, 0, 179),
    ("closed", 60, 181, 270),
    ("abandoned", 200, 0, 179),
    ("abandoned", 40, 181, 270),
)

# What becomes of a booking, and how often out of a hundred times.
PAST = (["seated", "no_show", "cancelled"], [88, 5, 7])
COMING = (["booked", "cancelled"], [95, 5])


@dataclass(frozen=True, kw_only=True)
class Customer:
    """Somebody who writes and books."""

    name: str
    phone: str


def customers(chance: Random) -> list[Customer]:
    """People with Romanian names, and numbers of one small block that are valid in form."""
    numbers = chance.sample(range(100_000), CUSTOMERS)
    return [
        Customer(name=f"{chance.choice(FIRST_NAMES)} {chance.choice(SURNAMES)}", phone=f"+407000{number:05}")
        for number in numbers
    ]


def sessions(chance: Random, people: list[Customer], *, now: datetime) -> Iterator[Session]:
    """Sessions of every state and age."""
    for status, count, youngest, oldest in SESSIONS:
        for _ in range(count):
            customer = chance.choice(people)
            ended_at = now - timedelta(days=chance.uniform(youngest + 0.001, oldest))
            yield Session(
                customer_phone=customer.phone,
                customer_name=customer.name,
                channel=chance.choices(["whatsapp", "sms"], [4, 1])[0],
                status=status,
                started_at=ended_at,
                last_activity_at=ended_at,
                resolved_at=ended_at if status == "resolved" else None,
                closed_at=ended_at + timedelta(hours=24) if status in ("closed", "abandoned") else None,
                **(_error(chance, now) if status == "error" else {}),
            )


def messages(chance: Random, session: Session, *, number: int) -> list[Message]:
    """The conversation of a session; its last message is the session's last activity.

    It also moves the session's start to the first message.
    """
    conversation = chance.choice(CONVERSATIONS)
    length = chance.randint(2, len(conversation))
    if session.status in ("open", "error"):
        length -= 1 - length % 2  # the customer wrote last
    moments = [session.last_activity_at]
    for _ in range(length - 1):
        moments.append(moments[-1] - timedelta(seconds=chance.randint(20, 1800)))
    session.started_at = moments[-1]
    first_name = session.customer_name.split()[0]
    rows = [
        _message(session, text.format(first_name), sent_at=sent_at, place=place, identity=f"{number:06x}{place:02x}")
        for place, (text, sent_at) in enumerate(zip(conversation[:length], reversed(moments), strict=True))
    ]
    _leave_undone(chance, session, rows[-1])
    return rows


def reservations(chance: Random, people: list[Customer], *, now: datetime) -> Iterator[Reservation]:
    """Bookings from two months ago to a month ahead, some of them within the next two hours."""
    for number in range(RESERVATIONS):
        customer = chance.choice(people)
        soon = number < RESERVATIONS // 30
        ahead = timedelta(minutes=chance.randint(5, 119)) if soon else timedelta(days=chance.uniform(-60, 30))
        starts_at = (now + ahead).replace(second=0, microsecond=0)
        status = chance.choices(*(PAST if ahead < timedelta() else COMING))[0]
        yield Reservation(
            reference=f"{REFERENCE}{number:05}",
            guest_name=customer.name,
            phone=customer.phone,
            language=chance.choices(["ro", "en"], [9, 1])[0],
            starts_at=starts_at,
            party_size=chance.choices(range(1, 9), [1, 9, 4, 6, 2, 2, 1, 1])[0],
            channel=chance.choices(["whatsapp", "sms"], [4, 1])[0],
            status=status,
            cancelled_at=min(starts_at, now) if status == "cancelled" else None,
            created_at=min(starts_at, now) - timedelta(days=chance.uniform(0.1, 20)),
        )


def reminders(
    chance: Random, booked: list[Reservation], *, now: datetime
) -> Iterator[tuple[Reminder, ReminderAttempt]]:
    """What guests of the last two weeks were sent, each with its attempt."""
    for reservation in booked:
        age = now - reservation.starts_at
        if reservation.status not in ("seated", "no_show") or age > timedelta(days=14):
            continue
        sent_at = reservation.starts_at - timedelta(minutes=chance.randint(60, 120))
        unknown = chance.random() < 0.03
        reminder = Reminder(
            reservation=reservation,
            starts_at=reservation.starts_at,
            state="unknown" if unknown else "sent",
            reason="the provider's answer was lost" if unknown else "",
            created_at=sent_at,
            settled_at=None if unknown else sent_at,
        )
        yield (
            reminder,
            ReminderAttempt(
                reminder=reminder,
                channel=reservation.channel,
                provider="meta" if reservation.channel == "whatsapp" else "twilio",
                provider_id="" if unknown else f"demo-{reservation.reference}",
                outcome="unknown" if unknown else "sent",
                started_at=sent_at,
                ended_at=sent_at + timedelta(seconds=1),
            ),
        )


def _error(chance: Random, now: datetime) -> dict[str, Any]:
    cause, error = chance.choices(
        [
            ("provider", "ReadTimeout: the provider did not answer within 30 s"),
            ("processing", "ValueError: the message could not be read"),
            ("unreachable", "the number is not on this channel"),
        ],
        [6, 3, 1],
    )[0]
    return {
        "error_cause": cause,
        "error": error,
        "reason": "an error stopped it",
        "tries": chance.randint(0, 6),
        "next_try_at": now + timedelta(minutes=chance.randint(-600, 300)),
    }


def _message(session: Session, body: str, *, sent_at: datetime, place: int, identity: str) -> Message:
    provider = "meta" if session.channel == "whatsapp" else "twilio"
    return Message(
        session=session,
        direction="outbound" if place % 2 else "inbound",
        provider=provider,
        provider_id=f"{'wamid.demo' if provider == 'meta' else 'SMdemo'}{identity}",
        body=body,
        state="processed",
        sent_at=sent_at,
        processed_at=sent_at + timedelta(seconds=2),
    )


def _leave_undone(chance: Random, session: Session, last: Message) -> None:
    """In some sessions nobody has got to the customer's last message, and in some it could not be processed."""
    if session.status == "open" and chance.random() < 0.5:
        last.state, last.processed_at = "unprocessed", None
    elif session.status == "error" and session.error_cause == "processing":
        last.state, last.processed_at, last.attempts, last.last_error = "parked", None, 5, session.error
        last.parked_for = "failing"
    elif session.status == "waiting" and last.direction == "outbound" and chance.random() < 0.2:
        # Lost answers only where the provider has to tell: to look for them twice at the other takes a minute.
        states = ["unprocessed", "sending", "unknown"] if last.provider == "meta" else ["unprocessed"]
        last.state, last.processed_at, last.provider_id = chance.choice(states), None, ""
        if last.state != "unprocessed":
            last.attempt_reference, last.attempt_at = UUID(int=chance.getrandbits(128)), last.sent_at
