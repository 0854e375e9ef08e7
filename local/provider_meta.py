"""Meta's answers when all is well, or when a token is known to be dead."""

import re
import secrets
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from local.provider_http import Call, Reply
from local.provider_messages import Accepted

if TYPE_CHECKING:
    from local.provider import StandIn

APP_ID = "1000000000001"
SCOPES = ["whatsapp_business_management", "whatsapp_business_messaging"]
REVOKED = "-revoked"
LIFE = 5_184_000  # sixty days, what an exchange gives
NUMBER = {"display_phone_number": "+40 21 000 0000", "verified_name": "Trattoria", "quality_rating": "GREEN"}


def accepted(call: Call, *, at: float, created_at: datetime) -> Accepted:
    """The message in a request to /messages."""
    template: dict[str, Any] = call.body.get("template") or {}
    values = [value["text"] for part in template.get("components", []) for value in part.get("parameters", [])]
    return Accepted(
        provider="meta",
        id=f"wamid.{secrets.token_hex(20)}",
        channel="whatsapp",
        to=f"+{str(call.body.get('to', '')).removeprefix('+')}",
        sender=call.path.split("/")[-2],
        reference=call.body.get("biz_opaque_callback_data", ""),
        text=(call.body.get("text") or {}).get("body", ""),
        template=template.get("name", ""),
        language=(template.get("language") or {}).get("code", ""),
        parameters=values,
        body=call.body,
        at=at,
        created_at=created_at,
        status="accepted",
    )


def refusal(stand_in: "StandIn", call: Call) -> Reply | None:
    """The answer to a call with a token that is known to be dead, or not known to a strict stand-in."""
    if call.where == "meta.debug_token":
        return None
    token = call.query.get("fb_exchange_token") or call.headers.get("Authorization", "").removeprefix("Bearer ")
    if _facts(stand_in, token)["is_valid"]:
        return None
    error = {"message": "Error validating access token", "type": "OAuthException", "code": 190, "error_subcode": 463}
    return Reply(status=401, body={"error": {**error, "fbtrace_id": "AStandInTrace"}})


def usual(stand_in: "StandIn", call: Call, message: Accepted | None) -> Reply:
    """What Meta says when all is well."""
    match call.where:
        case "meta.messages" if message is not None:
            return Reply(body=_sent(message))
        case "meta.debug_token":
            return Reply(body={"data": _facts(stand_in, call.query.get("input_token", ""))})
        case "meta.exchange":
            return Reply(body=_exchanged(stand_in, call.query.get("fb_exchange_token", "")))
        case "meta.phone_number":
            verified = {"code_verification_status": "VERIFIED", "name_status": "APPROVED"}
            return Reply(body={**NUMBER, **verified, "id": call.path.split("/")[-1]})
        case "meta.phone_numbers":
            return Reply(body=_page([{**NUMBER, "id": "2000000000001"}]))
        case "meta.templates":
            return Reply(body=_page(_templates(call.query.get("name") or "reservation_reminder")))
    error = {"message": "Unknown path components", "type": "OAuthException", "code": 2500}
    return Reply(status=400, body={"error": error})


def _sent(message: Accepted) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "contacts": [{"input": message.body.get("to"), "wa_id": message.to.removeprefix("+")}],
        "messages": [{"id": message.id, "message_status": "accepted"}],
    }


def _facts(stand_in: "StandIn", token: str) -> dict[str, Any]:
    good = {"app_id": APP_ID, "type": "SYSTEM_USER", "is_valid": True, "issued_at": 1_700_000_000, "scopes": SCOPES}
    known = stand_in.tokens.get(token)
    if known is None and stand_in.strict:
        error = {"code": 190, "message": "The access token could not be decrypted"}
        return {"is_valid": False, "scopes": [], "error": error}
    return {**good, "expires_at": 0, "data_access_expires_at": 0, **(_told_by(token) if known is None else known)}


def _told_by(token: str) -> dict[str, Any]:
    """What a made-up token says of itself: `…-revoked`, `…-expires-1790000000`, `…-lacks-a_scope`."""
    if REVOKED in token:
        return {"is_valid": False, "scopes": [], "error": {"code": 190, "message": "The session was invalidated"}}
    facts: dict[str, Any] = {}
    if told := re.search(r"-lacks-(\w+)", token):
        facts["scopes"] = [scope for scope in SCOPES if scope != told[1]]
    if told := re.search(r"-expires-(\d+)", token):
        facts["expires_at"] = int(told[1])
        facts["is_valid"] = int(told[1]) > time.time()
    return facts


def _exchanged(stand_in: "StandIn", old: str) -> dict[str, Any]:
    token = f"EAA{secrets.token_hex(24)}"
    facts = _facts(stand_in, old)
    answer: dict[str, Any] = {"access_token": token, "token_type": "bearer"}
    if facts["expires_at"]:
        answer["expires_in"] = LIFE
        facts["expires_at"] = int(stand_in.clock().timestamp()) + LIFE
    stand_in.tokens[token] = facts
    return answer


def _page(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"data": rows, "paging": {"cursors": {"before": "QVFI", "after": "QVFI"}}}


def _templates(name: str) -> list[dict[str, Any]]:
    common = {"name": name, "status": "APPROVED", "category": "UTILITY"}
    return [{**common, "language": language, "id": f"30000{place}"} for place, language in enumerate(("ro", "en_US"))]
