"""Clients of the providers, one for each credential as long as its secret stays the same."""

import threading
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from django.db import connection

from external_apis.configured import ProviderSettings
from external_apis.encryption import Secret
from external_apis.models import Provider
from external_apis.pacing import Place
from external_apis.providers.meta import MetaClient
from external_apis.providers.twilio import TwilioClient

if TYPE_CHECKING:
    from external_apis.providers.http import HttpSession


class Holder(Protocol):
    """What holds a secret and says whose it is: a credential, or a place to send from."""

    @property
    def account(self) -> str: ...
    @property
    def key_id(self) -> str: ...
    @property
    def secret(self) -> Secret: ...


class InTransaction(RuntimeError):
    """A provider would be called while a transaction is open, which would hold its locks for as long as that lasts."""


class Clients:
    """The clients of one run: connections are kept, and each secret is decrypted once. For many threads."""

    def __init__(self, config: ProviderSettings, session: "HttpSession") -> None:
        self._config = config
        self._session = session
        self._lock = threading.Lock()
        self._meta: dict[Hashable, MetaClient] = {}
        self._twilio: dict[Hashable, TwilioClient] = {}

    def meta(self, place: Place) -> MetaClient:
        """The client for an access token; raises WrongKey when it cannot be decrypted."""
        with self._lock:
            if (key := _key(place)) not in self._meta:
                self._meta[key] = new_meta(place, config=self._config, session=self._session)
            return self._meta[key]

    def twilio(self, place: Place) -> TwilioClient:
        """The client for an auth token or API key; raises WrongKey when it cannot be decrypted."""
        with self._lock:
            if (key := _key(place)) not in self._twilio:
                self._twilio[key] = new_twilio(place, config=self._config, session=self._session)
            return self._twilio[key]

    def prepare(self, place: Place) -> None:
        """Make the client for a place, if there is none yet; raises WrongKey when its secret cannot be decrypted."""
        if place.provider == Provider.META:
            self.meta(place)
        else:
            self.twilio(place)

    def look(self, place: Place) -> None:
        """Read something small with the sender's credential; raises ProviderError unless that is answered well."""
        if place.provider == Provider.META:
            self.meta(place).phone_number(place.address)
        else:
            self.twilio(place).probe()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def refuse_transactions() -> None:
    """Raise InTransaction where a transaction is open."""
    if connection.in_atomic_block:
        raise InTransaction("No provider is called inside a transaction: its locks would be held until the answer.")


def open_session(config: ProviderSettings, *, clock: Callable[[], datetime]) -> "HttpSession":
    """Connections to the providers, with the time-outs that the settings name."""
    from external_apis.providers.http import HttpSession  # only now: few processes ever call

    return HttpSession(connect_timeout=config.connect_timeout, read_timeout=config.read_timeout, clock=clock)


def new_meta(holder: Holder, *, config: ProviderSettings, session: "HttpSession") -> MetaClient:
    """A client for an access token; raises WrongKey when it cannot be decrypted."""
    meta = config.meta
    return MetaClient(
        url=meta.graph_url,
        version=meta.graph_version,
        token=holder.secret.reveal(),
        app_id=meta.app_id,
        app_secret=meta.app_secret,
        session=session,
    )


def new_twilio(holder: Holder, *, config: ProviderSettings, session: "HttpSession") -> TwilioClient:
    """A client for an auth token or API key; raises WrongKey when it cannot be decrypted."""
    twilio = config.twilio
    return TwilioClient(
        api_url=twilio.api_url,
        iam_url=twilio.iam_url,
        accounts_url=twilio.accounts_url,
        account_sid=holder.account,
        username=holder.key_id or holder.account,
        secret=holder.secret.reveal(),
        session=session,
    )


def _key(place: Place) -> Hashable:
    return place.credential_id, place.account, place.key_id, place.secret
