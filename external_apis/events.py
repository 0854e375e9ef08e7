"""What is announced about providers; monitoring words it. Receivers get keyword arguments, after the commit."""

from django.dispatch import Signal

webhook_refused = Signal()  # provider, why: a delivery without a right signature, or a wrong verify token
webhook_ignored = Signal()  # provider, count: things in a signed delivery that say nothing to us
webhook_event_parked = Signal()  # event_id, why: it failed too often and is set aside
