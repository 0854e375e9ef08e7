"""Clients of the providers for one credential at a time, over connections that are kept."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

from django.db import connection

from external_apis.configured import ProviderSettings
from external_apis.models import Credential

if TYPE_CHECKING:
    from external_apis.providers.meta import MetaClient
    from external_apis.providers.twilio import TwilioClient


class InTransaction(RuntimeError):
    """A provider would be asked while a transaction is open, which would hold its locks for as long as that lasts."""


class Connections:
    """How providers are asked about credentials; one for a run, a context manager. `config`: settings.PROVIDERS."""

    def __init__(self, config: ProviderSettings) -> None:
        from external_apis import clients  # with it comes an HTTP library that is slow to import and seldom needed

        self.config = config
        self._clients = clients
        self._session = clients.HttpSession(connect_timeout=config.connect_timeout, read_timeout=config.read_timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._session.close()

    def meta(self, credential: Credential) -> "MetaClient":
        """The client for an access token; raises WrongKey when no key opens it."""
        _refuse_transactions()
        return self._clients.new_meta(credential, config=self.config, session=self._session)

    def twilio(self, credential: Credential) -> "TwilioClient":
        """The client for an auth token or API key; raises WrongKey when no key opens it."""
        _refuse_transactions()
        return self._clients.new_twilio(credential, config=self.config, session=self._session)


def _refuse_transactions() -> None:
    if connection.in_atomic_block:
        raise InTransaction("No provider is asked inside a transaction: its locks would be held until the answer.")
