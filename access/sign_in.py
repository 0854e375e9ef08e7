"""Signing in, with a limit on how often it may be tried."""

from math import ceil
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from access import events, throttle
from access.models import SignInAttempt
from access.origin import address_of


class SignInForm(AdminAuthenticationForm):
    """The admin's form, which counts attempts before it looks at the password."""

    def clean(self) -> Any:
        """The form's values when name and password are right; too many attempts are refused unseen."""
        assert self.request is not None
        name = self.cleaned_data.get("username") or ""
        if not name or not self.cleaned_data.get("password"):
            return super().clean()
        address = address_of(self.request, proxies=settings.SECURITY.proxies)
        begun = throttle.begin(name, address, now=timezone.now())
        if not isinstance(begun, SignInAttempt):
            self.request.retry_after_s = ceil(begun.total_seconds())  # type: ignore[attr-defined]
            events.sign_in_throttled.send_robust(SignInAttempt, address=address)
            minutes = ceil(begun.total_seconds() / 60)
            words = ngettext("Try again in %(n)s minute.", "Try again in %(n)s minutes.", minutes) % {"n": minutes}
            raise ValidationError(_("Too many failed attempts to sign in.") + " " + words)
        cleaned = super().clean()
        throttle.succeeded(begun)
        return cleaned


def sign_in(request: HttpRequest) -> HttpResponse:
    """The page to sign in at; 429 with Retry-After after too many failures."""
    response: HttpResponse = admin.site.login(request)
    retry_after_s = getattr(request, "retry_after_s", None)
    if retry_after_s is not None:
        response.status_code = 429
        response["Retry-After"] = str(retry_after_s)
    return response


admin.site.login_form = SignInForm
