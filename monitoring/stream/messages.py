"""What may be said over a connection, and with which codes it ends; docs/websocket.md describes it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from monitoring.models import Topic

LARGEST_CURSOR = 2**63 - 1

TRY_AGAIN = 1013
BAD_MESSAGE = 4400
NOT_AUTHENTICATED = 4401
TOO_SLOW = 4408
TOO_MANY = 4429


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Subscribe(_Message):
    """Tell me of these topics from now on, or from behind a cursor."""

    type: Literal["subscribe"]
    topics: list[str] = Field(min_length=1, max_length=len(Topic))
    after: int | None = Field(default=None, ge=0, le=LARGEST_CURSOR)


class Unsubscribe(_Message):
    """Tell me no more of these topics."""

    type: Literal["unsubscribe"]
    topics: list[str] = Field(min_length=1, max_length=len(Topic))


Said = Annotated[Subscribe | Unsubscribe, Field(discriminator="type")]
_said: TypeAdapter[Subscribe | Unsubscribe] = TypeAdapter(Said)


class NotUnderstood(Exception):
    """A message that says nothing here; the text says what is wrong with it."""


def understand(text: str) -> Subscribe | Unsubscribe:
    """What a client says; raises NotUnderstood."""
    try:
        said = _said.validate_json(text)
    except ValidationError as refused:
        first = refused.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "message"
        raise NotUnderstood(f"{where}: {first['msg']}") from None
    unknown = [topic for topic in said.topics if topic not in Topic.values]
    if unknown:
        raise NotUnderstood(f"topics: {unknown[0]!r} is none of {', '.join(Topic.values)}")
    return said
