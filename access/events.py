"""What is announced about access, after commit and with send_robust, so that a receiver fails nobody."""

from django.dispatch import Signal

sign_in_throttled = Signal()  # address: too many failures; the name is not told, people type passwords there
sealed = Signal()  # position, seal: the end of the audit's chain
