"""What people do in the admin, kept in the audit: signing in, and changes of records that nobody else words."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.contrib.auth.signals import user_logged_in
from django.db.models import Model
from django.db.models.signals import post_delete, post_save

from access import audit, origin
from access.models import Action

# What is done with these is kept with more to say where it is done.
TOLD_ELSEWHERE = {"django_celery_beat.periodictask", "jobs.run", "monitoring.alert", "access.token"}


def listen() -> None:
    """From now on; the admin's own log tells what is added and changed, but not of each deletion."""
    user_logged_in.connect(_signed_in)
    post_save.connect(_logged, sender=LogEntry)
    for model in admin.site._registry:
        if model._meta.label_lower not in TOLD_ELSEWHERE:
            post_delete.connect(_deleted, sender=model)


def _signed_in(user: Any, **_: Any) -> None:
    audit.note(Action.SIGNED_IN, f"user {user.get_username()}", by=user.get_username())


def _logged(instance: LogEntry, **_: Any) -> None:
    """Which record, and which of its fields; no value of them."""
    kind = instance.content_type
    if kind is None or f"{kind.app_label}.{kind.model}" in TOLD_ELSEWHERE or instance.action_flag == DELETION:
        return
    action = Action.RECORD_ADDED if instance.action_flag == ADDITION else Action.RECORD_CHANGED
    subject = f"{kind.app_label}.{kind.model} {instance.object_id}"
    audit.note(action, subject, by=instance.user.get_username(), after={"said": instance.get_change_message()})


def _deleted(instance: Model, **_: Any) -> None:
    here = origin.current.get()
    if here.via is origin.Via.PAGE:
        audit.note(Action.RECORD_DELETED, f"{instance._meta.label_lower} {instance.pk}", by=here.who())
