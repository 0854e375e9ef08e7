"""Conversations that wait for an answer to leave, and the provider it leaves by."""

import pytest

from sessions_app.models import Message
from tests.domain.sessions.conversing import HOUR, MINUTE, NOW, Provider


@pytest.fixture
def provider():
    return Provider()


@pytest.fixture
def answered(make_session, make_message):
    """A session in which the customer wrote an hour ago, and our answer that is to be sent."""

    def make(*, session=None, wrote_at=NOW - HOUR, sent_at=NOW - MINUTE, **values):
        if session is None:
            session = make_session(channel="whatsapp", last_activity_at=NOW - HOUR)
            make_message(session, sent_at=wrote_at, state="processed", provider_id=f"in.{session.pk}")
        return Message.objects.create(
            session=session, sent_at=sent_at, **{"direction": "outbound", "body": "Da, vă așteptăm.", **values}
        )

    return make


@pytest.fixture
def on_sms(make_session):
    return make_session(channel="sms", last_activity_at=NOW - HOUR)
