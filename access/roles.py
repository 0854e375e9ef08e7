"""Three roles as groups of permissions: who looks, who operates, who administers."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps as installed

# Everything that tells how the service stands; no customer, no credential, no account.
LOOKED_AT = {
    "jobs": ("run", "schedule", "tickgap", "worker", "dailytotal"),
    "monitoring": ("alert", "dailyreport", "logentry"),
    "maintenance": ("backup",),
    "django_celery_beat": ("periodictask",),
    "django_celery_results": ("taskresult",),
}
# What an operator helps customers with, or keeps going.
CUSTOMERS = {
    "sessions_app": ("session", "message"),
    "reservations": ("reservation", "reminder", "optout"),
    "external_apis": ("sender", "template", "webhookevent", "credential"),
}
# Which of these an operator may change; the admin itself says what can be changed about each.
OPERATED = {
    "jobs": ("add_run", "change_run", "change_schedule"),
    "django_celery_beat": ("change_periodictask",),
    "sessions_app": ("change_session", "change_message"),
    "reservations": ("change_reservation", "remind_reservation", "change_optout"),
    "external_apis": ("change_sender", "change_webhookevent"),
}
# What only administrators touch: who may come in, credentials, and rows that name what is run.
ADMINISTERED = {
    "access": ("token",),
    "auth": ("user", "group"),
    "external_apis": ("credential", "template"),
    "reservations": ("reservation",),
    "django_celery_beat": ("periodictask",),
}

VERBS = ("view", "add", "change", "delete")

Named = set[tuple[str, str]]


def permissions() -> dict[str, Named]:
    """The permissions of each role, as app and codename."""
    viewer = _views(LOOKED_AT)
    operator = viewer | _views(CUSTOMERS) | {(app, each) for app, names in OPERATED.items() for each in names}
    managed = {(app, f"{verb}_{model}") for app, models in ADMINISTERED.items() for model in models for verb in VERBS}
    administrator = operator | managed | {("access", "view_auditentry")}
    return {"viewer": viewer, "operator": operator, "administrator": administrator}


def create(apps: Any, _: Any = None) -> None:
    """Make the three groups, or give them what they lack: a migration's step.

    Permissions are made after all migrations; those that are needed are made here, exactly as they would be there.
    """
    for role, named in permissions().items():
        group, _made = apps.get_model("auth", "Group").objects.get_or_create(name=role)
        group.permissions.add(*_permissions(apps, sorted(named)))


def _views(models: dict[str, tuple[str, ...]]) -> Named:
    return {(app, f"view_{model}") for app, names in models.items() for model in names}


def _permissions(apps: Any, named: Iterable[tuple[str, str]]) -> list[Any]:
    models = {(each._meta.app_label, each._meta.model_name): each for each in installed.get_models()}
    content_types = apps.get_model("contenttypes", "ContentType").objects
    permissions = apps.get_model("auth", "Permission").objects
    found = []
    for app, codename in named:
        name = codename.partition("_")[2]
        if (app, name) not in models:
            continue  # the model has left since
        words = _in_words(models[app, name]._meta)
        content_type, _made = content_types.get_or_create(app_label=app, model=name)
        permission, _made = permissions.get_or_create(
            content_type=content_type, codename=codename, defaults={"name": words[codename]}
        )
        found.append(permission)
    return found


def _in_words(options: Any) -> dict[str, str]:
    """The names of a model's permissions, as Django itself will give them."""
    usual = {f"{verb}_{options.model_name}": f"Can {verb} {options.verbose_name_raw}" for verb in VERBS}
    return usual | dict(options.permissions)
