"""What is forgotten because it has expired: people's sign-ins, keys of requests, failed attempts to sign in."""

from datetime import datetime
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import QuerySet

from access import idempotency, throttle
from access.models import IdempotencyKey, SignInAttempt


def forget_expired(now: datetime, *, dry_run: bool) -> int:
    """Delete what has expired, however much of a table that is; returns how many rows those are."""
    expired: list[QuerySet[Any]] = [
        Session.objects.filter(expire_date__lte=now),
        IdempotencyKey.objects.filter(created_at__lte=now - idempotency.KEPT),
        SignInAttempt.objects.filter(at__lte=now - throttle.LONGEST),
    ]
    return sum(rows.count() if dry_run else rows._raw_delete(rows.db) for rows in expired)
