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
ACTIONS = {
    "run-triggered": _("asked for a run"),
    "run-cancelled": _("cancelled a run"),
    "job-paused": _("paused a job"),
    "job-resumed": _("resumed a job"),
    "schedule-added": _("added a schedule"),
    "schedule-edited": _("edited a schedule"),
    "schedule-deleted": _("deleted a schedule"),
    "alert-acknowledged": _("saw an alert"),
    "token-created": _("made a token"),
    "token-changed": _("changed a token"),
    "token-revoked": _("revoked a token"),
    "signed-in": _("signed in"),
    "record-added": _("added a record"),
    "record-changed": _("changed a record"),
    "record-deleted": _("deleted a record"),
}
VIA = {"api": _("over the API"), "page": _("in the browser"), "cli": _("on the command line")}
SCOPES = {
    "read": _("look: state, runs, figures"),
    "trigger": _("ask for runs"),
    "manage": _("cancel, pause, edit schedules, and more"),
}
TOKENS = {"active": _("in use"), "expired": _("expired"), "revoked": _("revoked")}

ALL = {
    "state": STATES,
    "sentence": SENTENCES,
    "health": HEALTH,
    "severity": SEVERITIES,
    "kind": KINDS,
    "trigger": TRIGGERS,
    "delivery": DELIVERIES,
    "action": ACTIONS,
    "via": VIA,
    "token": TOKENS,
}
