"""Credentials in the admin: secrets can be entered, never read."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from external_apis import validation
from external_apis.connections import Connections
from external_apis.models import Credential

ASKED_FOR = {"provider", "kind", "account", "key_id", "new_secret", "in_use"}  # what its state depends on
STATE = ("status", "why", "still_sends", "invalid_since", "checked_at")


class CredentialForm(forms.ModelForm):
    """A credential whose secret is only ever replaced."""

    # Not named like the model's field, which Django would fill with what was left empty.
    new_secret = forms.CharField(
        label="New secret",
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Never shown. Left empty, the stored one stays.",
    )

    class Meta:
        model = Credential
        fields = ("provider", "kind", "label", "account", "key_id", "business_account", "expires_at", "in_use")

    @sensitive_variables("secret")
    def clean_new_secret(self) -> str:
        """A new credential needs a secret, and one that can be sent."""
        secret = str(self.cleaned_data["new_secret"])
        if not secret and self.instance.pk is None:
            raise forms.ValidationError("Enter the secret: without it the credential is of no use.")
        if not all("!" <= letter <= "~" for letter in secret):
            raise forms.ValidationError("The secret holds a space, a line break or a letter that no secret has.")
        return secret

    def save(self, commit: bool = True) -> Any:
        """Store; what its state depends on makes the credential unchecked when it is changed."""
        if self.cleaned_data["new_secret"]:
            self.instance.secret = self.cleaned_data["new_secret"]
        if ASKED_FOR.intersection(self.changed_data):
            self.instance.status, self.instance.why = Credential.Status.UNCHECKED, ""
            self.instance.still_sends = False
            self.instance.invalid_since = self.instance.checked_at = None
        return super().save(commit)

    def written(self) -> list[str]:
        """The fields that a change writes: no others, since their state may have changed meanwhile."""
        changed = ["secret" if name == "new_secret" else name for name in self.changed_data]
        return [*changed, *(STATE if ASKED_FOR.intersection(self.changed_data) else ())]


class SettingsForm(forms.ModelForm):
    """A credential that the settings keep: here it can only be looked at."""

    class Meta:
        model = Credential
        fields: tuple[str, ...] = ()


@admin.register(Credential)
class CredentialAdmin(admin.ModelAdmin):
    """Credentials by state and expiry; they can be checked at their provider here and now."""

    list_display = ("label", "kind", "status", "why", "expires_at", "in_use", "source", "checked_at")  # kinds name it
    list_filter = ("status", "provider", "kind", "in_use", "source")
    search_fields = ("label", "account", "key_id", "business_account", "why")
    ordering = ("provider", "label")
    readonly_fields = (
        "source",
        "status",
        "why",
        "still_sends",
        "scopes",
        "account_status",
        "checked_at",
        "invalid_since",
        "created_at",
    )
    actions = ("validate_now",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form that lets a secret be entered, unless the settings keep the credential."""
        kwargs["form"] = SettingsForm if _kept_by_settings(obj) else CredentialForm
        return super().get_form(request, obj, change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        """What the provider says, and all that the settings keep."""
        kept = CredentialForm.Meta.fields if _kept_by_settings(obj) else ()
        return (*kept, *self.readonly_fields)

    @method_decorator(sensitive_post_parameters("new_secret"))
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page of one credential; should it fail, no report holds the secret."""
        return super().changeform_view(*args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Credential, form: Any, change: bool) -> None:
        """Write what was changed, and nothing else."""
        if change and isinstance(form, CredentialForm):
            obj.save(update_fields=form.written())
        elif not change:
            super().save_model(request, obj, form, change)

    @admin.action(description="Validate now", permissions=["change"])
    def validate_now(self, request: HttpRequest, credentials: QuerySet[Credential]) -> None:
        """Ask the providers about the selected credentials, and say what they answered."""
        with Connections(settings.PROVIDERS) as connections:
            for credential in credentials:
                checked = validation.validate(credential, connections=connections, now=timezone.now())
                self.log_change(request, credential, f"Validated: {checked.status or 'not answered'}")
                self.message_user(request, _worded(checked), _level(checked))


def _kept_by_settings(credential: Credential | None) -> bool:
    return credential is not None and credential.source == Credential.Source.SETTINGS


def _worded(checked: validation.Checked) -> str:
    if checked.not_answered:
        return f"{checked.label}: not answered, so nothing was changed: {checked.not_answered}"
    return f"{checked.label}: {checked.status}{f': {checked.why}' if checked.why else ''}"


def _level(checked: validation.Checked) -> int:
    if checked.not_answered or checked.status == Credential.Status.EXPIRING:
        return messages.WARNING
    return messages.SUCCESS if checked.status == Credential.Status.VALID else messages.ERROR
