"""Signing in, with a limit on how often it may be tried: one limit for the page's form and the admin's."""

from collections.abc import Callable
from math import ceil
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from access import events, throttle
from access.models import SignInAttempt
from access.origin import address_of


class SignInForm(AuthenticationForm):
    """For every active account."""

    def clean(self) -> Any:
        """The form's values when name and password are right; too many attempts are refused unseen."""
        return _counted(self, super().clean)


class AdminSignInForm(AdminAuthenticationForm):
    """For staff only."""

    def clean(self) -> Any:
        """The form's values when name and password are right; too many attempts are refused unseen."""
        return _counted(self, super().clean)


def admin_sign_in(request: HttpRequest) -> HttpResponseBase:
    """The admin's page to sign in at."""
    return answered(request, admin.site.login(request))


def answered(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The response to an attempt; 429 with Retry-After after too many failures."""
    retry_after_s = getattr(request, "retry_after_s", None)
    if retry_after_s is not None:
        response.status_code = 429
        response["Retry-After"] = str(retry_after_s)
    return response


def _counted(form: AuthenticationForm, look: Callable[[], Any]) -> Any:
    """Count the attempt before `look` looks at the password."""
    assert form.request is not None
    name = form.cleaned_data.get("username") or ""
    if not name or not form.cleaned_data.get("password"):
        return look()
    address = address_of(form.request, proxies=settings.SECURITY.proxies)
    begun = throttle.begin(name, address, now=timezone.now())
    if not isinstance(begun, SignInAttempt):
        form.request.retry_after_s = ceil(begun.total_seconds())  # type: ignore[attr-defined]
        events.sign_in_throttled.send_robust(SignInAttempt, address=address)
        minutes = ceil(begun.total_seconds() / 60)
        words = ngettext("Try again in %(n)s minute.", "Try again in %(n)s minutes.", minutes) % {"n": minutes}
        raise ValidationError(_("Too many failed attempts to sign in.") + " " + words)
    cleaned = look()
    throttle.succeeded(begun)
    return cleaned


admin.site.login_form = AdminSignInForm
