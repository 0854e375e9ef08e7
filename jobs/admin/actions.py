"""What an operator does to several schedules at once; each is recorded in the admin's log with who did it."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import ModelAdmin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django_celery_beat.models import PeriodicTask

from jobs.engine import dispatch, editing, pausing, registry, sync
from jobs.engine.definition import Job
from jobs.engine.errors import AlreadyWaiting, BadArguments
from jobs.engine.firetimes import BadSchedule
from jobs.engine.schedules import define
from jobs.fleet import tasks
from jobs.fleet.publishing import publish
from jobs.models import Trigger

Rows = QuerySet[PeriodicTask]


class PauseForm(forms.Form):
    """Why, and until when."""

    reason = forms.CharField(max_length=500, help_text="Every tick that is skipped says so.")
    until = forms.SplitDateTimeField(
        label="Until (UTC)", required=False, widget=AdminSplitDateTime, help_text="Empty: until it is resumed."
    )


@admin.action(description="Run now", permissions=["run"])
def run_now(page: ModelAdmin, request: HttpRequest, rows: Rows) -> None:
    """Trigger the job of each row, with the row's arguments."""
    known = tasks.known()
    for row in rows:
        job = _job_of(row)
        if job is None:
            _tell(page, request, f"{row.name} is not a declared job: only those can be run from here.", messages.ERROR)
            continue
        try:
            run = dispatch.trigger(
                job,
                by=request.user.get_username(),
                via=Trigger.ADMIN,
                publish=publish,
                arguments=define(row, known).arguments,
            )
        except (AlreadyWaiting, BadArguments, BadSchedule) as refused:
            _tell(page, request, str(refused), messages.WARNING)
            continue
        page.log_change(request, row, f"Run now: {run.pk}")
        _tell(page, request, f"{job.slug} is queued: run {run.pk}.", messages.SUCCESS)


@admin.action(description="Pause…", permissions=["change"])
def pause(page: ModelAdmin, request: HttpRequest, rows: Rows) -> HttpResponse | None:
    """Ask why and until when, then pause the job of each row."""
    form = PauseForm(request.POST if "apply" in request.POST else None)
    if not form.is_valid():
        context = {
            **page.admin_site.each_context(request),
            "title": "Pause",
            "opts": page.opts,
            "rows": rows,
            "form": form,
            "media": page.media + form.media,
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "jobs/admin/pause.html", context)
    tasks.read_edits()
    reason, until = form.cleaned_data["reason"], form.cleaned_data["until"]
    for row, job in _declared(page, request, rows):
        pausing.pause(job.slug, by=request.user.get_username(), reason=reason, until=until)
        page.log_change(request, row, f"Paused: {reason}")
        _tell(page, request, f"{job.slug} is paused.", messages.SUCCESS)
    return None


@admin.action(description="Resume", permissions=["change"])
def resume(page: ModelAdmin, request: HttpRequest, rows: Rows) -> None:
    """End the pause of the job of each row."""
    for row, job in _declared(page, request, rows):
        if pausing.resume(job.slug, by=request.user.get_username()):
            page.log_change(request, row, "Resumed")
            _tell(page, request, f"{job.slug} is no longer paused.", messages.SUCCESS)
        else:
            _tell(page, request, f"{job.slug} was not paused.", messages.WARNING)


@admin.action(description="Enable", permissions=["change"])
def enable(page: ModelAdmin, request: HttpRequest, rows: Rows) -> None:
    """Switch rows on."""
    _switch(page, request, rows.filter(enabled=False), on=True)


@admin.action(description="Disable", permissions=["change"])
def disable(page: ModelAdmin, request: HttpRequest, rows: Rows) -> None:
    """Switch rows off."""
    _switch(page, request, rows.filter(enabled=True), on=False)


@admin.action(description="Reset to the declared default", permissions=["change"])
def reset(page: ModelAdmin, request: HttpRequest, rows: Rows) -> None:
    """Give up what was edited in the rows of declared jobs."""
    for row in rows:
        if registry.find(row.name) is None:
            _tell(page, request, f"{row.name} is not declared in the code: it has no default.", messages.WARNING)
            continue
        sync.reset(row.name, by=request.user.get_username())
        page.log_change(request, row, "Reset to the declared default")
        _tell(page, request, f"{row.name} follows its declaration again.", messages.SUCCESS)


ALL = (run_now, pause, resume, enable, disable, reset)


def _switch(page: ModelAdmin, request: HttpRequest, rows: Rows, *, on: bool) -> None:
    changing = list(rows)
    for row in changing:
        editing.switch(row, on=on, by=request.user.get_username())
        page.log_change(request, row, f"enabled: {not on} → {on}")
    _tell(page, request, f"{len(changing)} switched {'on' if on else 'off'}.", messages.SUCCESS)


def _declared(page: ModelAdmin, request: HttpRequest, rows: Rows) -> list[tuple[PeriodicTask, Job]]:
    found = [(row, _job_of(row)) for row in rows]
    for row, job in found:
        if job is None:
            _tell(page, request, f"{row.name} is not of a declared job: disable it instead.", messages.WARNING)
    return [(row, job) for row, job in found if job is not None]


def _job_of(row: PeriodicTask) -> Job | None:
    return registry.find(row.task.removeprefix("jobs.")) if row.task.startswith("jobs.") else None


def _tell(page: ModelAdmin, request: HttpRequest, text: str, level: Any) -> None:
    page.message_user(request, text, level)
