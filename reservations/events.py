"""What reservations announce, after the fact is committed; receivers get keyword arguments."""

from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import Signal

# reminder_ids, by: to be sent by a run that begins now; by a person's name, or empty where a message did not arrive
reminder_wanted = Signal()
reminder_parked = Signal()  # reminder_id, code, detail, now: template, sender or credential must be mended by a person
reminder_unconfirmed = Signal()  # reminder_id, now: nobody can say any more whether the guest was reminded


def announce(signal: Signal, **named: Any) -> None:
    """Tell every receiver once the transaction is committed; what one raises changes nothing for anybody else."""
    transaction.on_commit(partial(signal.send_robust, None, **named))
