"""Keeping the providers' credentials: checked at the provider, brought in line with the settings, renewed in time."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.conf import settings

from external_apis import copying, credentials, exchange, sync, validation
from external_apis.connections import Connections
from external_apis.models import Credential
from jobs.engine.context import RunContext

NOTHING = "There are no credentials. Enter them in the admin under External APIs, or configure them."


def validate(run: RunContext) -> dict[str, Any]:
    """Ask the providers about every credential; those that were not answered for are judged by their expiry."""
    known = Credential.objects.order_by("pk")
    with Connections(settings.PROVIDERS) as connections:
        asked = run.each(known, partial(validation.validate, connections=connections, now=run.now), total=known.count())
    asked.raise_if_failed()
    expiring = Credential.objects.expiring(run.now, before=run.now + credentials.NOTICE)
    return {
        "expired": run.in_batches(Credential.objects.expired(run.now), credentials.mark_expired, now=run.now),
        "markedExpiring": run.in_batches(expiring, credentials.mark_expiring),
        **validation.summary(asked.results),
        **({} if known else {"notConfigured": NOTHING}),
    }


def synchronise(run: RunContext) -> dict[str, Any]:
    """Bring credentials in line with the settings, renew tokens that expire soon, and copy what the providers know."""
    wanted = settings.CREDENTIAL_SOURCE()
    with Connections(settings.PROVIDERS) as connections:
        how: dict[str, Any] = {"connections": connections, "now": run.now}
        taken = run.each(wanted, partial(sync.take_over, **how))
        taken.raise_if_failed()  # before anything is taken out of use
        for each in taken.results:
            if each.did == "kept":
                run.log.warning("what is configured was not put to use", credential=each.label, reason=each.why)
        in_line = _bring_in_line(run, wanted)
        soon = Credential.objects.exchangeable(run.now, before=run.now + credentials.NOTICE)
        exchanged = run.each(list(soon), partial(exchange.exchange, **how))
        copied = run.each(list(copying.sources()), partial(copying.copy, **how))
    exchanged.raise_if_failed()
    copied.raise_if_failed()
    return {
        "credentials": {each.label: each.did for each in taken.results},
        "reasons": {each.label: each.why for each in taken.results if each.why},
        **in_line,
        **_told(exchanged.results, copied.results),
        "droppedTemplates": copying.drop_templates(copied.results, now=run.now),
        **({} if Credential.objects.exists() else {"notConfigured": NOTHING}),
    }


def _bring_in_line(run: RunContext, wanted: list[Any]) -> dict[str, int]:
    renewed = Credential.objects.renewed(before=run.now + credentials.NOTICE)
    return {
        "droppedSenders": 0 if run.dry_run else sync.drop_senders(wanted),
        "putAside": run.in_batches(sync.no_longer_configured(wanted), sync.put_aside, now=run.now),
        "backInLine": run.in_batches(renewed, credentials.mark_renewed),
    }


def _told(exchanged: Iterable[exchange.Exchanged], copied: Iterable[copying.Copied]) -> dict[str, Any]:
    return {
        "exchanged": sum(not each.why_not for each in exchanged),
        "notExchanged": {each.label: each.why_not for each in exchanged if each.why_not},
        "numbers": sum(each.numbers for each in copied),
        "templates": sum(each.templates or 0 for each in copied),
        "revokedKeys": sum(each.revoked for each in copied),
        "notCopied": {each.label: each.not_answered for each in copied if each.not_answered},
    }
