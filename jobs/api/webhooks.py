"""What Meta and Twilio call: check the signature, keep what is told, ask for a run that works it off."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from external_apis import events
from external_apis.encryption import WrongKey
from external_apis.models import Credential, Provider, WebhookEvent
from external_apis.webhooks import Parsed, inbox, signatures
from external_apis.webhooks import meta as from_meta
from external_apis.webhooks import twilio as from_twilio
from jobs.api.problems import (
    BAD_REQUEST,
    NOT_CONFIGURED,
    PROBLEMS,
    REFUSED,
    RETRY_AFTER_S,
    TOO_LARGE,
    Problem,
    problem_of,
    wrong_method,
)
from jobs.engine.asking import ask
from jobs.fleet.publishing import publish

JOB = "check-unprocessed-messages"
LARGEST = 1024 * 1024
MOST_FIELDS = 1000
NO_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

Way = Callable[[HttpRequest], HttpResponse]


def _view(**ways: Way) -> Way:
    """A view with one function per method, in which every refusal is a problem."""

    @csrf_exempt
    def view(request: HttpRequest) -> HttpResponse:
        way = ways.get(request.method or "")
        if way is None:
            return wrong_method(request.method, ", ".join(ways)).answer()
        try:
            return way(request)
        except Problem as refused:
            return refused.answer()
        except tuple(PROBLEMS) as refused:
            return problem_of(refused).answer()

    return view


def _subscribe(request: HttpRequest) -> HttpResponse:
    """Meta asks once, when the address is entered there, whether it is ours."""
    expected = _configured(settings.PROVIDERS.meta.verify_token, "META_VERIFY_TOKEN")
    right = signatures.same(expected, request.GET.get("hub.verify_token", ""))
    if request.GET.get("hub.mode") != "subscribe" or not right:
        raise _refused(Provider.META, "the verify token is wrong")
    return HttpResponse(request.GET.get("hub.challenge", ""), content_type="text/plain")


def _from_meta(request: HttpRequest) -> HttpResponse:
    secret = _configured(settings.PROVIDERS.meta.app_secret, "META_APP_SECRET")
    body, signature = _body(request), request.headers.get("X-Hub-Signature-256", "")
    if not signatures.is_from_meta(body, signature, app_secret=secret):
        raise _refused(Provider.META, _what_is_wrong(signature))
    now = timezone.now()
    parsed = from_meta.parse(_json(body), now=now)
    return JsonResponse({"new": _take_in(parsed, Provider.META, now=now), "ignored": parsed.ignored})


def _from_twilio(request: HttpRequest) -> HttpResponse:
    base = settings.PROVIDERS.public_url or f"{request.scheme}://{request.get_host()}"
    address = base + request.path_info
    query, signature = request.META.get("QUERY_STRING", ""), request.headers.get("X-Twilio-Signature", "")
    form, (tokens, why_not_all) = _form(_body(request)), _auth_tokens()
    url = f"{address}?{query}" if query else address
    if not signatures.is_from_twilio(url, form, signature, tokens=tokens):
        raise _not_configured(why_not_all) if why_not_all else _refused(Provider.TWILIO, _what_is_wrong(signature))
    now = timezone.now()
    told = {name: values[0] for name, values in form.items()}
    parsed = from_twilio.parse(told, reference=request.GET.get("reference", ""), now=now)
    _take_in(parsed, Provider.TWILIO, now=now)
    return HttpResponse(status=204) if from_twilio.is_status(told) else HttpResponse(NO_TWIML, content_type="text/xml")


meta = _view(GET=_subscribe, POST=_from_meta)
twilio = _view(POST=_from_twilio)


def _configured(value: str, name: str) -> str:
    if not value:
        raise _not_configured(f"{name} is not set: without it no webhook of this provider can be checked.")
    return value


def _auth_tokens() -> tuple[list[str], str]:
    """The tokens that can be read, and why there are no others: then a signature that fits none may be right."""
    usable = Credential.objects.usable().filter(provider=Provider.TWILIO, kind=Credential.Kind.AUTH_TOKEN)
    secrets: Any = usable.order_by("-pk").values_list("secret", flat=True)
    tokens: list[str] = []
    why_not_all = "" if secrets else "There is no usable credential of the kind auth token: Twilio signs with it."
    for each in secrets:
        try:
            tokens.append(each.reveal())
        except WrongKey as unreadable:
            why_not_all = str(unreadable)
    return tokens, why_not_all


def _not_configured(detail: str) -> Problem:
    return Problem(NOT_CONFIGURED, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def _refused(provider: Provider, why: str) -> Problem:
    events.webhook_refused.send_robust(WebhookEvent, provider=provider.value, why=why)
    return Problem(REFUSED, "The request is not accepted.")


def _what_is_wrong(signature: str) -> str:
    return "the signature is wrong" if signature else "the signature is missing"


def _body(request: HttpRequest) -> bytes:
    announced = request.META.get("CONTENT_LENGTH") or ""
    if announced.isdecimal() and int(announced) > LARGEST:  # refused before it is read
        raise Problem(TOO_LARGE, f"At most {LARGEST} bytes are allowed.")
    try:
        body = _whole(request, announced)
    except UnreadablePostError:
        raise Problem(BAD_REQUEST, "The body did not arrive whole.") from None
    if len(body) > LARGEST:
        raise Problem(TOO_LARGE, f"At most {LARGEST} bytes are allowed.")
    return body


def _whole(request: HttpRequest, announced: str) -> bytes:
    if announced or "Transfer-Encoding" not in request.headers:
        return request.body
    # Django takes a body in chunks for an empty one; the servers in use know where it ends.
    pieces: bytes = request.META["wsgi.input"].read(LARGEST + 1)
    return pieces


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Problem(BAD_REQUEST, "The body is not valid JSON.") from None


def _form(body: bytes) -> dict[str, list[str]]:
    form: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Problem(BAD_REQUEST, f"The form has more than {MOST_FIELDS} fields.") from None
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form


def _take_in(parsed: Parsed, provider: Provider, *, now: datetime) -> int:
    new = inbox.store(parsed.events)
    if parsed.ignored:
        events.webhook_ignored.send_robust(WebhookEvent, provider=provider.value, count=parsed.ignored)
    # A repeat asks too while anything waits: the first delivery may have found the database gone at this point.
    if new or (parsed.events and WebhookEvent.objects.unprocessed().exists()):
        _ask_for_a_run(provider, now=now)
    return new


def _ask_for_a_run(provider: Provider, *, now: datetime) -> None:
    # Only after the events are committed: a run that waits already may begin at any moment, and must see them.
    ask(JOB, by=provider.label, publish=publish, enabled=settings.CRON.enabled, now=now)
