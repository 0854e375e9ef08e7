"""Alerts in the admin: what is wrong, what was, and what was told of it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from jobs.admin.moments import both_zones
from jobs.admin.readonly import ReadOnlyAdmin
from monitoring.alerts import standing
from monitoring.alerts.wording import duration
from monitoring.models import Alert


class OpenFilter(admin.SimpleListFilter):
    """What is wrong now, unless somebody asks for more."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Open, or all."""
        return [("open", "Open"), ("over", "Over")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:  # noqa: ARG002
        """The alerts of that standing."""
        return queryset if self.value() is None else queryset.filter(cleared_at__isnull=self.value() == "open")


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """Alerts, those that are open first."""

    list_display = ("__str__", "how_bad", "state", "summary", "lasted_for", "acknowledged_by")
    list_filter = (OpenFilter, "severity", "cause")
    search_fields = ("subject", "summary")
    ordering = ("-cleared_at", "-pk")  # NULLs, which are open, come first
    actions = ("acknowledge",)
    fields = (
        "cause",
        "subject",
        "how_bad",
        "state",
        "summary",
        "raised",
        "escalated",
        "seen",
        "acknowledged",
        "acknowledged_by",
        "cleared",
        "lasted_for",
        "told",
    )

    @admin.action(description="Acknowledge", permissions=["acknowledge"])
    def acknowledge(self, request: HttpRequest, alerts: QuerySet[Alert]) -> None:
        """Say that somebody has seen them: they are not repeated until they become worse."""
        by, now = request.user.get_username(), timezone.now()
        count = sum(standing.acknowledge(alert, by=by, now=now) for alert in alerts)
        words = f"{count} acknowledged." if count else "Nothing to acknowledge: that was done, or they are over."
        self.message_user(request, words, messages.SUCCESS if count else messages.WARNING)

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        """Who may manage may acknowledge."""
        return request.user.has_perm("jobs.change_schedule")

    @admin.display(description="Severity", ordering="severity")
    def how_bad(self, alert: Alert) -> SafeString:
        """In its colour."""
        return format_html('<span class="severity {}">{}</span>', alert.severity, alert.severity)

    @admin.display(description="Raised", ordering="raised_at")
    def raised(self, alert: Alert) -> str:
        """Since when it is so."""
        return both_zones(alert.raised_at)

    @admin.display(description="Lasted")
    def lasted_for(self, alert: Alert) -> str:
        """How long it was so, or has been so far."""
        if alert.lasted is None:
            return f"{duration(timezone.now() - alert.raised_at)} so far"
        return duration(alert.lasted)

    @admin.display(description="Became critical")
    def escalated(self, alert: Alert) -> str:
        """When it did."""
        return both_zones(alert.escalated_at)

    @admin.display(description="Last seen")
    def seen(self, alert: Alert) -> str:
        """When a look found it last."""
        return both_zones(alert.seen_at)

    @admin.display(description="Acknowledged")
    def acknowledged(self, alert: Alert) -> str:
        """When somebody did."""
        return both_zones(alert.acknowledged_at)

    @admin.display(description="Cleared")
    def cleared(self, alert: Alert) -> str:
        """When it was over."""
        return both_zones(alert.cleared_at)

    @admin.display(description="Told")
    def told(self, alert: Alert) -> SafeString | str:
        """By which channel, and with what success."""
        rows = (
            (notice.kind, notice.channel, both_zones(notice.sent_at) if notice.sent_at else notice.error or "waits")
            for notice in alert.notices.order_by("pk")
        )
        told = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", rows)
        return format_html("<table>{}</table>", told) if told else "To nobody: no channel is set up."
