"""The reminders that are owed, and every attempt to send one."""

import uuid
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from reservations.models.reservation import Channel, Reservation

REASON = 500


class ReminderQuerySet(models.QuerySet["Reminder"]):
    """Reminders by what is left to do about them."""

    def due(self) -> Self:
        """Still to be sent."""
        return self.filter(state=Reminder.State.DUE)

    def unknown(self) -> Self:
        """Perhaps sent: the answer was lost."""
        return self.filter(state=Reminder.State.UNKNOWN)

    def too_late(self, moment: datetime) -> Self:
        """For a time that has come."""
        return self.filter(starts_at__lte=moment)

    def in_time(self, moment: datetime) -> Self:
        """For a time that is still ahead."""
        return self.filter(starts_at__gt=moment)

    def ready(self, moment: datetime) -> Self:
        """Still to be sent, for a time ahead, and not to be left alone any longer."""
        return self.due().in_time(moment).filter(Q(next_try_at__isnull=True) | Q(next_try_at__lte=moment))

    def wanted(self) -> Self:
        """For a reservation that is still booked for that time."""
        return self.filter(reservation__status=Reservation.Status.BOOKED, reservation__starts_at=F("starts_at"))

    def pointless(self) -> Self:
        """For a reservation that was cancelled, moved or is over."""
        return self.exclude(reservation__status=Reservation.Status.BOOKED, reservation__starts_at=F("starts_at"))

    def become(self, state: "Reminder.State", *, now: datetime, reason: str = "", **changes: Any) -> int:
        """Go on to a state, for a reason.

        Filter on columns of the reminder only: with a condition on the reservation the database would not look again
        at a row that somebody else was just changing.
        """
        settled_at = now if state in Reminder.SETTLED else None
        changes = {"next_try_at": None, **changes}
        return self.update(state=state, settled_at=settled_at, reason=reason[:REASON], **changes)


class ReminderAttemptQuerySet(models.QuerySet["ReminderAttempt"]):
    """Attempts by what is known of them."""

    def under_way(self) -> Self:
        """Called, and no answer recorded so far."""
        return self.filter(outcome=ReminderAttempt.Outcome.SENDING)

    def unknown(self) -> Self:
        """Of which the answer was lost."""
        return self.filter(outcome=ReminderAttempt.Outcome.UNKNOWN)

    def accepted(self) -> Self:
        """That a provider took, and did not fail to deliver since."""
        failed = [ReminderAttempt.Status.UNDELIVERED, ReminderAttempt.Status.FAILED]
        return self.filter(outcome=ReminderAttempt.Outcome.SENT).exclude(status__in=failed)

    def to_look_for(self, moment: datetime) -> Self:
        """Of which the answer was lost, while it still matters whether the message went out."""
        open_states = [Reminder.State.UNKNOWN, Reminder.State.DUE]
        return self.unknown().filter(
            look_next_at__isnull=False, reminder__state__in=open_states, reminder__starts_at__gt=moment
        )


class Reminder(models.Model):
    """What is owed to a guest before one beginning of a reservation; a moved booking gets a new one."""

    class Kind(models.TextChoices):
        TWO_HOURS = "two_hours", "two hours before"

    class State(models.TextChoices):
        DUE = "due", "due"
        SENDING = "sending", "sending"
        SENT = "sent", "sent"
        UNKNOWN = "unknown", "unknown"
        GIVEN_UP = "given_up", "given up"
        SUPPRESSED = "suppressed", "suppressed"
        UNCONFIRMED = "unconfirmed", "perhaps sent, never confirmed"
        WITHDRAWN = "withdrawn", "withdrawn: the reservation was cancelled, moved or is over"

    SETTLED = (State.SENT, State.GIVEN_UP, State.SUPPRESSED, State.UNCONFIRMED, State.WITHDRAWN)

    reservation = models.ForeignKey(Reservation, on_delete=models.CASCADE, related_name="reminders")
    starts_at = models.DateTimeField(help_text="The beginning it reminds of.")
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.TWO_HOURS)
    state = models.CharField(max_length=15, choices=State, default=State.DUE)
    channel = models.CharField(
        max_length=10, choices=Channel, blank=True, default="", db_default="", help_text="Empty: the guest's own."
    )
    reason = models.CharField(max_length=REASON, blank=True, help_text="Why it stands where it stands, in words.")
    created_at = models.DateTimeField(db_default=Now())
    next_try_at = models.DateTimeField(null=True, blank=True, help_text="Not to be tried again before.")
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When it came to its end.")
    settled_run = models.UUIDField(null=True, blank=True, help_text="The run that settled it without any call.")

    objects = ReminderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reservation", "starts_at", "kind"], name="one_reminder_per_beginning"),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "due",
                        "sending",
                        "sent",
                        "unknown",
                        "given_up",
                        "suppressed",
                        "unconfirmed",
                        "withdrawn",
                    ]
                ),
                name="reminder_state_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sent", "given_up", "suppressed", "unconfirmed", "withdrawn"])
                | Q(settled_at__isnull=False),
                name="reminder_settled_has_a_time",
            ),
            models.CheckConstraint(condition=Q(channel__in=["", "whatsapp", "sms"]), name="reminder_channel_is_known"),
        ]
        indexes = [
            models.Index(
                fields=["starts_at"],
                name="reminder_unsettled",
                condition=Q(state__in=["due", "sending", "unknown"]),
            ),
            models.Index(fields=["settled_at"], name="reminder_settled"),
            models.Index(fields=["settled_run"], name="reminder_settled_run", condition=Q(settled_run__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"reminder {self.pk}"


class ReminderAttempt(models.Model):
    """One call to a provider about a reminder; its id travels with the call, so that a later status finds it.

    What was sent and to whom is kept, since the reservation may be edited before a lost answer is looked for.
    """

    class Provider(models.TextChoices):
        META = "meta", "Meta"
        TWILIO = "twilio", "Twilio"

    class Outcome(models.TextChoices):
        SENDING = "sending", "sending"
        SENT = "sent", "sent"
        RETRY = "retry", "to be tried again"
        THROTTLED = "throttled", "throttled"
        UNKNOWN = "unknown", "unknown"
        MOVED = "moved", "not possible here: moved to SMS"
        GIVEN_UP = "given_up", "given up"
        SUPPRESSED = "suppressed", "suppressed"
        MISCONFIGURED = "misconfigured", "template or sender is wrong"
        DISABLED = "disabled", "credential is unusable"

    class Status(models.TextChoices):
        SENT = "sent", "sent"
        DELIVERED = "delivered", "delivered"
        READ = "read", "read"
        UNDELIVERED = "undelivered", "undelivered"
        FAILED = "failed", "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reminder = models.ForeignKey(Reminder, on_delete=models.CASCADE, related_name="attempts")
    run = models.UUIDField(null=True, blank=True, help_text="The run that made it.")
    channel = models.CharField(max_length=10, choices=Channel)
    provider = models.CharField(max_length=10, choices=Provider)
    provider_id = models.CharField(max_length=200, blank=True, help_text="The provider's own id, once it gave one.")
    phone = models.CharField(max_length=128, blank=True, default="", db_default="", help_text="Whom it went to.")
    language = models.CharField(max_length=5, blank=True, default="", db_default="")
    text = models.TextField(blank=True, default="", db_default="")
    parameters = models.JSONField(default=list, db_default=[], blank=True, help_text="What went into the template.")
    outcome = models.CharField(max_length=15, choices=Outcome, default=Outcome.SENDING)
    code = models.CharField(max_length=40, blank=True, help_text="The provider's own code.")
    detail = models.TextField(blank=True)
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(
        max_length=15,
        choices=Status,
        blank=True,
        default="",
        db_default="",
        help_text="How far the provider says it got.",
    )
    status_at = models.DateTimeField(null=True, blank=True)
    looks = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How often the provider did not have it after a lost answer."
    )
    looked_at = models.DateTimeField(null=True, blank=True)
    look_next_at = models.DateTimeField(null=True, blank=True, help_text="Empty: there is nothing to look for.")

    objects = ReminderAttemptQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_id"], name="attempt_provider_id_is_unique", condition=~Q(provider_id="")
            ),
            models.UniqueConstraint(fields=["reminder"], name="one_call_at_a_time", condition=Q(outcome="sending")),
            models.CheckConstraint(
                condition=Q(status__in=["", "sent", "delivered", "read", "undelivered", "failed"]),
                name="attempt_status_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["look_next_at"], name="attempt_to_look_for", condition=Q(look_next_at__isnull=False)),
            models.Index(fields=["run"], name="attempt_of_run", condition=Q(run__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"attempt {self.pk}"
