"""The bare view: it sends one message and says so."""

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from bench.peer.celery import noop


@csrf_exempt
def trigger(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Send a message."""
    return JsonResponse({"id": noop.apply_async().id}, status=202)


urlpatterns = [path("trigger", trigger)]
if "django.contrib.admin" in settings.INSTALLED_APPS:
    from django.contrib import admin

    urlpatterns.append(path("admin/", admin.site.urls))
