"""Daily reports in the admin: as they were sent, and to whom."""

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from jobs.admin.moments import both_zones
from jobs.admin.readonly import ReadOnlyAdmin
from monitoring.models import DailyReport
from monitoring.report import sending


@admin.register(DailyReport)
class DailyReportAdmin(ReadOnlyAdmin):
    """Reports, the newest first."""

    list_display = ("day", "subject", "made", "sent_to")
    ordering = ("-day",)
    date_hierarchy = "day"
    fields = ("day", "subject", "made", "sent_to", "letter")

    @admin.display(description="Made", ordering="created_at")
    def made(self, report: DailyReport) -> str:
        """When its figures were taken."""
        return both_zones(report.created_at)

    @admin.display(description="Sent to")
    def sent_to(self, report: DailyReport) -> SafeString | str:
        """Each reader, and what became of their letter."""
        told = sending.outcome(report)["deliveries"]
        lines = ((each["to"], each["state"], f": {each['error']}" if each["error"] else "") for each in told)
        return format_html_join("", "<div>{} ({}{})</div>", lines) or "-"

    @admin.display(description="Letter")
    def letter(self, report: DailyReport) -> SafeString:
        """As it was sent; shut away from this page."""
        return format_html('<iframe class="letter" title="Letter" sandbox="" srcdoc="{}"></iframe>', report.html)
