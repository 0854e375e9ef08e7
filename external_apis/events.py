"""What is announced about the providers, with send_robust and after commit, so that a receiver fails nobody."""

from django.dispatch import Signal

credential_refused = Signal()  # credential, why, now
credential_accepted = Signal()  # credential, now: what was announced as refused is accepted again
credential_retired = Signal()  # credential, now: what was announced as refused is no longer in use
credential_kept = Signal()  # credential, why, now: it would be deleted, were it not in use
sender_resumed = Signal()  # sender (the Sender row), paused_at, now
