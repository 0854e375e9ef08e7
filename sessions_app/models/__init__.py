"""Conversations with customers, and the messages in them."""

from sessions_app.models.message import Message, MessageQuerySet
from sessions_app.models.session import Session, SessionQuerySet

__all__ = ["Message", "MessageQuerySet", "Session", "SessionQuerySet"]
