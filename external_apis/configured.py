"""What sending needs to know of the settings: the shape of `config.providers.ProviderConfig`, which lies above."""

from collections.abc import Mapping
from typing import Protocol


class MetaSettings(Protocol):
    """How Meta is reached, and how fast."""

    @property
    def graph_url(self) -> str: ...
    @property
    def graph_version(self) -> str: ...
    @property
    def app_id(self) -> str: ...
    @property
    def app_secret(self) -> str: ...
    @property
    def messages_per_second(self) -> float: ...


class TwilioSettings(Protocol):
    """How Twilio is reached, how fast, and its approved contents by language."""

    @property
    def api_url(self) -> str: ...
    @property
    def iam_url(self) -> str: ...
    @property
    def accounts_url(self) -> str: ...
    @property
    def content_sids(self) -> Mapping[str, str]: ...
    @property
    def messages_per_second(self) -> float: ...


class ReminderSettings(Protocol):
    """The language codes of Meta's templates, by our own."""

    @property
    def template_languages(self) -> Mapping[str, str]: ...


class ProviderSettings(Protocol):
    """Everything about both providers that is not a credential; time-outs in seconds."""

    @property
    def meta(self) -> MetaSettings: ...
    @property
    def twilio(self) -> TwilioSettings: ...
    @property
    def reminders(self) -> ReminderSettings: ...
    @property
    def connect_timeout(self) -> float: ...
    @property
    def read_timeout(self) -> float: ...
    @property
    def public_url(self) -> str: ...
