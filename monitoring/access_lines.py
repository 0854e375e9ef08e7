"""Every line about access. Seals of the audit are logged too: the log is kept elsewhere, and can be compared."""

from typing import Any

import structlog
from django.dispatch import receiver

from access import events

log = structlog.stdlib.get_logger("monitoring.access_lines")


@receiver(events.sign_in_throttled)
def _sign_in_throttled(*, address: str, **_: Any) -> None:
    log.warning("Too many attempts to sign in.", what="sign_in_throttled", address=address)


@receiver(events.sealed)
def _sealed(*, position: int, seal: str, **_: Any) -> None:
    log.info("The audit is sealed so far.", what="audit_sealed", position=position, seal=seal)
