"""What is announced about the providers, with send_robust and after commit, so that a receiver fails nobody."""

from django.dispatch import Signal

sender_paused = Signal()  # sender (the Sender row), because, now
sender_resumed = Signal()  # sender (the Sender row), paused_at, now
credential_refused = Signal()  # credential, why, now
