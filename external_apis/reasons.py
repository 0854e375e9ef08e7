"""Why nothing can leave on a channel, in words for people."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from external_apis.models import Channel, Sender


def why_not(channel: str, *, now: datetime, patience: timedelta) -> str:
    """What stands in the way of every sender of the channel; empty when one can send."""
    name = Channel(channel).label
    usable = list(Sender.objects.usable().filter(channel=channel).order_by("pk"))
    if any(not _obstacle(sender, now=now, patience=patience) for sender in usable):
        return ""
    told = [f"{_named(sender)} {_obstacle(sender, now=now, patience=patience)}" for sender in usable]
    told += _unusable(channel)
    return "; ".join(told) if told else f"No sender for {name} is set up."


def _obstacle(sender: Sender, *, now: datetime, patience: timedelta) -> str:
    if sender.paused_at and sender.probe_at and sender.probe_at <= now:
        return ""  # whoever takes a turn now looks whether the pause is over
    if sender.paused_at:
        until = f"next looked at {_moment(sender.probe_at)}" if sender.probe_at else "until somebody resumes it"
        return f"is paused since {_moment(sender.paused_at)}, {until}: {sender.paused_because}"
    if sender.next_turn_at > now + patience:
        return f"sends nothing until {_moment(sender.next_turn_at)}, as its provider asked"
    return ""


def _unusable(channel: str) -> Iterator[str]:
    usable = Sender.objects.usable().values("pk")
    for sender in Sender.objects.filter(channel=channel).exclude(pk__in=usable).select_related("credential"):
        yield f"{_named(sender)} {_unusable_because(sender)}"


def _unusable_because(sender: Sender) -> str:
    if not sender.in_use:
        return "is not in use"
    if sender.credential is None:
        return "has no credential"
    if sender.credential.provider != sender.provider:
        return "has a credential of another provider"
    if not sender.credential.in_use:
        return "has a credential that is not in use"
    return f"has a credential that is {sender.credential.status}: {sender.credential.why}"


def _named(sender: Sender) -> str:
    # Neither its label nor its address: both can be a phone number.
    return f"{sender.get_provider_display()} {sender.get_channel_display()} (sender {sender.pk})"


def _moment(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else "never"
