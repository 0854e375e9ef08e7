"""Meta's Graph API: the calls that this service makes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from external_apis.providers.answers import Answer, Meaning, ProviderError, Scope, lost
from external_apis.providers.meta_codes import MANAGING, SENDING
from external_apis.providers.meta_errors import judge
from external_apis.providers.meta_facts import (
    NewToken,
    PhoneNumber,
    TemplateFacts,
    TokenFacts,
    new_token,
    phone_number,
    template_facts,
    text_in,
    token_facts,
)
from external_apis.providers.received import Received, unreadable
from external_apis.providers.tables import word_in
from external_apis.providers.wording import on_one_line

if TYPE_CHECKING:
    from external_apis.providers.http import HttpSession

LONGEST_REFERENCE = 512
PAGE_SIZE = 100
MOST_PAGES = 50
NUMBER_FIELDS = "display_phone_number,verified_name,quality_rating,code_verification_status,name_status"


class MetaClient:
    """Calls with one token; reading raises ProviderError, sending answers whatever happens."""

    def __init__(
        self, *, url: str, version: str, token: str, app_id: str = "", app_secret: str = "", session: "HttpSession"
    ) -> None:
        self._base = f"{url}/{version}"
        self._token = token
        self._app_id = app_id
        self._app_secret = app_secret
        self._session = session

    def debug_token(self, input_token: str = "") -> TokenFacts:
        """What Meta knows of a token, by default our own; asked in the app's name where that is configured."""
        as_app = bool(self._app_id and self._app_secret)
        asking = f"{self._app_id}|{self._app_secret}" if as_app else self._token
        query = {"input_token": input_token or self._token, "access_token": asking}
        try:
            received = self._get("debug_token", query, bearer=asking)
        except ProviderError as error:
            if as_app and error.answer.meaning == Meaning.DISABLE:
                raise ProviderError(_app_refused(error.answer)) from None
            raise
        data = received.data().get("data")
        if not isinstance(data, dict) or not isinstance(data.get("is_valid"), bool):
            raise ProviderError(unreadable(received, sending=False))
        return token_facts(data, secrets=[*self._secrets(), input_token])

    def exchange_token(self, *, now: datetime) -> NewToken:
        """A new token for ours, which has to be alive."""
        if not (self._app_id and self._app_secret):
            missing = "Tokens can be exchanged only with META_APP_ID and META_APP_SECRET."
            raise ProviderError(Answer(meaning=Meaning.CONFIG, scope=Scope.CREDENTIAL, detail=missing))
        app = {"client_id": self._app_id, "client_secret": self._app_secret}
        query = {"grant_type": "fb_exchange_token", **app, "fb_exchange_token": self._token}
        received = self._get("oauth/access_token", query)
        if not text_in(received.data(), "access_token"):
            raise ProviderError(unreadable(received, sending=False))
        return new_token(received.data(), now=now)

    def phone_number(self, phone_number_id: str) -> PhoneNumber:
        """A number and how it is doing."""
        received = self._get(phone_number_id, {"fields": NUMBER_FIELDS})
        if not word_in(received.data().get("id")):
            raise ProviderError(unreadable(received, sending=False))
        return phone_number(received.data())

    def phone_numbers(self, waba_id: str) -> list[PhoneNumber]:
        """The numbers of a WhatsApp business account."""
        return [phone_number(row) for row in self._rows(f"{waba_id}/phone_numbers", {"fields": f"id,{NUMBER_FIELDS}"})]

    def templates(self, waba_id: str, name: str = "") -> list[TemplateFacts]:
        """The templates of a WhatsApp business account, or those of one name."""
        rows = self._rows(f"{waba_id}/message_templates", {"name": name} if name else {})
        return [template_facts(row) for row in rows]

    def send(
        self,
        phone_number_id: str,
        *,
        to: str,
        reference: str,
        text: str = "",
        template: str = "",
        language: str = "",
        parameters: Sequence[str] = (),
    ) -> Answer:
        """Send a template where one is named, else the text."""
        content = _template(template, language, parameters) if template else {"type": "text", "text": {"body": text}}
        payload = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": to.removeprefix("+"),
            **content,
            "biz_opaque_callback_data": reference[:LONGEST_REFERENCE],
        }
        try:
            headers = {"Authorization": self._authorization(self._token)}
            url = f"{self._base}/{phone_number_id}/messages"
            received = self._session.request("POST", url, headers=headers, json=payload, sending=True)
        except ProviderError as error:
            return error.answer
        if received.succeeded and (sent := _sent(received.data())):
            return sent
        return judge(received, right=SENDING, sending=True, secrets=[*self._secrets(), to, to.removeprefix("+")])

    def _get(self, path: str, query: dict[str, str], *, bearer: str = "") -> Received:
        headers = {"Authorization": self._authorization(bearer or self._token)}
        received = self._session.request("GET", f"{self._base}/{path}", headers=headers, query=query)
        if not received.succeeded or "error" in received.data():
            secrets = [*self._secrets(), query.get("input_token", "")]
            raise ProviderError(judge(received, right=MANAGING, secrets=secrets))
        return received

    def _rows(self, path: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
        """All rows, page by page; the next page's address is not used, since it holds the token."""
        query = {**query, "limit": str(PAGE_SIZE)}
        for _ in range(MOST_PAGES):
            received = self._get(path, query)
            rows, paging = received.data().get("data"), received.data().get("paging")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise ProviderError(unreadable(received, sending=False))
            yield from rows
            if not isinstance(paging, dict) or "next" not in paging:
                return
            query["after"] = text_in(paging.get("cursors"), "after")
        raise ProviderError(lost("The list does not end.", sending=False))

    def _authorization(self, token: str) -> str:
        if not token.isascii() or not token.isprintable() or " " in token or not token:
            why = "The token is empty or holds characters that no token has."
            raise ProviderError(Answer(meaning=Meaning.DISABLE, scope=Scope.CREDENTIAL, detail=why))
        return f"Bearer {token}"

    def _secrets(self) -> tuple[str, str]:
        return self._token, self._app_secret


def _template(name: str, language: str, parameters: Sequence[str]) -> dict[str, Any]:
    values = [{"type": "text", "text": on_one_line(each)} for each in parameters]
    components = [{"type": "body", "parameters": values}] if values else []
    return {"type": "template", "template": {"name": name, "language": {"code": language}, "components": components}}


def _app_refused(answer: Answer) -> Answer:
    """It is the app that is not accepted: nothing has been said of the token that was asked about."""
    detail = f"META_APP_ID or META_APP_SECRET is not accepted. {answer.detail}"
    return replace(answer, meaning=Meaning.CONFIG, detail=detail)


def _sent(data: dict[str, Any]) -> Answer | None:
    messages = data.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    message_id = word_in(first.get("id")) if isinstance(first, dict) else ""
    if not isinstance(first, dict) or not message_id:
        return None
    return Answer(meaning=Meaning.DONE, provider_id=message_id, status=word_in(first.get("message_status")))
