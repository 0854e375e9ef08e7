import re
from datetime import UTC, datetime

import pytest

from sessions_app import messages
from sessions_app.models import Message, Session
from tests.docs.reading import ROOT

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)


@pytest.fixture
def handler():
    """The message handler that the page shows."""
    page = (ROOT / "docs" / "extending.md").read_text()
    [code] = [each for each in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "def answer" in each]
    names: dict = {}
    exec(code, names)  # noqa: S102
    return names["answer"]


@pytest.mark.django_db
def test_the_handler_of_the_page_answers_one_question_and_leaves_another_to_a_person(handler, make_message):
    easy = make_message(sent_at=NOW, body="Care e programul?")
    hard = make_message(sent_at=NOW, body="Aveți loc pentru doisprezece?")

    for message in (easy, hard):
        assert messages.work_off(message.session_id, handle=handler, attempts=5, now=NOW).processed == 1

    assert Message.objects.outbound().unprocessed().get().session_id == easy.session_id
    assert Session.objects.get(pk=hard.session_id).status == "waiting"
