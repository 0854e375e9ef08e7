"""The addresses of the operator's page."""

from django.urls import path

from monitoring.page import administration, views
from monitoring.page.signing_in import SignIn, SignOut

urlpatterns = [
    path("sign-in", SignIn.as_view(), name="sign-in"),
    path("sign-out", SignOut.as_view(), name="sign-out"),
    path("", views.overview, name="home"),
    path("overview", views.overview_part, name="overview-part"),
    path("jobs/<slug:slug>", views.job, name="job-page"),
    path("jobs/<slug:slug>/part", views.job_part, name="job-part"),
    path("phrases", views.phrases, name="phrases"),
    path("alerts", views.alerts, name="alerts-page"),
    path("alerts/part", views.alerts_part, name="alerts-part"),
    path("reports", views.reports, name="reports-page"),
    path("backups", views.backups, name="backups-page"),
    path("audit", administration.audit, name="audit-page"),
    path("tokens", administration.tokens, name="tokens-page"),
    path("runs/<uuid:run_id>", views.run, name="run-page"),
    path("runs/<uuid:run_id>/part", views.run_part, name="run-part"),
    path("runs/<uuid:run_id>/result", views.run_result, name="run-result"),
]
