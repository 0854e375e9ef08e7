"""Twilio's answers when all is well."""

import base64
import json
import secrets
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from local.provider_http import Call, Reply
from local.provider_messages import Accepted

if TYPE_CHECKING:
    from local.provider import StandIn

REVOKED = b"-revoked"
PAGE_SIZE = 50
PREFIX = "whatsapp:"


def accepted(call: Call, *, at: float, created_at: datetime) -> Accepted:
    """The message in a request to Messages.json."""
    form = call.body
    callback = form.get("StatusCallback", "")
    in_service = "MessagingServiceSid" in form
    return Accepted(
        provider="twilio",
        id=f"SM{secrets.token_hex(16)}",
        channel="whatsapp" if form.get("To", "").startswith(PREFIX) else "sms",
        to=form.get("To", "").removeprefix(PREFIX),
        sender=form.get("From", "").removeprefix(PREFIX) or form.get("MessagingServiceSid", ""),
        reference=parse_qs(urlsplit(callback).query).get("reference", [""])[0],
        text=form.get("Body", ""),
        template=form.get("ContentSid", ""),
        parameters=[str(value) for value in json.loads(form.get("ContentVariables") or "{}").values()],
        callback=callback,
        body=form,
        at=at,
        created_at=created_at,
        status="accepted" if in_service else "queued",
    )


def refusal(call: Call) -> Reply | None:
    """The answer to a call with a made-up secret that ends in `-revoked`."""
    _, _, encoded = call.headers.get("Authorization", "").partition(" ")
    if not base64.b64decode(encoded).endswith(REVOKED):
        return None
    error = {"code": 20003, "message": "Authenticate", "more_info": "", "status": 401}
    return Reply(status=401, body=error)


def usual(stand_in: "StandIn", call: Call, message: Accepted | None) -> Reply:
    """What Twilio says when all is well."""
    account = call.path.split("/")[3].removesuffix(".json") if call.where != "twilio.keys" else ""
    match call.where:
        case "twilio.messages" if message is not None:
            return Reply(status=201, body=resource(message, account))
        case "twilio.list":
            return Reply(body=_listed(stand_in.messages, call, account))
        case "twilio.message":
            found = [each for each in stand_in.messages if call.path.endswith(f"/{each.id}.json")]
            return Reply(body=resource(found[0], account)) if found else not_found()
        case "twilio.account":
            body = {"sid": account, "friendly_name": "Trattoria", "status": "active", "type": "Full"}
            return Reply(body={**body, "auth_token": "the-auth-token-in-the-account-body"})
        case "twilio.keys":
            return _keys(stand_in.keys, call)
        case "twilio.auth_tokens":
            name = "secondary_auth_token" if call.path.endswith("Secondary") else "auth_token"
            return Reply(status=200, body={"account_sid": "AC", name: secrets.token_hex(16)})
    return not_found()


def not_found() -> Reply:
    """What Twilio says to an address that it does not know."""
    return Reply(status=404, body={"code": 20404, "message": "The requested resource was not found", "status": 404})


def resource(message: Accepted, account: str) -> dict[str, Any]:
    """A message as Twilio shows it."""
    prefix = PREFIX if message.channel == "whatsapp" else ""
    in_service = message.sender.startswith("MG")
    created = format_datetime(message.created_at.astimezone(UTC))
    return {
        "sid": message.id,
        "account_sid": account,
        "to": f"{prefix}{message.to}",
        "from": None if in_service else f"{prefix}{message.sender}",
        "messaging_service_sid": message.sender if in_service else None,
        "body": message.text,
        "status": message.status,
        "direction": "outbound-api",
        "error_code": message.error_code,
        "error_message": None,
        "date_created": created,
        "date_updated": created,
        "date_sent": None,
        "uri": f"/2010-04-01/Accounts/{account}/Messages/{message.id}.json",
    }


def _listed(messages: list[Accepted], call: Call, account: str) -> dict[str, Any]:
    shown = [resource(each, account) for each in messages if each.provider == "twilio"]
    filters = {"To": "to", "From": "from"}
    for name in filters.keys() & call.query.keys():
        shown = [each for each in shown if each[filters[name]] == call.query[name]]
    shown.reverse()  # newest first
    size, page = int(call.query.get("PageSize", PAGE_SIZE)), int(call.query.get("Page", 0))
    more = len(shown) > (page + 1) * size
    following = urlencode({**call.query, "PageSize": size, "Page": page + 1, "PageToken": f"PA{page}"})
    return {
        "messages": shown[page * size : (page + 1) * size],
        "page": page,
        "page_size": size,
        "next_page_uri": f"{call.path}?{following}" if more else None,
    }


def _keys(keys: dict[str, str], call: Call) -> Reply:
    sid = call.path.removeprefix("/v1/Keys").strip("/")
    match call.method:
        case "POST":
            sid = f"SK{secrets.token_hex(16)}"
            keys[sid] = call.body.get("FriendlyName", "")
            return Reply(status=201, body={**_key(sid, keys[sid]), "secret": secrets.token_hex(16)})
        case "DELETE":
            return Reply(status=204) if keys.pop(sid, None) is not None else not_found()
    shown = [_key(sid, name) for sid, name in keys.items()]
    return Reply(body={"keys": shown, "meta": {"page": 0, "page_size": PAGE_SIZE, "next_page_url": None}})


def _key(sid: str, name: str) -> dict[str, Any]:
    return {"sid": sid, "friendly_name": name, "date_created": "Wed, 01 Jan 2025 10:00:00 +0000"}
