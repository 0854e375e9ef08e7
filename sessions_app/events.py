"""What happens to conversations and concerns people; announced after the commit, with keyword arguments.

No argument holds a phone number or what anybody wrote.
"""

from typing import Any

from django.db import transaction
from django.dispatch import Signal

sessions_abandoned = Signal()  # session_ids, now: one page of sessions that waited in vain
sessions_handed_over = Signal()  # session_ids, now: one page of sessions that a person has to look at
message_parked = Signal()  # message_id, session_id, why: it will not be processed, or sent, by itself
message_undelivered = Signal()  # message_id, session_id, why: it was sent, and did not reach the customer


def announce(signal: Signal, **named: Any) -> None:
    """Tell every receiver once the transaction is committed; what one raises changes nothing for anybody else."""
    transaction.on_commit(lambda: signal.send_robust(sender=None, **named))
