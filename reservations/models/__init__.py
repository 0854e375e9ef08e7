"""Reservations, the reminders they call for, every attempt to send one, and who wants none."""

from reservations.models.opt_out import OptOut
from reservations.models.reminder import Reminder, ReminderAttempt, ReminderQuerySet
from reservations.models.reservation import Channel, Reservation, ReservationQuerySet, check_zone

__all__ = [
    "Channel",
    "OptOut",
    "Reminder",
    "ReminderAttempt",
    "ReminderQuerySet",
    "Reservation",
    "ReservationQuerySet",
    "check_zone",
]
