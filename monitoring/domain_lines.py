"""Every line about the islands: a constant sentence, and fields of which one is `what`."""

from datetime import datetime
from typing import Any

import structlog
from django.dispatch import receiver

from external_apis import events as external
from external_apis.models import Credential, Sender
from maintenance import events as maintenance
from reservations import events as reservations
from sessions_app import events as sessions

log = structlog.stdlib.get_logger("monitoring.domain_lines")


@receiver(external.webhook_refused)
def _webhook_refused(*, provider: str, why: str, **_: Any) -> None:
    log.warning("A webhook was refused.", what="webhook_refused", provider=provider, reason=why)


@receiver(external.webhook_ignored)
def _webhook_ignored(*, provider: str, count: int, **_: Any) -> None:
    log.info("Parts of a webhook say nothing to us.", what="webhook_ignored", provider=provider, count=count)


@receiver(external.webhook_event_parked)
def _webhook_event_parked(*, event_id: int, why: str, **_: Any) -> None:
    say = "A webhook event failed too often and is set aside."
    log.error(say, what="webhook_event_parked", webhook_event=event_id, reason=why)


@receiver(external.sender_paused)
def _sender_paused(*, sender: Sender, because: str, **_: Any) -> None:
    log.error("A sender is paused.", what="sender_paused", **_of_sender(sender), reason=because)


@receiver(external.sender_resumed)
def _sender_resumed(*, sender: Sender, paused_at: datetime, now: datetime, **_: Any) -> None:
    seconds = round((now - paused_at).total_seconds())
    log.warning("A sender goes on.", what="sender_resumed", **_of_sender(sender), paused_s=seconds)


@receiver(external.credential_refused)
def _credential_refused(*, credential: Credential, why: str, **_: Any) -> None:
    log.error("A credential is refused.", what="credential_refused", **_of_credential(credential), reason=why)


@receiver(external.credential_accepted)
def _credential_accepted(*, credential: Credential, **_: Any) -> None:
    log.warning("A credential is accepted again.", what="credential_accepted", **_of_credential(credential))


@receiver(external.credential_retired)
def _credential_retired(*, credential: Credential, **_: Any) -> None:
    say = "A credential that was refused is no longer in use."
    log.info(say, what="credential_retired", **_of_credential(credential))


@receiver(external.credential_kept)
def _credential_kept(*, credential: Credential, why: str, **_: Any) -> None:
    say = "A credential would be deleted, were it not in use: replace it."
    log.error(say, what="credential_kept", **_of_credential(credential), reason=why)


@receiver(sessions.sessions_abandoned)
def _sessions_abandoned(*, session_ids: list[int], **_: Any) -> None:
    log.warning("Sessions waited in vain and were given up.", what="sessions_abandoned", sessions=len(session_ids))


@receiver(sessions.sessions_handed_over)
def _sessions_handed_over(*, session_ids: list[int], **_: Any) -> None:
    log.warning(
        "Sessions failed too often and wait for a person.", what="sessions_handed_over", sessions=len(session_ids)
    )


@receiver(sessions.message_parked)
def _message_parked(*, message_id: int, session_id: int, why: str, **_: Any) -> None:
    fields = {"message": message_id, "session": session_id, "reason": why}
    log.error("A message is set aside.", what="message_parked", **fields)


@receiver(sessions.message_undelivered)
def _message_undelivered(*, message_id: int, session_id: int, why: str, **_: Any) -> None:
    fields = {"message": message_id, "session": session_id, "reason": why}
    log.error("A message did not reach its customer.", what="message_undelivered", **fields)


@receiver(reservations.reminder_wanted)
def _reminder_wanted(*, reminder_ids: list[int], **_: Any) -> None:
    log.info("Reminders are wanted now.", what="reminder_wanted", reminders=reminder_ids)


@receiver(reservations.reminder_parked)
def _reminder_parked(*, reminder_id: int, code: str, detail: str, **_: Any) -> None:
    say = "A reminder waits for a person: the template, the sender or the credential is wrong."
    log.error(say, what="reminder_parked", reminder=reminder_id, code=code, reason=detail)


@receiver(reservations.reminder_unconfirmed)
def _reminder_unconfirmed(*, reminder_id: int, **_: Any) -> None:
    log.error("Nobody knows whether a guest was reminded.", what="reminder_unconfirmed", reminder=reminder_id)


@receiver(maintenance.backup_failed)
def _backup_failed(*, backup_id: str, why: str, **_: Any) -> None:
    log.error("No backup was made.", what="backup_failed", backup=backup_id, reason=why)


@receiver(maintenance.backup_unproven)
def _backup_unproven(*, backup_id: str, why: str, **_: Any) -> None:
    say = "A backup was not shown to give back what it should."
    log.error(say, what="backup_unproven", backup=backup_id, reason=why)


@receiver(maintenance.proof_overdue)
def _proof_overdue(*, why: str, **_: Any) -> None:
    log.error("There should be a newer proven backup.", what="proof_overdue", reason=why)


def _of_sender(sender: Sender) -> dict[str, Any]:
    return {"provider": sender.provider, "channel": sender.channel, "sender": sender.pk}


def _of_credential(credential: Credential) -> dict[str, Any]:
    return {"provider": credential.provider, "credential": credential.pk, "label": credential.label}
