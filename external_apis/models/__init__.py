"""What is known of the messaging providers: credentials, senders, templates, and what they told us by webhook."""

from external_apis.models.credential import Credential, CredentialQuerySet
from external_apis.models.providers import Channel, Provider
from external_apis.models.sender import Sender, SenderQuerySet, Template
from external_apis.models.webhook_event import WebhookEvent, WebhookEventQuerySet

__all__ = [
    "Channel",
    "Credential",
    "CredentialQuerySet",
    "Provider",
    "Sender",
    "SenderQuerySet",
    "Template",
    "WebhookEvent",
    "WebhookEventQuerySet",
]
