"""Words for what the database keeps as one word, in the reader's language."""

from django.utils.translation import gettext_lazy as _

from monitoring.health import DEGRADED, HEALTHY, UNHEALTHY

STATES = {
    "queued": _("queued"),
    "running": _("running"),
    "retrying": _("waits for a retry"),
    "succeeded": _("succeeded"),
    "failed": _("failed"),
    "cancelled": _("cancelled"),
    "skipped": _("skipped"),
    "missed": _("missed"),
    "disabled": _("was off"),
}
ATTENTION = "attention"  # healthy, but there are alerts that nobody has looked at
SENTENCES = {
    HEALTHY: _("Everything is all right."),
    ATTENTION: _("Jobs run, but an alert wants to be looked at."),
    DEGRADED: _("Jobs run, but something is wrong."),
    UNHEALTHY: _("Some jobs cannot run."),
}
HEALTH = {HEALTHY: _("healthy"), DEGRADED: _("degraded"), UNHEALTHY: _("unhealthy")}
SEVERITIES = {"warning": _("warning"), "critical": _("critical")}
KINDS = {"worker": _("worker"), "scheduler": _("scheduler"), "foreground": _("foreground")}
TRIGGERS = {
    "schedule": _("by its schedule"),
    "api": _("over the API"),
    "admin": _("in the admin"),
    "cli": _("on the command line"),
    "webhook": _("by a webhook"),
}

DELIVERIES = {
    "pending": _("to be sent"),
    "sending": _("being sent"),
    "sent": _("sent"),
    "refused": _("refused"),
    "unknown": _("perhaps sent"),
}

ALL = {
    "state": STATES,
    "sentence": SENTENCES,
    "health": HEALTH,
    "severity": SEVERITIES,
    "kind": KINDS,
    "trigger": TRIGGERS,
    "delivery": DELIVERIES,
}
