"""The form of a periodic task: its timing is edited in place, and the engine says whether it can be understood."""

from copy import copy
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from jobs.admin import fields
from jobs.engine import editing, own_timing
from jobs.engine.own_timing import CRONTAB_FIELDS, KINDS
from jobs.engine.preview import Preview, preview_of, preview_of_row
from jobs.engine.timing import first_tick, timing_of
from jobs.engine.validation import (
    problem_of,
    problem_of_timing,
    problem_of_zone,
    problems_of_crontab,
    problems_of_message,
)
from jobs.fleet import tasks
from monitoring.job_figures import usual_duration

# Where a problem of the timing as a whole is shown: what is wrong with a crontab beyond its fields is its day.
PLACE_OF_TIMING = {"crontab": "day_of_month", "interval": "every", "clocked": "clocked_time"}
TIMING_FIELDS = ("kind", *CRONTAB_FIELDS, "timezone", "every", "period", "clocked_time", "start_time", "expires")
# The engine refuses these; a row that got them elsewhere is mended by saving it.
UNSUPPORTED = ("exchange", "routing_key", "priority", "expire_seconds")


class PeriodicTaskForm(forms.ModelForm):
    """A periodic task with its crontab, interval or moment."""

    task = fields.choice_field(fields.task_choices, "%(value)s is not a task of this service.")
    kind = forms.ChoiceField(choices=list(KINDS.items()), initial="crontab", widget=forms.RadioSelect, label="Due by")
    minute = fields.crontab_field("minute", "Minute", "0-59")
    hour = fields.crontab_field("hour", "Hour", "0-23")
    day_of_month = fields.crontab_field("day_of_month", "Day of month", "1-31")
    month_of_year = fields.crontab_field("month_of_year", "Month", "1-12, jan-dec")
    day_of_week = fields.crontab_field("day_of_week", "Day of week", "0-7, sun-sat")
    timezone = fields.zone_field()
    every = forms.IntegerField(required=False)
    period = fields.choice_field(
        fields.PERIODS,
        "%(value)s is not possible: choose days, hours, minutes or seconds.",
        initial="minutes",
        required=False,
    )
    clocked_time = fields.moment_field("At (UTC)")
    start_time = fields.moment_field("Not before (UTC)", "No tick before this moment; an interval counts from it.")
    expires = fields.moment_field("Not after (UTC)", "No tick at or after this moment.")
    args = fields.json_field("Arguments", "A JSON list; declared jobs take none.")
    kwargs = fields.json_field("Keyword arguments", 'A JSON object, such as {"days": 30}.')
    headers = fields.json_field("Headers", "A JSON object, kept with the row; runs do not use it.")

    version = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = PeriodicTask
        fields = ("name", "task", "enabled", "description", "start_time", "expires", "one_off", "args", "kwargs",
                  "queue", "headers")  # fmt: skip
        labels = {"task": "Task", "one_off": "Once only", "queue": "Queue"}
        widgets = {"description": forms.Textarea(attrs={"rows": 2, "cols": 60})}
        help_texts = {
            "name": "Its ticks are remembered under this name.",
            "task": "",
            "description": "",
            "enabled": "Ticks of a schedule that is switched off are recorded as disabled.",
            "one_off": "Switched off by itself after its first tick.",
            "queue": "Empty: the queue of the job's group.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.timing: dict[str, Any] | None = None
        self.initial = {**own_timing.as_initial(self.instance), **self.initial}
        if self.instance.pk:
            self.initial["version"] = editing.version(self.instance)

    def is_valid(self) -> bool:
        """Whether it may be saved: what the preview button sent never is."""
        return super().is_valid() and "_preview" not in self.data

    def clean_name(self) -> str:
        """Names stand in logs and lists: no line breaks, and nothing that turns the writing around."""
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            hidden = next(each for each in name if not each.isprintable())
            raise forms.ValidationError(f"The name holds a character that cannot be seen: U+{ord(hidden):04X}.")
        return name

    def clean_version(self) -> str:
        """The version that was seen, which must still be there: else somebody else's edit would silently be undone."""
        seen: str = self.cleaned_data["version"]
        if seen and self.instance.pk and seen != editing.version(PeriodicTask.objects.get(pk=self.instance.pk)):
            raise forms.ValidationError("Somebody has changed this schedule since you opened it. Open it anew.")
        return seen

    def clean_timezone(self) -> str:
        """A zone that there is, or nothing; which of the two a row needs its kind decides."""
        name: str = self.cleaned_data["timezone"]
        if name and (reason := problem_of_zone(name)):
            raise forms.ValidationError(reason)
        return name

    def clean(self) -> dict[str, Any]:
        """Ask the engine about the row as it would be, and put each answer beside its field."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind = cleaned.get("kind")
        if kind is None or not self._is_complete(kind, cleaned):
            return cleaned
        if kind == "clocked":
            cleaned["one_off"] = True
        own_timing.put(self.instance, kind, cleaned)
        for unsupported in UNSUPPORTED:
            setattr(self.instance, unsupported, None)
        self._ask_the_engine(kind, self._as_it_would_be(cleaned))
        return cleaned

    def preview(self, now: datetime) -> Preview:
        """The next ticks: of what was typed, or of the saved row when nothing was."""
        if not self.is_bound:
            return preview_of_row(self.instance, now=now)
        self.full_clean()
        problems = [str(reason) for name in TIMING_FIELDS for reason in self.errors.get(name, [])]
        if problems or self.timing is None:
            return Preview(problems=problems)
        once, expires = bool(self.cleaned_data.get("one_off")), self.cleaned_data.get("expires")
        usual = usual_duration(self.instance.task.removeprefix("jobs."))
        name = self.instance.name
        return preview_of(self.timing, now=now, expires=expires, one_off=once, name=name, usual=usual)

    def _is_complete(self, kind: str, cleaned: dict[str, Any]) -> bool:
        missing = [name for name in own_timing.NEEDED[kind] if cleaned.get(name) in (None, "")]
        for name in missing:
            if name not in self.errors:
                self.add_error(name, "Needed; * stands for every one." if name in CRONTAB_FIELDS else "Needed.")
        return not missing

    def _as_it_would_be(self, cleaned: dict[str, Any]) -> PeriodicTask:
        row = copy(self.instance)
        for name in cleaned.keys() & set(self.Meta.fields):
            setattr(row, name, cleaned[name])
        return row

    def _ask_the_engine(self, kind: str, row: PeriodicTask) -> None:
        known = tasks.known()
        found = list(problems_of_crontab(row.crontab)) if row.crontab else []
        if not found and (reason := problem_of_timing(row)):
            found = [(PLACE_OF_TIMING[kind], reason)]
        if not found:
            self.timing = timing_of(row)
            if kind == "clocked" and row.enabled and first_tick(self.timing, timezone.now()) is None:
                found = [(PLACE_OF_TIMING[kind], "This moment has passed: it would never run.")]
        if row.task in known.tasks:
            found += problems_of_message(row, known)
        for name, reason in found:
            self.add_error(name if name in self.fields else None, reason)
        if not self.errors and (reason := problem_of(row, known)):
            self.add_error(None, reason)
