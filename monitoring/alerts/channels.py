"""The channels: whatever Apprise knows (e-mail, Slack, Telegram, …), and signed webhooks."""

import hmac
import json
import re
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings

from monitoring.alerts import wording
from monitoring.alerts.outbox import Channel, Undelivered
from monitoring.models import Notice, Severity

LONGEST_NOT_SECRET = 5
WEBHOOK = "webhook"
PAGE = "/admin/monitoring/alert/"  # spelled out: the addresses of the web are not loaded where alerts are sent


@dataclass(frozen=True, kw_only=True)
class AppriseChannel:
    """An address as Apprise writes it; its library, of seventeen megabytes, is imported when something is sent."""

    name: str
    address: str = field(repr=False)
    page: str = ""

    def send(self, notices: Sequence[Notice]) -> None:
        """Deliver them as one message; raises Undelivered with what the library says, secrets left out."""
        import apprise

        told = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Cron Jobs Service", async_mode=False))
        if not told.add(self.address):
            raise Undelivered("Apprise does not understand its address.")
        with apprise.LogCapture(level=apprise.logging.WARNING, fmt="%(message)s") as log:
            delivered = told.notify(
                title=wording.title(notices),
                body=wording.text(notices, page=self.page),
                notify_type=_urgency(notices),
                body_format=apprise.NotifyFormat.TEXT,
            )
            lines = log.getvalue().strip().splitlines()
        if not delivered:
            raise Undelivered(self._without_secrets(lines[-1]) if lines else "It was refused without a reason.")

    def _without_secrets(self, line: str) -> str:
        """The line without any longer part of the address: keys, passwords, tokens, rooms."""
        _, _, rest = self.address.partition("://")
        for part in sorted(re.split(r"[/:@?&=,]+", rest), key=len, reverse=True):
            if len(part) > LONGEST_NOT_SECRET:
                line = line.replace(part, "***")
        return line


@dataclass(frozen=True, kw_only=True)
class WebhookChannel:
    """JSON to an address, signed as the Standard Webhooks specification says (standardwebhooks.com)."""

    address: str = field(repr=False)
    secret: bytes = field(repr=False)
    allow_inside: bool
    name: str = WEBHOOK

    def send(self, notices: Sequence[Notice]) -> None:
        """Deliver them as one call; raises Undelivered. The same notices have the same webhook-id when repeated."""
        from monitoring import outgoing

        body = json.dumps({"type": "alerts", "notices": [wording.as_json(notice) for notice in notices]}).encode()
        message_id = f"msg_{uuid5(NAMESPACE_URL, ','.join(str(notice.pk) for notice in notices)).hex}"
        sent_at = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "cron-jobs-service",
            "webhook-id": message_id,
            "webhook-timestamp": sent_at,
            "webhook-signature": signature(self.secret, message_id, sent_at, body),
        }
        try:
            outgoing.call("POST", self.address, body=body, headers=headers, allow_inside=self.allow_inside)
        except outgoing.NotTaken as why:
            raise Undelivered(f"The webhook was not taken: {why}.") from None


def names() -> list[str]:
    """The names of the channels that are configured."""
    return [*settings.ALERTING.channels, *([WEBHOOK] if settings.ALERTING.webhook_url else [])]


def configured() -> list[Channel]:
    """The channels that are configured."""
    alerting, public = settings.ALERTING, settings.PROVIDERS.public_url
    page = f"{public}{PAGE}" if public else ""
    channels: list[Channel] = [
        AppriseChannel(name=name, address=address, page=page) for name, address in alerting.channels.items()
    ]
    if alerting.webhook_url:
        channels.append(
            WebhookChannel(
                address=alerting.webhook_url, secret=alerting.webhook_secret, allow_inside=alerting.allow_inside
            )
        )
    return channels


def signature(secret: bytes, message_id: str, sent_at: str, body: bytes) -> str:
    """`v1,` and the Base64 of HMAC-SHA256 over id, timestamp and body."""
    signed = b".".join([message_id.encode(), sent_at.encode(), body])
    return "v1," + b64encode(hmac.digest(secret, signed, "sha256")).decode()


def _urgency(notices: Sequence[Notice]) -> str:
    """What decides about colours and sounds: the worst of what is told."""
    news = [notice for notice in notices if notice.kind != Notice.Kind.CLEARED]
    if not news:
        return "success"
    return "failure" if any(notice.alert.severity == Severity.CRITICAL for notice in news) else "warning"
