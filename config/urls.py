"""Every address of the service."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from access import sign_in
from jobs.api import (
    alerts,
    audit,
    backups,
    daily_reports,
    jobs,
    prometheus,
    run_log,
    runs,
    schedules,
    state,
    tokens,
    webhooks,
)
from jobs.api.cron_api import CronAPI, nothing_here
from jobs.api.trigger import build_router
from monitoring import probes

api = CronAPI(title="Cron Jobs Service", version="1", description="Trigger and watch scheduled jobs.")
api.add_router("", state.router)
api.add_router("/trigger", build_router())
api.add_router("/runs", runs.router)
api.add_router("/runs", run_log.router)
api.add_router("/jobs", jobs.router)
api.add_router("/jobs", schedules.router)
api.add_router("/alerts", alerts.router)
api.add_router("/reports", daily_reports.router)
api.add_router("/backups", backups.router)
api.add_router("/tokens", tokens.router)
api.add_router("/audit", audit.router)

urlpatterns = [
    path("cron/", api.urls),
    path("cron/<path:rest>", nothing_here),
    path("cron", nothing_here),
    path("webhooks/meta", webhooks.meta, name="webhook-meta"),
    path("webhooks/twilio", webhooks.twilio, name="webhook-twilio"),
    path("metrics", prometheus.metrics, name="prometheus"),
    path("livez", probes.livez),
    path("readyz", probes.readyz),
    path("admin/login/", sign_in.admin_sign_in),
    path("admin/", admin.site.urls),
    path("language", set_language, name="set_language"),
    # For what names no icon of its own, such as a letter that is shown by itself.
    path("favicon.ico", RedirectView.as_view(url=f"/{settings.STATIC_URL.strip('/')}/monitoring/page/icon.svg")),
    path("", include("monitoring.page.urls")),
]

handler400 = "config.failures.bad_request"
handler404 = "config.failures.not_found"
handler500 = "config.failures.failed"
