"""How far a message came, as the provider reports it: repeatedly, in any order, and sometimes before its own answer."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from sessions_app import events
from sessions_app.models import Message, MessageQuerySet

Delivery = Message.Delivery

# A report moves a message forward in this order and never back.
ORDER = ("", Delivery.SENT, Delivery.UNDELIVERED, Delivery.FAILED, Delivery.DELIVERED, Delivery.READ)
NOT_REACHED = (Delivery.UNDELIVERED, Delivery.FAILED)


def note_delivery(
    *, provider: str, provider_id: str, reference: str, status: str, code: str, detail: str, at: datetime
) -> bool:
    """Note a report about a message to a customer; False when it is none of ours.

    Whatever a report says, it shows that the provider has the message: one that was being sent, or of which nobody
    knew, is sent by that, under the provider's id.
    """
    with transaction.atomic():
        message = _reported_on(provider, provider_id, reference)
        if message is None:
            return False
        changes = _has_it(message, provider_id, at=at) | _further(message, status, code=code, detail=detail, at=at)
        if changes:
            Message.objects.filter(pk=message.pk).update(**changes)
        if changes.get("delivery") in NOT_REACHED:
            why = changes["last_error"]
            events.announce(events.message_undelivered, message_id=message.pk, session_id=message.session_id, why=why)
    return True


def _reported_on(provider: str, provider_id: str, reference: str) -> Message | None:
    """By the provider's id, or, as long as it has none, by the attempt."""
    ours = Message.objects.outbound().select_for_update()
    found = ours.filter(provider=provider, provider_id=provider_id).first() if provider_id else None
    return found or _attempted_as(reference, ours.filter(provider=provider))


def _attempted_as(reference: str, ours: MessageQuerySet) -> Message | None:
    try:
        return ours.filter(attempt_reference=UUID(reference)).first()
    except ValueError:
        return None


def _has_it(message: Message, provider_id: str, *, at: datetime) -> dict[str, Any]:
    """What is new when a message that was not known to be sent turns out to be."""
    adopted = {"provider_id": provider_id} if provider_id and not message.provider_id else {}
    if message.state == Message.State.PROCESSED:
        return adopted
    sent = {"state": Message.State.PROCESSED, "processed_at": at, "parked_for": "", "next_try_at": None}
    return {**adopted, **sent, "last_error": ""}


def _further(message: Message, status: str, *, code: str, detail: str, at: datetime) -> dict[str, Any]:
    if status not in ORDER or ORDER.index(status) <= ORDER.index(message.delivery):
        return {}
    why = f"{detail or 'it did not reach the customer'}{f' (code {code})' if code else ''}"
    return {"delivery": status, "delivery_at": at, "last_error": why if status in NOT_REACHED else ""}
