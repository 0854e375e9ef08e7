"""Twilio's REST API: the calls that this service makes."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from external_apis.providers.answers import Answer, Meaning, ProviderError, Scope, lost
from external_apis.providers.received import Received, unreadable
from external_apis.providers.tables import code_in, word_in
from external_apis.providers.twilio_codes import REFUSED
from external_apis.providers.twilio_errors import judge
from external_apis.providers.twilio_facts import Key, SentMessage, key, sent_message
from external_apis.providers.wording import on_one_line

if TYPE_CHECKING:
    from external_apis.providers.http import HttpSession

LONGEST_BODY = 1600
LONGEST_VALIDITY = 36_000  # seconds
PAGE_SIZE = 50
MOST_PAGES = 50
SERVICE = "MG"
PREFIX = "whatsapp:"


class TwilioClient:
    """Calls with one credential; reading raises ProviderError, sending answers whatever happens."""

    def __init__(
        self,
        *,
        api_url: str,
        iam_url: str,
        accounts_url: str,
        account_sid: str,
        username: str,
        secret: str,
        session: "HttpSession",
    ) -> None:
        self._account = f"{api_url}/2010-04-01/Accounts/{account_sid}"
        self._api_url = api_url
        self._iam_url = iam_url
        self._accounts_url = accounts_url
        self._account_sid = account_sid
        self._secret = secret
        self._basic = base64.b64encode(f"{username}:{secret}".encode()).decode()
        self._session = session

    def probe(self) -> None:
        """Whether the credential is accepted, asked in the way that every healthy kind of key may."""
        received = self._request("GET", f"{self._account}/Messages.json", query={"PageSize": "1"})
        if not isinstance(received.data().get("messages"), list) or not received.succeeded:
            raise ProviderError(judge(received, secrets=self._secrets()))

    def account_status(self) -> str:
        """The account's state in Twilio's word; nothing else of the answer is kept, for it holds the auth token."""
        received = self._get(f"{self._account}.json", right="read the account")
        status = word_in(received.data().get("status"))
        if not status:
            raise ProviderError(unreadable(received, sending=False))
        return status

    def keys(self) -> list[Key]:
        """The account's API keys."""
        query = {"AccountSid": self._account_sid, "PageSize": str(PAGE_SIZE)}
        return [key(row) for row in self._rows(f"{self._iam_url}/v1/Keys", query, "keys", right="read API keys")]

    def send(
        self,
        *,
        channel: str,
        sender: str,
        to: str,
        body: str = "",
        content_sid: str = "",
        content_variables: Mapping[str, str] | None = None,
        status_callback: str = "",
        valid_for: timedelta | None = None,
    ) -> Answer:
        """Send an approved content where one is named, else the text; the sender is a number or a service's SID."""
        form = {
            "To": on_channel(to, channel),
            **(
                {"MessagingServiceSid": sender} if sender.startswith(SERVICE) else {"From": on_channel(sender, channel)}
            ),
            **(_content(content_sid, content_variables or {}) if content_sid else {"Body": fitting(body)}),
            **({"StatusCallback": status_callback} if status_callback else {}),
            **({} if valid_for is None else {"ValidityPeriod": _validity(valid_for)}),
        }
        try:
            received = self._request("POST", f"{self._account}/Messages.json", form=form, sending=True)
        except ProviderError as error:
            return error.answer
        if received.succeeded and (sent := _sent(received.data())):
            return sent
        secrets = [*self._secrets(), to, sender]
        answer = judge(received, sending=True, channel=channel, secrets=secrets)
        if answer.code != str(REFUSED):
            return answer
        settled = self._settled(answer, right="send messages")
        return replace(settled, scope=Scope.SENDER) if settled.right else settled

    def messages_to(self, to: str, *, since: datetime, channel: str = "") -> Iterator[SentMessage]:
        """What was sent to the number, newest first and back to `since`, whose fraction of a second does not count.

        Times are those at which Twilio took the messages in: what has not left yet has no other.
        """
        query = {"To": on_channel(to, channel), "PageSize": str(PAGE_SIZE)}
        earliest = since.replace(microsecond=0)  # Twilio knows whole seconds
        for row in self._rows(f"{self._account}/Messages.json", query, "messages", right="read messages"):
            message = sent_message(row)
            if message.created_at < earliest:
                return
            yield message

    def new_secondary_token(self) -> str:
        """A second auth token, valid beside the first until it is promoted."""
        return self._new_token("Secondary", "secondary_auth_token")

    def promote_secondary_token(self) -> str:
        """Make the second auth token the only one: the old one dies at once, also as the key of webhook signatures."""
        return self._new_token("Promote", "auth_token")

    def _new_token(self, action: str, name: str) -> str:
        received = self._request("POST", f"{self._accounts_url}/v1/AuthTokens/{action}", sending=True)
        token = received.data().get(name)
        if received.succeeded and isinstance(token, str) and token:
            return token
        answer = judge(received, sending=True, secrets=self._secrets())
        right = "change auth tokens"
        raise ProviderError(self._settled(answer, right=right) if answer.code == str(REFUSED) else answer)

    def _rows(self, url: str, query: dict[str, str], name: str, *, right: str) -> Iterator[dict[str, Any]]:
        """All rows, page by page; of the next page's address only the query is taken, so we stay with this host."""
        for _ in range(MOST_PAGES):
            received = self._get(url, query=query, right=right)
            data = received.data()
            rows = data.get(name)
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise ProviderError(unreadable(received, sending=False))
            yield from rows
            meta = data.get("meta")
            following = data.get("next_page_uri") or (meta.get("next_page_url") if isinstance(meta, dict) else None)
            if not following:
                return
            query = dict(parse_qsl(urlsplit(str(following)).query))
        raise ProviderError(lost("The list does not end.", sending=False))

    def _get(self, url: str, *, right: str, query: Mapping[str, str] | None = None) -> Received:
        received = self._request("GET", url, query=query)
        if received.succeeded and code_in(received.data().get("code")) is None:
            return received
        answer = judge(received, secrets=self._secrets())
        raise ProviderError(self._settled(answer, right=right) if answer.code == str(REFUSED) else answer)

    def _settled(self, refused: Answer, *, right: str) -> Answer:
        """Whether the credential is refused, or only this use of it: healthy keys of some kinds lack rights."""
        try:
            self.probe()
        except ProviderError as error:
            probed = error.answer
        else:
            detail = f"The credential lacks the right to {right}."
            return replace(refused, scope=Scope.RECIPIENT, right=right, detail=detail)
        if probed.meaning == Meaning.DISABLE:
            return refused
        unsure = "The credential was refused, and whether it is the credential or this use could not be found out."
        return Answer(meaning=Meaning.RETRY, code=refused.code, detail=unsure, wait=probed.wait)

    def _request(self, method: str, url: str, *, sending: bool = False, **content: Any) -> Received:
        headers = {"Authorization": f"Basic {self._basic}"}
        return self._session.request(method, url, headers=headers, sending=sending, **content)

    def _secrets(self) -> tuple[str, str]:
        return self._secret, self._basic


def on_channel(number: str, channel: str) -> str:
    """The number as Twilio writes it on that channel."""
    return f"{PREFIX}{number}" if channel == "whatsapp" and not number.startswith(PREFIX) else number


def fitting(text: str) -> str:
    """The text at the length that Twilio takes, its end cut off where it is longer."""
    return text if len(text) <= LONGEST_BODY else f"{text[: LONGEST_BODY - 1]}…"


def _content(sid: str, variables: Mapping[str, str]) -> dict[str, str]:
    values = {name: on_one_line(value) for name, value in variables.items()}
    return {"ContentSid": sid, **({"ContentVariables": json.dumps(values)} if values else {})}


def _validity(valid_for: timedelta) -> str:
    return str(min(LONGEST_VALIDITY, max(1, int(valid_for.total_seconds()))))


def _sent(data: dict[str, Any]) -> Answer | None:
    sid, code = word_in(data.get("sid")), code_in(data.get("error_code"))
    if not sid:
        return None
    status = word_in(data.get("status"))
    return Answer(meaning=Meaning.DONE, provider_id=sid, status=status, code="" if code is None else str(code))
