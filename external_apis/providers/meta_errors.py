"""What Meta means by an answer that is not a yes: decided on the error's code, hardly ever on the HTTP status."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from external_apis.providers.answers import Answer, Meaning, lost
from external_apis.providers.meta_codes import CODES, SUBCODES, TOO_MANY, UNSURE
from external_apis.providers.received import LONGEST_WAIT, TOO_MANY_REQUESTS, Received, unreadable
from external_apis.providers.tables import code_in, word_in
from external_apis.providers.wording import harmless

FINAL = {Meaning.GIVE_UP, Meaning.CONFIG, Meaning.DISABLE}


def classify(code: int, *, subcode: int | None = None) -> Answer:
    """What the code means; one that is not known ends this message and touches nothing else."""
    answer = CODES.get(code) or Answer(
        meaning=Meaning.GIVE_UP, code=str(code), detail="A code of Meta's that is not known here."
    )
    if code == 190 and subcode in SUBCODES:
        return replace(answer, detail=SUBCODES[subcode])
    return answer


def judge(received: Received, *, right: str, sending: bool = False, secrets: Iterable[str] = ()) -> Answer:
    """What the answer means; `right` is what the call needs the token to be allowed."""
    said = received.data().get("error")
    error: dict[str, Any] = said if isinstance(said, dict) else {}
    code = code_in(error.get("code"))
    if code is None and received.status == TOO_MANY_REQUESTS:
        code = TOO_MANY  # such a request is never processed, whoever on the way refused it
    if code is None or 300 <= received.status < 400:
        return unreadable(received, sending=sending)
    answer = _by_status(classify(code, subcode=code_in(error.get("error_subcode"))), error, received, sending=sending)
    if answer.right:
        answer = replace(answer, right=right, detail=f"The token lacks the right {right}.")
    words = harmless(_words(error), secrets=secrets)
    return replace(
        answer,
        detail=f"{answer.detail} Meta: {words}" if words else answer.detail,
        wait=_wait(received) or answer.wait if answer.meaning in (Meaning.RETRY, Meaning.THROTTLE) else answer.wait,
        trace=word_in(error.get("fbtrace_id")),
    )


def _by_status(answer: Answer, error: dict[str, Any], received: Received, *, sending: bool) -> Answer:
    """The few cases in which the code alone does not say it."""
    code = int(answer.code)
    refused = 400 <= received.status < 500
    if not refused and code in UNSURE:
        return replace(lost(answer.detail, sending=sending), code=answer.code)
    if error.get("is_transient") is True and answer.meaning in FINAL:
        return Answer(meaning=Meaning.RETRY, code=answer.code, detail="Meta says that it will pass.")
    if not refused and code not in CODES:
        return replace(lost(answer.detail, sending=sending), code=answer.code)
    return answer


def _words(error: dict[str, Any]) -> str:
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else None
    return " ".join(each for each in (error.get("message"), details) if isinstance(each, str))


def _wait(received: Received) -> timedelta | None:
    """The longest of the times that the usage header names, in minutes; else what Retry-After asks for."""
    try:
        usage = json.loads(received.headers.get("X-Business-Use-Case-Usage", ""))
    except (ValueError, RecursionError):
        usage = None
    groups = usage.values() if isinstance(usage, dict) else ()
    entries = [each for group in groups if isinstance(group, list) for each in group if isinstance(each, dict)]
    minutes = [code_in(each.get("estimated_time_to_regain_access")) or 0 for each in entries]
    longest = max(minutes, default=0)
    return min(timedelta(minutes=longest), LONGEST_WAIT) if longest else received.retry_after
