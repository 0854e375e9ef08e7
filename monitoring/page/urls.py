"""The addresses of the operator's page."""

from django.urls import path

from monitoring.page import views

urlpatterns = [
    path("", views.overview, name="home"),
    path("overview", views.overview_part, name="overview-part"),
    path("jobs/<slug:slug>", views.job, name="job-page"),
    path("jobs/<slug:slug>/part", views.job_part, name="job-part"),
    path("alerts", views.alerts, name="alerts-page"),
    path("alerts/part", views.alerts_part, name="alerts-part"),
    path("reports", views.reports, name="reports-page"),
    path("backups", views.backups, name="backups-page"),
    path("runs/<uuid:run_id>", views.run, name="run-page"),
    path("runs/<uuid:run_id>/part", views.run_part, name="run-part"),
    path("runs/<uuid:run_id>/result", views.run_result, name="run-result"),
]
