"""The jobs as a table for the documentation, made from their declarations."""

from datetime import timedelta

from jobs.engine import registry
from jobs.engine.definition import Job
from jobs.engine.words import cron_in_words

COLUMNS = ("path", "schedule", "when", "description", "group", "time limits (soft / hard)")


def rows() -> list[dict[str, str]]:
    """One row per declared job, in the order of declaration."""
    return [dict(zip(COLUMNS, _cells(job), strict=True)) for job in registry.all_jobs()]


def markdown() -> str:
    """The same as a Markdown table, without a newline at its end."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *(_as_markdown(row) for row in rows())]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(job: Job) -> tuple[str, ...]:
    limits = f"{_duration(job.soft_limit)} / {_duration(job.hard_limit)}"
    zone = f" ({job.zone})" if job.zone else ""
    return job.slug, job.schedule, cron_in_words(job.schedule) + zone, job.description, job.group, limits


def _as_markdown(row: dict[str, str]) -> list[str]:
    escaped = {name: value.replace("|", "\\|") for name, value in row.items()}
    return [f"`{value}`" if name in ("path", "schedule") else value for name, value in escaped.items()]


def _duration(limit: timedelta) -> str:
    seconds = int(limit.total_seconds())
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)
