"""Delivery statuses as the providers send them: signed, to a webhook, a moment after a message was accepted."""

import base64
import hashlib
import hmac
import json
import queue
import sys
import threading
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from local.provider_messages import Accepted
from local.provider_twilio import PREFIX

WORDS = ("sent", "delivered")
PATIENCE = 5  # seconds


@dataclass(frozen=True, kw_only=True)
class Signing:
    """What the statuses are signed with: Meta's app secret, and Twilio's auth token."""

    app_secret: str
    auth_token: str


class StatusSender:
    """Tells a service, from a thread of its own, that each accepted message was sent and delivered."""

    def __init__(self, url: str, *, signing: Signing) -> None:
        self._url = url.rstrip("/")
        self._signing = signing
        self._waiting: queue.SimpleQueue[Accepted | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._send_all, name="statuses")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._waiting.put(None)
        self._thread.join()

    def follow(self, message: Accepted) -> None:
        """Send the statuses of this message, after those of earlier ones."""
        self._waiting.put(message)

    def _send_all(self) -> None:
        while message := self._waiting.get():
            for word in WORDS:
                message.status = word
                request = self._of_meta(message) if message.provider == "meta" else self._of_twilio(message)
                try:
                    if request is not None:
                        urllib.request.urlopen(request, timeout=PATIENCE).close()  # noqa: S310 - given by whoever starts us
                except OSError as error:
                    print(f"A status could not be delivered: {error}", file=sys.stderr)

    def _of_meta(self, message: Accepted) -> urllib.request.Request:
        status = {
            "id": message.id,
            "status": message.status,
            "timestamp": str(int(message.created_at.timestamp())),
            "recipient_id": message.to.removeprefix("+"),
            "biz_opaque_callback_data": message.reference,
        }
        value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": message.sender}, "statuses": [status]}
        changes = [{"field": "messages", "value": value}]
        body = json.dumps(
            {"object": "whatsapp_business_account", "entry": [{"id": "3000", "changes": changes}]}
        ).encode()
        signature = hmac.new(self._signing.app_secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
        return urllib.request.Request(f"{self._url}/webhooks/meta", body, headers)  # noqa: S310

    def _of_twilio(self, message: Accepted) -> urllib.request.Request | None:
        """Twilio tells those who gave an address with the message, and nobody else."""
        if not message.callback:
            return None
        prefix = PREFIX if message.channel == "whatsapp" else ""
        ends = {"To": f"{prefix}{message.to}", "From": f"{prefix}{message.sender}"}
        form = {"MessageSid": message.id, "MessageStatus": message.status, **ends}
        headers = {"X-Twilio-Signature": _twilio_signature(message.callback, form, key=self._signing.auth_token)}
        return urllib.request.Request(message.callback, urlencode(form).encode(), headers)  # noqa: S310


def _twilio_signature(url: str, form: Mapping[str, str], *, key: str) -> str:
    signed = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return base64.b64encode(hmac.new(key.encode(), signed.encode(), hashlib.sha1).digest()).decode()
