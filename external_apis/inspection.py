"""Asking a provider what it thinks of a credential."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from external_apis.connections import Connections
from external_apis.encryption import MASK, WrongKey
from external_apis.models import Credential, Provider
from external_apis.providers.answers import Answer, Meaning, ProviderError, Scope
from external_apis.providers.twilio import TwilioClient
from external_apis.verdict import NotAnswered, Verdict, by_expiry

SENDING, READING = "whatsapp_business_messaging", "whatsapp_business_management"
RIGHTS = {SENDING: "send", READING: "read numbers and templates"}
UNSETTLED = (Meaning.RETRY, Meaning.THROTTLE, Meaning.UNKNOWN)
NO_SUCH = frozenset({"20404"})  # Twilio: the account is not there for these names
SEES_ACCOUNT = (Credential.Kind.AUTH_TOKEN, Credential.Kind.MAIN_KEY)
ACTIVE = "active"


def inspect(credential: Credential, *, connections: Connections, now: datetime) -> Verdict:
    """What is to be recorded about the credential; raises NotAnswered when nothing is."""
    try:
        verdict = _ask(credential, connections, now=now)
    except WrongKey as refused:
        raise NotAnswered(str(refused)) from None
    except NotAnswered as why:
        raise NotAnswered(masked(str(why), credential, connections)) from None
    return replace(verdict, why=masked(verdict.why, credential, connections))


def masked(text: str, credential: Credential, connections: Connections) -> str:
    """A text of the provider's without the secrets that it may quote."""
    for secret in filter(None, (credential.secret.reveal(), connections.config.meta.app_secret)):
        text = text.replace(secret, MASK)
    return text


def settled(failed: ProviderError) -> Answer:
    """The answer, when it is one that says something about the credential; else raises NotAnswered."""
    answer = failed.answer
    if answer.meaning in UNSETTLED or (not answer.code and answer.meaning != Meaning.DISABLE):
        raise NotAnswered(worded(answer)) from None
    return answer


def worded(answer: Answer) -> str:
    """An answer in words for people."""
    told = answer.detail or answer.status or "it gave no reason"
    return f"{told} (code {answer.code})" if answer.code else told


def _ask(credential: Credential, connections: Connections, *, now: datetime) -> Verdict:
    if credential.provider == Provider.META:
        return _meta(credential, connections, now=now)
    return _twilio(credential, connections.twilio(credential), now=now)


def _meta(credential: Credential, connections: Connections, *, now: datetime) -> Verdict:
    client = connections.meta(credential)
    try:
        facts = client.debug_token()
    except ProviderError as failed:
        return _about_asking(settled(failed), connections, {"checked_at": now})
    told: dict[str, Any] = {"checked_at": now, "scopes": list(facts.scopes)}
    if not facts.is_valid:
        why = f"Meta refuses it: {facts.why or 'it gave no reason'}"
        dead = {"expires_at": facts.expires_at} if facts.expires_at else {}
        return Verdict(status=Credential.Status.INVALID, why=why, told={"checked_at": now, **dead})
    told["expires_at"] = facts.expires_at
    told["still_sends"] = SENDING in facts.scopes
    if missing := [right for right in RIGHTS if right not in facts.scopes]:
        return _insufficient("; ".join(f"it lacks {right}, to {RIGHTS[right]}" for right in missing), told)
    try:
        if credential.account:
            client.phone_number(credential.account)
    except ProviderError as failed:
        return _about_number(settled(failed), told)
    return by_expiry(facts.expires_at, now=now, told={**told, "still_sends": False})


def _about_asking(answer: Answer, connections: Connections, told: dict[str, Any]) -> Verdict:
    # Meta answers for a dead token too: where the app asks, an error is about the app; else the token asks for itself.
    app = connections.config.meta
    if app.app_id and app.app_secret:
        raise NotAnswered(
            f"Meta refuses to ask for the app, are META_APP_ID and META_APP_SECRET right? {worded(answer)}"
        )
    if answer.right:
        raise NotAnswered(
            f"It may not ask for itself; with META_APP_ID and META_APP_SECRET it need not. {worded(answer)}"
        )
    if answer.meaning != Meaning.DISABLE:
        raise NotAnswered(worded(answer))
    return Verdict(status=Credential.Status.INVALID, why=f"Meta refuses it: {worded(answer)}", told=told)


def _about_number(answer: Answer, told: dict[str, Any]) -> Verdict:
    if answer.right:
        return _insufficient(f"it lacks {answer.right}, to read the number: {worded(answer)}", told)
    if answer.meaning == Meaning.DISABLE and answer.scope == Scope.CREDENTIAL:
        why = f"Meta refuses it: {worded(answer)}"
        return Verdict(status=Credential.Status.INVALID, why=why, told={**told, "still_sends": False})
    return _insufficient(f"it cannot read the phone number id of its account: {worded(answer)}", told)


def _insufficient(why: str, told: dict[str, Any]) -> Verdict:
    return Verdict(status=Credential.Status.INSUFFICIENT, why=why, told=told)


def _twilio(credential: Credential, client: TwilioClient, *, now: datetime) -> Verdict:
    told: dict[str, Any] = {"checked_at": now}
    try:
        client.probe()
    except ProviderError as failed:
        answer = settled(failed)
        if answer.meaning != Meaning.DISABLE and answer.code not in NO_SUCH:
            raise NotAnswered(worded(answer)) from None
        return Verdict(status=Credential.Status.INVALID, why=f"Twilio refuses it: {worded(answer)}", told=told)
    if credential.kind not in SEES_ACCOUNT:
        return Verdict(status=Credential.Status.VALID, told=told)
    status = account_status(client)
    told |= {"account_status": status or credential.account_status}
    if status not in ("", ACTIVE):
        return Verdict(status=Credential.Status.INVALID, why=f"its Twilio account is {status}", told=told)
    return Verdict(status=Credential.Status.VALID, told=told)


def account_status(client: TwilioClient) -> str:
    """The account's status in Twilio's own word; empty when this credential may not read it."""
    try:
        return client.account_status()
    except ProviderError as failed:
        settled(failed)
        return ""
