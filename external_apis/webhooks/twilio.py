"""What Twilio's webhooks say: one form for each message from a customer, one for each step of a message of ours."""

import re
from collections.abc import Mapping
from datetime import datetime

from external_apis.models import Channel, Provider
from external_apis.webhooks import Inbound, Parsed, Status
from external_apis.webhooks.reading import LONGEST_CODE, LONGEST_NAME, detail, identity, in_brackets, phone, text

STATUSES = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "failed",
}
SILENT = {"queued", "accepted", "scheduled", "sending"}  # steps on the way out, of which we make nothing
WHATSAPP = "whatsapp:"
MOST_MEDIA = 10

Form = Mapping[str, str]


def is_status(form: Form) -> bool:
    """Whether a form tells of a message of ours; one from a customer has no MessageStatus."""
    return "MessageStatus" in form


def parse(form: Form, *, reference: str, now: datetime) -> Parsed:
    """The event in a form, if there is one for us; `reference` is what the callback's own address carried."""
    if not is_status(form):
        return Parsed.of([_message(form, now)])
    if form["MessageStatus"] in SILENT:
        return Parsed.of([])
    return Parsed.of([_status(form, reference, now)])


def _message(form: Form, now: datetime) -> Inbound | None:
    provider_id, sender = _sid(form), form.get("From", "")
    number = phone(sender.removeprefix(WHATSAPP))
    if not provider_id or not number:
        return None
    kind = _kind(form)
    return Inbound(
        provider=Provider.TWILIO.value,
        provider_id=provider_id,
        channel=(Channel.WHATSAPP if sender.startswith(WHATSAPP) else Channel.SMS).value,
        phone=number,
        name=text(form.get("ProfileName"))[:LONGEST_NAME],
        body=_body(form, kind),
        sent_at=now,  # the form tells no time; it comes within seconds
        kind=kind,
    )


def _sid(form: Form) -> str:
    return identity(form.get("MessageSid") or form.get("SmsSid"))


def _kind(form: Form) -> str:
    if media := _media(form):
        return media[0]
    return "location" if form.get("Latitude") and form.get("Longitude") else "text"


def _body(form: Form, kind: str) -> str:
    said = text(form.get("Body"))
    if kind == "location":
        where = [form.get("Label"), form.get("Address"), f"{form['Latitude']},{form['Longitude']}"]
        return in_brackets(kind, ", ".join(filter(None, map(text, where))), said)
    return " ".join(filter(None, (*(in_brackets(each) for each in _media(form)), said)))


def _media(form: Form) -> list[str]:
    """The kind of each enclosed file, from its media type."""
    number = form.get("NumMedia", "")
    count = int(number) if re.fullmatch(r"[0-9]{1,2}", number) else 0
    types = (form.get(f"MediaContentType{index}", "") for index in range(min(count, MOST_MEDIA)))
    return [
        family if (family := each.partition("/")[0]) in ("image", "audio", "video") else "document" for each in types
    ]


def _status(form: Form, reference: str, now: datetime) -> Status | None:
    provider_id, word = _sid(form), STATUSES.get(form["MessageStatus"])
    if not provider_id or word is None:
        return None
    return Status(
        provider=Provider.TWILIO.value,
        provider_id=provider_id,
        reference=text(reference),
        status=word,
        code=text(form.get("ErrorCode"))[:LONGEST_CODE],
        detail=detail(form.get("ErrorMessage"), "canceled" if form["MessageStatus"] == "canceled" else ""),
        at=now,
    )
