"""The fields of the form of a periodic task: which tasks, zones and texts it takes."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib.admin.widgets import AdminSplitDateTime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_celery_beat.models import CrontabSchedule

from jobs.fleet import tasks

PERIODS = [(each, each) for each in ("days", "hours", "minutes", "seconds")]
LONGEST_TEXT = 10_000


def task_choices() -> list[tuple[str, str]]:
    """The tasks that a periodic task may name: the app's own."""
    names = sorted(name for name in tasks.known().tasks if not name.startswith("celery."))  # type: ignore[attr-defined]
    return [("", "---------"), *((name, name) for name in names)]


class ZoneInput(forms.TextInput):
    """A text with suggestions: a selection of six hundred zones is slow to draw and slow to use."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """The text and its suggestions."""
        text = super().render(name, value, {**(attrs or {}), "list": "zones", "autocomplete": "off"}, renderer)
        return format_html('{}<datalist id="zones">{}</datalist>', text, _zones())


def zone_field() -> forms.CharField:
    """The name of a time zone; the engine knows which there are."""
    return forms.CharField(label="Time zone", initial=own_zone, required=False, max_length=63, widget=ZoneInput)


def own_zone() -> str:
    """The zone that a new crontab begins with."""
    return str(settings.CRON.timezone)


def crontab_field(name: str, label: str, help_text: str) -> forms.CharField:
    """One of the five fields of a crontab; what it may hold the engine knows."""
    return forms.CharField(
        label=label,
        initial="*",
        required=False,
        max_length=CrontabSchedule._meta.get_field(name).max_length,
        help_text=help_text,
        widget=forms.TextInput(attrs={"size": 10, "autocomplete": "off"}),
    )


def json_field(label: str, help_text: str) -> forms.CharField:
    """A text of JSON; what it may hold depends on the task."""
    widget = forms.Textarea(attrs={"rows": 2, "cols": 60})
    return forms.CharField(label=label, required=False, max_length=LONGEST_TEXT, help_text=help_text, widget=widget)


def choice_field(choices: Any, refusal: str, **how: Any) -> forms.ChoiceField:
    """A selection, with words of its own for what it does not offer; `%(value)s` in them is the value."""
    return forms.ChoiceField(choices=choices, error_messages={"invalid_choice": refusal}, **how)


def moment_field(label: str, help_text: str = "") -> forms.SplitDateTimeField:
    """A date and a time of day, in UTC."""
    return forms.SplitDateTimeField(label=label, required=False, help_text=help_text, widget=AdminSplitDateTime)


@cache
def _zones() -> SafeString:
    return format_html_join("", '<option value="{}">', ((name,) for name in sorted(available_timezones())))
