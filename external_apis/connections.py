"""Clients of the providers for one credential at a time, over connections that are kept."""

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from django.db import connection

from external_apis.models import Credential

if TYPE_CHECKING:
    from external_apis.providers.meta import MetaClient
    from external_apis.providers.twilio import TwilioClient


class InTransaction(RuntimeError):
    """A provider would be asked while a transaction is open, which would hold its locks for as long as that lasts."""


class Connections:
    """How providers are asked about credentials; one for a run, a context manager. `config`: settings.PROVIDERS."""

    def __init__(self, config: Any) -> None:
        from external_apis.providers.http import HttpSession  # requests is slow to import, and seldom needed

        self.config = config
        self._session = HttpSession(connect_timeout=config.connect_timeout, read_timeout=config.read_timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._session.close()

    def meta(self, credential: Credential) -> "MetaClient":
        """The client for an access token; raises WrongKey when no key opens it."""
        from external_apis.providers.meta import MetaClient

        _refuse_transactions()
        meta = self.config.meta
        return MetaClient(
            url=meta.graph_url,
            version=meta.graph_version,
            token=credential.secret.reveal(),
            app_id=meta.app_id,
            app_secret=meta.app_secret,
            session=self._session,
        )

    def twilio(self, credential: Credential) -> "TwilioClient":
        """The client for an auth token or API key; raises WrongKey when no key opens it."""
        from external_apis.providers.twilio import TwilioClient

        _refuse_transactions()
        twilio = self.config.twilio
        return TwilioClient(
            api_url=twilio.api_url,
            iam_url=twilio.iam_url,
            accounts_url=twilio.accounts_url,
            account_sid=credential.account,
            username=credential.key_id or credential.account,
            secret=credential.secret.reveal(),
            session=self._session,
        )


def _refuse_transactions() -> None:
    if connection.in_atomic_block:
        raise InTransaction("No provider is asked inside a transaction: its locks would be held until the answer.")
