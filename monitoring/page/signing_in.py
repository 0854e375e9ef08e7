"""Signing in and out, on a page of the service's own: for everybody with an account, staff or not."""

from typing import Any

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponseBase

from access.sign_in import SignInForm, answered


class SignIn(LoginView):
    """Who is signed in already is led on at once."""

    authentication_form = SignInForm
    template_name = "monitoring/page/sign_in.html"
    next_page = "home"
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The page, or where the person wanted to go."""
        return answered(request, super().dispatch(request, *args, **kwargs))


class SignOut(LogoutView):
    """Leads back to where one signs in."""

    next_page = "sign-in"
