"""Sending messages: a turn in the pace of one sender, one call, and the conclusions from its answer."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import structlog
from django.db import DatabaseError, connection

from external_apis import finding, pacing, pausing, reasons, sending
from external_apis.clients import Clients, open_session, refuse_transactions
from external_apis.configured import ProviderSettings
from external_apis.models import Channel, Sender
from external_apis.pacing import Place
from external_apis.providers.answers import Answer, Meaning, ProviderError

log = structlog.stdlib.get_logger(__name__)


class Messenger:
    """Sends by turns; one for a run, for any number of threads. Leave it as a context manager to close connections.

    `clock` should agree among all processes that send: the pace is kept by it.
    """

    def __init__(
        self,
        config: ProviderSettings,
        *,
        clock: Callable[[], datetime],
        patience: timedelta = pacing.PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._config = config
        self._clock = clock
        self._patience = patience
        self._sleep = sleep
        self._clients = Clients(config, open_session(config, clock=clock))
        self._intervals = {
            "meta": timedelta(seconds=1 / config.meta.messages_per_second),
            "twilio": timedelta(seconds=1 / config.twilio.messages_per_second),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._clients.close()

    def take_turn(self, channel: str, *, provider: str = "") -> "Turn | None":
        """Wait for a place in the pace of a sender of that channel; None: nothing can leave there now."""
        refuse_transactions()
        place = pacing.take(
            channel, provider=provider, intervals=self._intervals, patience=self._patience, now=self._clock()
        )
        if (place is None or place.probe_is_due) and (probe := self._probe(channel, provider)):
            return probe
        if place is None:
            return None
        self._clients.prepare(place)
        if (ahead := (place.at - self._clock()).total_seconds()) > 0:
            self._sleep(ahead)
        return Turn(self, place)

    def why_not(self, channel: str) -> str:
        """In words, why `take_turn` gave None; empty when it would give a turn."""
        return reasons.why_not(channel, now=self._clock(), patience=self._patience)

    def configured(self) -> bool:
        """Whether there is any sender with a credential in use."""
        return Sender.objects.filter(in_use=True, credential__in_use=True).exists()

    def find(
        self,
        *,
        provider: str,
        channel: str,
        to: str,
        text: str,
        since: datetime,
        language: str = "",
        parameters: Sequence[str] = (),
    ) -> Answer | None:
        """Look at the provider for a message whose answer was lost; None: it is not there.

        Raises ProviderError when the provider cannot be asked, and CannotBeFound where it cannot tell.
        """
        composed_there = channel == Channel.WHATSAPP and bool(language or parameters)
        wanted = finding.Wanted(to=to, text="" if composed_there else text, since=since)
        return finding.find(provider, channel, wanted, clients=self._clients, now=self._clock())

    def _probe(self, channel: str, provider: str) -> "Turn | None":
        now = self._clock()
        for sender in pausing.due(channel, provider=provider, now=now):
            if pausing.win_probe(sender, now=now):
                place = pacing.place_of(sender, at=now)
                self._clients.prepare(place)
                if self._looks_well(place, sender.pause):
                    return Turn(self, place, probed=sender.paused_at)
        return None

    def _looks_well(self, place: Place, pause: str) -> bool:
        if pause == Sender.Pause.CONFIG:
            return True  # reading would tell nothing about what is set up wrongly
        try:
            self._clients.look(place)
        except ProviderError as failed:
            if failed.answer.right:
                return True  # the provider works again; that this credential may only send is no reason not to
            if failed.answer.meaning == Meaning.DISABLE:
                pausing.note(place, failed.answer, now=self._clock())
            return False
        return True

    def _send(self, place: Place, message: sending.Outgoing, probed: datetime | None) -> Answer:
        refuse_transactions()
        answer = sending.send(place, message, clients=self._clients, config=self._config)
        try:
            pausing.note(place, answer, now=self._clock(), probed=probed)
        except DatabaseError as error:
            # What the provider said is worth more than its effect on the pace: the caller must get to record it.
            fields = {"what": "answer_not_noted", "sender": place.sender_id, "error": type(error).__name__}
            log.error("An answer changed nothing for its sender.", **fields)
            connection.close_if_unusable_or_obsolete()
        return answer


class Turn:
    """Leave to send one message, now."""

    def __init__(self, messenger: Messenger, place: Place, *, probed: datetime | None = None) -> None:
        self.provider = place.provider
        self.channel = place.channel
        self.sender_id = place.sender_id
        self.probing = probed is not None  # the call shows whether a pause is over
        self._messenger = messenger
        self._place = place
        self._probed = probed

    def send(
        self,
        *,
        reference: str,
        to: str,
        text: str,
        valid_for: timedelta,
        template: str = "",
        language: str = "",
        parameters: Sequence[str] = (),
    ) -> Answer:
        """Send it, and say what the provider answered; on WhatsApp the template when there is one, else the text."""
        message = sending.Outgoing(
            reference=reference,
            to=to,
            text=text,
            valid_for=valid_for,
            template=template,
            language=language,
            parameters=tuple(parameters),
        )
        return self._messenger._send(self._place, message, self._probed)
