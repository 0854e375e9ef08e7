"""What is announced about the providers, with send_robust and after commit, so that a receiver fails nobody."""

from django.dispatch import Signal

sender_paused = Signal()  # sender (the Sender row), because, now
sender_resumed = Signal()  # sender (the Sender row), paused_at, now
credential_refused = Signal()  # credential, why, now
credential_accepted = Signal()  # credential, now: what was announced as refused is accepted again
credential_retired = Signal()  # credential, now: what was announced as refused is no longer in use
credential_kept = Signal()  # credential, why, now: it would be deleted, were it not in use
webhook_refused = Signal()  # provider, why: a delivery without a right signature, or a wrong verify token
webhook_ignored = Signal()  # provider, count: things in a signed delivery that say nothing to us
webhook_event_parked = Signal()  # event_id, why: it failed too often and is set aside
