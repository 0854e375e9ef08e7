"""The operator's pages in Django's admin. Schedules are edited here; what the engine owns can only be looked at."""

from django.contrib import admin

from jobs.admin import alerts, audit, backups, daily_reports, log_entries, records, runs, tasks

admin.site.site_header = admin.site.site_title = "Cron jobs service"
admin.site.index_title = "Operations"

__all__ = ["alerts", "audit", "backups", "daily_reports", "log_entries", "records", "runs", "tasks"]
