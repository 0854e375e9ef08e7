"""Tokens in the admin: the secret is shown once, on the page that answers their creation."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from access import tokens
from access.models import Scope, Token


class TokenForm(forms.ModelForm):
    """Scopes as check boxes."""

    scopes = forms.TypedMultipleChoiceField(choices=Scope.choices, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = Token
        fields = ("name", "scopes", "groups", "expires_at")


@admin.register(Token)
class TokenAdmin(admin.ModelAdmin):
    form = TokenForm
    list_display = ("name", "start", "scopes", "groups", "expires_at", "revoked_at", "last_used_at", "created_by")
    readonly_fields = ("start", "created_at", "created_by", "last_used_at", "revoked_at")
    search_fields = ("name",)
    actions = ("revoke",)

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: bool) -> None:
        """Store a token; a new one gets its secret here."""
        if not change:
            obj.secret = tokens.new_secret()  # type: ignore[attr-defined]
            obj.created_by = request.user  # type: ignore[assignment]
            for name, value in tokens.marks(obj.secret).items():  # type: ignore[attr-defined]
                setattr(obj, name, value)
        by, before = request.user.get_username(), Token.objects.filter(pk=obj.pk).first()
        super().save_model(request, obj, form, change)
        if before is None:
            tokens.note_created(obj, by=by)
        else:
            tokens.note_changed(before, obj, by=by)

    def response_add(self, request: HttpRequest, obj: Token, *_: Any, **__: Any) -> HttpResponse:
        """The page that shows the secret, once."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Token created",
            "opts": self.opts,
            "token": obj,
            "secret": obj.secret,  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "access/token_created.html", context, headers={"Cache-Control": "no-store"})

    @admin.action(description="Revoke selected tokens", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Token]) -> None:
        """End tokens for good; those revoked before keep their moment."""
        by, now = request.user.get_username(), timezone.now()
        revoked = sum(tokens.revoke(token, by=by, now=now) for token in queryset)
        self.message_user(request, f"{revoked} revoked.")
