"""Who may look: the rules of the REST interface, answered as pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from access.auth import PERMISSIONS
from access.models import Scope

View = Callable[..., HttpResponse]


def page_for(permission: str) -> Callable[[View], View]:
    """A page for those who have the permission; others are asked to sign in, or told kindly what they lack.

    Nothing of it is kept by browsers, and its scripts find the CSRF token that the REST interface wants.
    """

    def guard(view: View) -> View:
        @require_safe
        @never_cache
        @ensure_csrf_cookie
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user: Any = request.user
            if not user.is_authenticated:
                return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
            if not user.has_perm(permission):
                lacks = {"permission": permission, "zone": settings.CRON.timezone}
                return render(request, "monitoring/page/forbidden.html", lacks, status=403)
            return view(request, *args, **kwargs)

        return guarded

    return guard


page = page_for(PERMISSIONS[Scope.READ])


def may(request: HttpRequest, scope: Scope) -> bool:
    """Whether the person may do what the scope stands for."""
    user: Any = request.user
    return bool(user.has_perm(PERMISSIONS[scope]))


def rights(request: HttpRequest) -> dict[str, bool]:
    """What the page offers this person to do."""
    return {"may_trigger": may(request, Scope.TRIGGER), "may_manage": may(request, Scope.MANAGE)}
