"""Credentials and webhook events in the admin: secrets can be entered, never read."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from external_apis.models import Credential, WebhookEvent
from external_apis.webhooks import inbox


class CredentialForm(forms.ModelForm):
    """A credential whose secret is only ever replaced."""

    # Not named like the model's field, which Django would fill with what was left empty.
    new_secret = forms.CharField(
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Never shown. Left empty, the stored one stays.",
    )

    class Meta:
        model = Credential
        fields = ("provider", "kind", "label", "account", "key_id", "expires_at", "in_use")

    def clean_new_secret(self) -> str:
        """A new credential needs a secret."""
        secret = str(self.cleaned_data["new_secret"])
        if not secret and self.instance.pk is None:
            raise forms.ValidationError("Enter the secret: without it the credential is of no use.")
        return secret

    def save(self, commit: bool = True) -> Any:
        """Store; a new secret makes the credential unchecked."""
        if self.cleaned_data["new_secret"]:
            self.instance.secret = self.cleaned_data["new_secret"]
            self.instance.status, self.instance.why = Credential.Status.UNCHECKED, ""
            self.instance.invalid_since = self.instance.checked_at = None
        return super().save(commit)


@admin.register(Credential)
class CredentialAdmin(admin.ModelAdmin):
    """Credentials by state and expiry."""

    form = CredentialForm
    list_display = ("label", "provider", "kind", "status", "why", "expires_at", "in_use", "checked_at")
    list_filter = ("status", "provider", "kind", "in_use")
    search_fields = ("label", "account", "key_id")
    ordering = ("provider", "label")
    readonly_fields = ("status", "why", "checked_at", "invalid_since", "created_at")


@admin.register(WebhookEvent)
class WebhookEventAdmin(admin.ModelAdmin):
    """Webhook events by what became of them; parked ones can be handed back to processing."""

    list_display = ("id", "provider", "kind", "state", "attempts", "last_error", "received_at", "processed_at")
    list_filter = ("state", "provider", "kind")
    search_fields = ("key",)
    ordering = ("-pk",)
    fields = readonly_fields = (*list_display, "key")
    actions = ("process_again",)

    @admin.action(description="Process parked events again", permissions=["change"])
    def process_again(self, request: HttpRequest, events: Any) -> None:
        """Give parked events a fresh set of attempts."""
        self.message_user(request, f"{inbox.take_up_again(events)} parked events will be processed again.")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Events come from providers."""
        return False
