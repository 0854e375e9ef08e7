"""`manage.py create_operator`: the account and the token that a fresh installation is operated with."""

import os
import re
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from access import tokens
from access.models import Scope, Token

USERNAME = "operator"
CALLED = "operator-token"
BEARER = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750
SHORT = 12


class Command(BaseCommand):
    help = (
        "Make, or bring up to date, the superuser 'operator' (password: OPERATOR_PASSWORD) "
        "and a token with all scopes (LOCAL_API_TOKEN)."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        """Read both secrets, then store what changed."""
        password, secret = self._secret("OPERATOR_PASSWORD"), self._secret("LOCAL_API_TOKEN")
        if not BEARER.fullmatch(secret):
            raise CommandError(
                "LOCAL_API_TOKEN cannot be sent as a bearer token: use letters, digits and - . _ ~ + / only."
            )
        with transaction.atomic():
            user = self._operator(password)
            self._token(secret, user)

    def _secret(self, name: str) -> str:
        value = os.environ.get(name, "")
        if not value:
            raise CommandError(f"{name} is not set. Set it, or start bin/up: it makes one and prints it.")
        if len(value) < SHORT:
            self.stderr.write(f"{name} has fewer than {SHORT} characters: good enough for a laptop, nowhere else.")
        return value

    def _operator(self, password: str) -> Any:
        users: Any = get_user_model().objects
        user, created = users.get_or_create(username=USERNAME)
        as_wanted = user.is_active and user.is_staff and user.is_superuser and user.check_password(password)
        if created or not as_wanted:
            user.is_active = user.is_staff = user.is_superuser = True
            user.set_password(password)
            user.save()
        self.stdout.write(f"User {USERNAME!r}: {_did(created, changed=not as_wanted)}.")
        return user

    def _token(self, secret: str, user: Any) -> None:
        wanted = {**tokens.marks(secret), "scopes": Scope.values, "expires_at": None, "revoked_at": None}
        token = Token.objects.filter(name=CALLED).first()
        other = Token.objects.filter(digest=wanted["digest"]).exclude(name=CALLED).first()
        if other is not None:
            raise CommandError(
                f"LOCAL_API_TOKEN is already the token {other.name!r}. Choose another, or delete that one."
            )
        changed = token is None or any(getattr(token, name) != value for name, value in wanted.items())
        if changed:
            made = {**wanted, "created_by": user}
            now, _ = Token.objects.update_or_create(name=CALLED, defaults=wanted, create_defaults=made)
            tokens.note_created(now, by=USERNAME)
        self.stdout.write(f"Token {CALLED!r}: {_did(token is None, changed=changed)}.")


def _did(created: bool, *, changed: bool) -> str:
    if created:
        return "created"
    return "updated" if changed else "unchanged"
