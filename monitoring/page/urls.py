"""The addresses of the operator's page."""

from django.urls import path

from monitoring.page import views

urlpatterns = [
    path("", views.overview, name="home"),
    path("overview", views.overview_part, name="overview-part"),
]
