"""The report as a letter: its subject, its one sentence, its HTML and its plain text."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string

from jobs.engine import plain

# What is shown as bars, day by day: the name of the figure, its title and its colour.
CHARTS = (
    ("messages", "Messages", "#2f6fb3"),
    ("reservations", "Reservations", "#3b8a5a"),
    ("sessionsOpened", "Conversations begun", "#7a5ea8"),
    ("failedRuns", "Failed runs", "#c0392b"),
)
WIDEST = 100  # percent of a bar's room


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One report in words."""

    subject: str
    html: str
    text: str


def write(figures: dict[str, Any]) -> Letter:
    """The letter about a day's figures."""
    day = date.fromisoformat(figures["day"])
    troubles = _troubles(figures)
    about = {
        "figures": figures,
        "day": f"{day:%A} {day.day} {day:%B %Y}",
        "verdict": "; ".join(troubles).capitalize() + "." if troubles else "Everything went well.",
        "well": not troubles,
        "charts": [_chart(figures["week"], *chart) for chart in CHARTS],
        "rows": _rows(figures),
        "expiring": [_expiring(each, figures["timezone"]) for each in figures["credentials"]["expiring"]],
    }
    subject = f"{day:%A} {day.day} {day:%B}: {'; '.join(troubles) or 'all well'}; {_business(figures)}"
    html = render_to_string("monitoring/report/letter.html", about)
    text = render_to_string("monitoring/report/letter.txt", about)
    return Letter(subject=plain.text(" ".join(subject.split()), 300), html=plain.text(html), text=plain.text(text))


def _expiring(each: dict[str, str], zone: str) -> dict[str, str]:
    """A credential with its last moment as the reader's clock shows it."""
    at = datetime.fromisoformat(each["expiresAt"]).astimezone(ZoneInfo(zone))
    return {"label": each["label"], "expires": f"{at:%A} {at.day} {at:%B %Y, %H:%M}"}


def _business(figures: dict[str, Any]) -> str:
    last = figures["week"][-1]
    return f"{_count(last['messages'], 'message')}, {_count(last['reservations'], 'reservation')}"


def _troubles(figures: dict[str, Any]) -> list[str]:
    """What a reader should know before anything else."""
    credentials, found = figures["credentials"], []
    if failed := figures["jobs"]["failedJobs"]:
        found.append(f"{_count(len(failed), 'job')} failed")
    if bad := credentials["refusedInUse"]:
        found.append(f"{_count(bad, 'credential')} refused")
    if expiring := len(credentials["expiring"]):
        found.append(f"{_count(expiring, 'credential')} expiring")
    if figures["backup"]["overdue"]:
        found.append("no proven backup of late")
    if open_now := figures["alerts"]["openNow"]:
        found.append(f"{_count(open_now, 'alert')} open")
    return found


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _chart(week: list[dict[str, Any]], name: str, title: str, colour: str) -> dict[str, Any]:
    most = max(day[name] for day in week)
    bars = [
        {
            "day": f"{date.fromisoformat(day['day']):%a} {date.fromisoformat(day['day']).day}",
            "value": day[name],
            "width": round(WIDEST * day[name] / most) if most else 0,
            "last": day is week[-1],
        }
        for day in week
    ]
    return {"title": title, "colour": colour, "bars": bars}


def _rows(figures: dict[str, Any]) -> list[dict[str, Any]]:
    """Title, value of the day, and the comparison with the week before where there is one."""
    sessions, messages, booked = figures["sessions"], figures["messages"], figures["reservations"]
    jobs, backup = figures["jobs"], figures["backup"]
    age = "none" if backup["ageHours"] is None else f"{backup['ageHours']:g} h old"
    told = [
        ("Conversations begun", sessions["opened"], "sessionsOpened"),
        ("Conversations resolved, closed, given up", _list(sessions, "resolved", "closed", "abandoned"), None),
        ("Open, waiting, in error now", _list(sessions, "openNow", "waitingNow", "inErrorNow"), None),
        ("Messages received and sent", _list(messages, "received", "sent"), "messages"),
        ("Messages set aside; not processed now", _list(messages, "parked", "unprocessedNow"), None),
        ("Reservations; guests", _list(booked, "total", "guests"), "reservations"),
        ("Seated, cancelled, not come", _list(booked, "seated", "cancelled", "noShow"), None),
        ("Reminders sent", booked["remindersSent"], "remindersSent"),
        ("Reminders given up; due now", _list(booked, "remindersGivenUp", "remindersDueNow"), None),
        ("Runs that succeeded and failed", _list(jobs, "succeeded", "failed"), "runs"),
        ("Alerts raised; open now", _list(figures["alerts"], "raised", "openNow"), None),
        ("Newest proven backup", age, None),
    ]
    return [{"title": title, "value": value, "change": _change(figures, name)} for title, value, name in told]


def _list(figures: dict[str, Any], *names: str) -> str:
    return " / ".join(str(figures[name]) for name in names)


def _change(figures: dict[str, Any], name: str | None) -> str:
    if name is None:
        return ""
    change = figures["change"][name]
    if change["percent"] is None:
        return "nothing the week before"
    sign = "+" if change["percent"] > 0 else "−" if change["percent"] < 0 else "±"
    return f"{sign}{abs(change['percent'])} % against {change['weekBefore']:g} a day"
