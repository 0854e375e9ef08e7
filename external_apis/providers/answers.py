"""What a provider's answer means for the message or the credential that it is about."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Meaning(StrEnum):
    """The classes of answers; what follows from each is the caller's."""

    DONE = "done"
    RETRY = "retry"  # surely not done
    THROTTLE = "throttle"  # surely not done; slow down whatever the scope names
    UNKNOWN = "unknown"  # may be done: find out, never repeat blindly
    GIVE_UP = "give_up"
    SUPPRESS = "suppress"  # give up, and keep this person off this channel
    CONFIG = "config"  # a template or a sender is wrong
    DISABLE = "disable"  # the credential, or the sender, is unusable


class Scope(StrEnum):
    """Whom an answer is about."""

    RECIPIENT = "recipient"
    SENDER = "sender"
    CREDENTIAL = "credential"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer, understood; it holds no secret and no phone number, so it may be logged and shown."""

    meaning: Meaning
    scope: Scope = Scope.RECIPIENT
    provider_id: str = ""  # the provider's id of the message, when done
    status: str = ""  # the provider's own word
    code: str = ""  # the provider's own code
    detail: str = ""  # in words, for people
    wait: timedelta | None = None  # how long to leave it alone
    elsewhere: bool = False  # another channel may still reach the person
    alert: bool = False  # somebody should look, though the meaning alone does not say so
    right: str = ""  # what the credential is not allowed to, when that is why it is refused
    trace: str = ""  # Meta's fbtrace_id, for its support


class ProviderError(Exception):
    """A provider was asked something and did not tell; `answer` says what that means."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(f"{answer.detail or answer.meaning}{f' (code {answer.code})' if answer.code else ''}")

    def __reduce__(self) -> tuple[type["ProviderError"], tuple[Answer]]:
        return ProviderError, (self.answer,)


def lost(detail: str, *, sending: bool) -> Answer:
    """No answer, or one that tells nothing: a thing sent may have been done, a thing read can be read again."""
    return Answer(meaning=Meaning.UNKNOWN if sending else Meaning.RETRY, detail=detail)
