"""Every line about runs, schedules, servers and providers: a constant sentence, and fields of which one is `what`."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.dispatch import receiver

from external_apis import events as external
from external_apis.models import Credential, Sender
from jobs.engine import events
from jobs.models import Run, State

log = structlog.stdlib.get_logger("monitoring.log_lines")

MILLISECOND = timedelta(milliseconds=1)


@receiver(events.run_started)
def _run_started(*, run: Run, **_: Any) -> None:
    log.info("A run started.", what="run_started", **_about(run))


@receiver(events.run_finished)
def _run_finished(*, run: Run, **_: Any) -> None:
    say = log.error if run.state == State.FAILED else log.info
    say("A run ended.", what="run_finished", **_about(run), state=str(run.state), **_ending(run))


@receiver(events.run_retrying)
def _run_retrying(*, run: Run, wait: timedelta, error: str, **_: Any) -> None:
    seconds = round(wait.total_seconds(), 1)
    log.warning("A run failed and is tried again.", what="run_retrying", **_about(run), wait_s=seconds, error=error)


@receiver(events.run_goes_on_later)
def _run_goes_on_later(*, run: Run, wait: timedelta, reason: str, **_: Any) -> None:
    seconds = round(wait.total_seconds(), 1)
    log.info("A run goes on later.", what="run_goes_on_later", **_about(run), wait_s=seconds, reason=reason)


@receiver(events.run_given_back)
def _run_given_back(*, run: Run, reason: str, **_: Any) -> None:
    log.warning("A run went back to its queue.", what="run_given_back", **_about(run), reason=reason)


@receiver(events.run_refused)
def _run_refused(*, run_id: UUID, reason: str, **_: Any) -> None:
    log.warning("A message could not be executed.", what="run_refused", run=str(run_id), reason=reason)


@receiver(events.tick_decided)
def _tick_decided(*, schedule_name: str, job: str, tick: Any, fate: str, reason: str, **_: Any) -> None:
    fields = {"schedule": schedule_name, "job": job, "tick": _moment(tick), "fate": str(fate), "reason": reason}
    log.info("A tick did not run.", what="tick_decided", **fields)


@receiver(events.schedule_broken)
def _schedule_broken(*, name: str, reason: str, **_: Any) -> None:
    log.error("A schedule cannot be understood and is left out.", what="schedule_broken", schedule=name, reason=reason)


@receiver(events.schedule_mended)
def _schedule_mended(*, name: str, **_: Any) -> None:
    log.info("A schedule is understood again.", what="schedule_mended", schedule=name)


@receiver(events.worker_lost)
def _worker_lost(*, name: str, kind: str, **_: Any) -> None:
    log.error("A process stopped answering.", what="worker_lost", worker=name, kind=str(kind))


@receiver(events.broker_lost)
def _broker_lost(*, reason: str, **_: Any) -> None:
    log.error("The broker cannot be reached; runs wait in the database.", what="broker_lost", reason=reason)


@receiver(events.broker_back)
def _broker_back(*, wiped: bool, **_: Any) -> None:
    log.warning("The broker is back.", what="broker_back", wiped=wiped)


@receiver(events.database_lost)
def _database_lost(*, reason: str, **_: Any) -> None:
    log.error("The database cannot be reached.", what="database_lost", reason=reason)


@receiver(events.database_back)
def _database_back(**_: Any) -> None:
    log.warning("The database is back.", what="database_back")


@receiver(external.sender_paused)
def _sender_paused(*, sender: Sender, because: str, **_: Any) -> None:
    log.error("Nothing is sent from a sender any more.", what="sender_paused", **_about_sender(sender), reason=because)


@receiver(external.sender_resumed)
def _sender_resumed(*, sender: Sender, paused_at: datetime, **_: Any) -> None:
    log.info("A sender sends again.", what="sender_resumed", **_about_sender(sender), since=_moment(paused_at))


@receiver(external.credential_refused)
def _credential_refused(*, credential: Credential, why: str, **_: Any) -> None:
    say = "A provider does not accept a credential, or not for all that it is needed for."
    log.error(say, what="credential_refused", **_about_credential(credential), reason=why)


@receiver(external.credential_accepted)
def _credential_accepted(*, credential: Credential, **_: Any) -> None:
    log.info("A credential is accepted again.", what="credential_accepted", **_about_credential(credential))


@receiver(external.credential_retired)
def _credential_retired(*, credential: Credential, **_: Any) -> None:
    say = "A credential that was refused is no longer in use."
    log.info(say, what="credential_retired", **_about_credential(credential))


@receiver(external.credential_kept)
def _credential_kept(*, credential: Credential, why: str, **_: Any) -> None:
    say = "A credential would be deleted, were it not in use."
    log.warning(say, what="credential_kept", **_about_credential(credential), reason=why)


@receiver(external.webhook_refused)
def _webhook_refused(*, provider: str, why: str, **_: Any) -> None:
    log.warning("A webhook was refused.", what="webhook_refused", provider=provider, reason=why)


@receiver(external.webhook_ignored)
def _webhook_ignored(*, provider: str, count: int, **_: Any) -> None:
    log.info("Parts of a webhook say nothing to us.", what="webhook_ignored", provider=provider, count=count)


@receiver(external.webhook_event_parked)
def _webhook_event_parked(*, event_id: int, why: str, **_: Any) -> None:
    say = "A webhook event failed too often and is set aside."
    log.error(say, what="webhook_event_parked", webhook_event=event_id, reason=why)


def _about(run: Run) -> dict[str, Any]:
    tick = {"tick": _moment(run.tick)} if run.tick else {}
    return {"job": run.job, "run": str(run.pk), "attempt": run.attempt, "worker": run.worker, **tick}


def _about_sender(sender: Sender) -> dict[str, Any]:
    # Neither its address nor its label: both can be a phone number.
    return {"sender": sender.pk, "provider": str(sender.provider), "channel": str(sender.channel)}


def _about_credential(credential: Credential) -> dict[str, Any]:
    return {"credential": credential.label, "provider": str(credential.provider)}


def _ending(run: Run) -> dict[str, Any]:
    took = run.finished_at - run.started_at if run.finished_at and run.started_at else None
    told = {"reason": run.reason, "error": run.error, "duration_ms": None if took is None else took // MILLISECOND}
    return {name: value for name, value in told.items() if value not in ("", None)}


def _moment(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
