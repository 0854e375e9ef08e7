from django.apps import AppConfig


class ExternalApisConfig(AppConfig):
    name = "external_apis"
