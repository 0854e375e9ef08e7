"""Credentials, senders, templates and webhook events in the admin."""

from external_apis.admin.credentials import CredentialAdmin
from external_apis.admin.senders import SenderAdmin, TemplateAdmin
from external_apis.admin.webhooks import WebhookEventAdmin

__all__ = ["CredentialAdmin", "SenderAdmin", "TemplateAdmin", "WebhookEventAdmin"]
