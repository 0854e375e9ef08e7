"""What is told about alerts, in words for people and as JSON for programs."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from monitoring.models import Notice

LONGEST = 3_500  # what every messenger takes in one piece
FIRST_WORD = {
    Notice.Kind.RAISED: "{severity}",
    Notice.Kind.ESCALATED: "now {severity}",
    Notice.Kind.REMINDER: "still {severity}",
    Notice.Kind.CLEARED: "over",
}


def title(notices: Sequence[Notice]) -> str:
    """One line: what it is, or how many of which kind."""
    if len(notices) == 1:
        return _headline(notices[0])
    counts = Counter(Notice.Kind(notice.kind) for notice in notices)
    return "Alerts: " + ", ".join(f"{count} {kind}" for kind, count in counts.items())


def text(notices: Sequence[Notice], *, page: str) -> str:
    """Everything about each, the end cut off when it is too long; `page` is where to read more, or empty."""
    parts = [f"{_headline(notice)}\n{_said(notice)}" for notice in notices]
    shown: list[str] = []
    for part in parts:
        if sum(map(len, shown)) + len(part) > LONGEST and shown:
            break
        shown.append(part[:LONGEST])
    left_out = len(parts) - len(shown)
    more = [f"And {left_out} more."] if left_out else []
    return "\n\n".join([*shown, *more, *([page] if page else [])])


def as_json(notice: Notice) -> dict[str, Any]:
    """A notice and its alert, for a program; times in UTC, durations in seconds."""
    alert = notice.alert
    lasted = _lasted(notice)
    return {
        "id": notice.pk,
        "kind": notice.kind,
        "alert": alert.pk,
        "cause": alert.cause,
        "subject": alert.subject,
        "severity": alert.severity,
        "summary": notice.summary,
        "raisedAt": _moment(alert.raised_at),
        "clearedAt": _moment(alert.cleared_at) if lasted is not None else None,
        "durationSeconds": None if lasted is None else int(lasted.total_seconds()),
    }


def duration(length: timedelta) -> str:
    """A length of time as people say it: its two largest units."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    first = next((place for place, (value, _) in enumerate(units) if value), len(units) - 1)
    return " ".join(f"{value} {unit}" for value, unit in units[first : first + 2] if value) or "0 s"


def _headline(notice: Notice) -> str:
    first = FIRST_WORD[Notice.Kind(notice.kind)].format(severity=notice.alert.severity)
    return f"[{first}] {notice.alert}"


def _said(notice: Notice) -> str:
    lasted = _lasted(notice)
    since = f"{notice.alert.raised_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if lasted is not None:
        return f"It lasted {duration(lasted)}, since {since}. It was: {notice.summary}"
    return notice.summary if notice.kind == Notice.Kind.RAISED else f"{notice.summary} It has been so since {since}."


def _lasted(notice: Notice) -> timedelta | None:
    """Of a recovery alone: a notice that waited tells what was so when it was written."""
    return notice.alert.lasted if notice.kind == Notice.Kind.CLEARED else None


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
