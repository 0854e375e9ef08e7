"""Clients of the providers for one credential at a time, over connections that are kept."""

from types import TracebackType
from typing import Self

from django.utils import timezone

from external_apis.clients import new_meta, new_twilio, open_session, refuse_transactions
from external_apis.configured import ProviderSettings
from external_apis.models import Credential
from external_apis.providers.meta import MetaClient
from external_apis.providers.twilio import TwilioClient


class Connections:
    """How providers are asked about credentials; one for a run, a context manager. `config`: settings.PROVIDERS."""

    def __init__(self, config: ProviderSettings) -> None:
        self.config = config
        self._session = open_session(config, clock=timezone.now)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._session.close()

    def meta(self, credential: Credential) -> MetaClient:
        """The client for an access token; raises WrongKey when no key opens it."""
        refuse_transactions()
        return new_meta(credential, config=self.config, session=self._session)

    def twilio(self, credential: Credential) -> TwilioClient:
        """The client for an auth token or API key; raises WrongKey when no key opens it."""
        refuse_transactions()
        return new_twilio(credential, config=self.config, session=self._session)
