"""How often somebody may try to sign in: attempts are counted before the password is looked at, so that a hundred
at once are no way around the limits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q

from access.models import SignInAttempt

LONGEST_NAME = 150
FORGOTTEN_AT_ONCE = 100  # each new attempt takes some of the old away


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most so many failures within a time, of one name, from one address, or of one name from one address."""

    most: int
    within: timedelta
    by_name: bool
    by_address: bool


# Somebody who has forgotten a password; one who tries many accounts; many who try one. The last is wide, since it
# also keeps out whom the account belongs to.
LIMITS = (
    Limit(most=5, within=timedelta(minutes=5), by_name=True, by_address=True),
    Limit(most=30, within=timedelta(minutes=15), by_name=False, by_address=True),
    Limit(most=100, within=timedelta(hours=1), by_name=True, by_address=False),
)
LONGEST = max(limit.within for limit in LIMITS)


def begin(name: str, address: str, *, now: datetime) -> SignInAttempt | timedelta:
    """Count an attempt as failed until it is known to be good; or how long to wait before the next."""
    name = name.strip().lower().replace("\x00", "")[:LONGEST_NAME]
    with transaction.atomic(), connection.cursor() as cursor:
        for key in sorted({f"name {name}", f"address {address}"}):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"sign in {key}"])
        waits = [_wait(limit, name, address, now) for limit in LIMITS]
        if longest := max((wait for wait in waits if wait), default=None):
            return longest
        old = SignInAttempt.objects.filter(at__lt=now - LONGEST).order_by("at").select_for_update(skip_locked=True)
        SignInAttempt.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])).delete()
        return SignInAttempt.objects.create(name=name, address=address, at=now)


def succeeded(attempt: SignInAttempt) -> None:
    """Forget what this name failed with from this address."""
    SignInAttempt.objects.filter(name=attempt.name, address=attempt.address).delete()


def _wait(limit: Limit, name: str, address: str, now: datetime) -> timedelta | None:
    """How long until the oldest of the last `most` failures is no longer counted; None when there are fewer."""
    mine = Q(at__gt=now - limit.within)
    mine &= Q(name=name) if limit.by_name else Q()
    mine &= Q(address=address) if limit.by_address else Q()
    moments = SignInAttempt.objects.filter(mine).order_by("-at").values_list("at", flat=True)
    oldest = next(iter(moments[limit.most - 1 : limit.most]), None)
    return None if oldest is None else oldest + limit.within - now
