"""Every line about guests and customers that a person may have to act on; no phone number stands in any of them."""

from typing import Any

import structlog
from django.dispatch import receiver

from reservations import events as of_reservations
from sessions_app import events as of_sessions

log = structlog.stdlib.get_logger("monitoring.domain_lines")


@receiver(of_reservations.reminder_parked)
def _reminder_parked(*, reminder_id: int, code: str, detail: str, **_: Any) -> None:
    say = "A reminder waits until a person has mended what is wrong."
    log.error(say, what="reminder_parked", reminder=reminder_id, code=code, reason=detail)


@receiver(of_reservations.reminder_unconfirmed)
def _reminder_unconfirmed(*, reminder_id: int, **_: Any) -> None:
    log.warning("Nobody knows whether a guest was reminded.", what="reminder_unconfirmed", reminder=reminder_id)


@receiver(of_sessions.sessions_abandoned)
def _sessions_abandoned(*, session_ids: list[int], **_: Any) -> None:
    log.warning("Sessions waited in vain.", what="sessions_abandoned", sessions=len(session_ids))


@receiver(of_sessions.sessions_handed_over)
def _sessions_handed_over(*, session_ids: list[int], **_: Any) -> None:
    say = "Sessions failed too often and wait for a person."
    log.warning(say, what="sessions_handed_over", sessions=len(session_ids))


@receiver(of_sessions.message_parked)
def _message_parked(*, message_id: int, session_id: int, why: str, **_: Any) -> None:
    log.error("A message is set aside.", what="message_parked", message=message_id, session=session_id, reason=why)


@receiver(of_sessions.message_undelivered)
def _message_undelivered(*, message_id: int, session_id: int, why: str, **_: Any) -> None:
    say = "A message did not reach its customer."
    log.warning(say, what="message_undelivered", message=message_id, session=session_id, reason=why)
