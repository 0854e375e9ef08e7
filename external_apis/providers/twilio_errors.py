"""What Twilio means by an answer that is not a yes; its older and its newer hosts shape errors differently."""

from collections.abc import Iterable
from dataclasses import replace

from external_apis.providers.answers import Answer, Meaning, lost
from external_apis.providers.received import TOO_MANY_REQUESTS, Received, unreadable
from external_apis.providers.tables import code_in
from external_apis.providers.twilio_codes import CODES, FAILED, TOO_MANY
from external_apis.providers.wording import harmless


def classify(code: int, *, channel: str = "") -> Answer:
    """What the code means; one that is not known ends this message and touches nothing else."""
    answer = CODES.get(code) or Answer(
        meaning=Meaning.GIVE_UP, code=str(code), detail="A code of Twilio's that is not known here."
    )
    on_whatsapp = channel == "whatsapp" or 63000 <= code < 64000
    return replace(answer, elsewhere=on_whatsapp and answer.meaning in (Meaning.GIVE_UP, Meaning.SUPPRESS))


def judge(received: Received, *, sending: bool = False, channel: str = "", secrets: Iterable[str] = ()) -> Answer:
    """What the answer means."""
    data = received.data()
    code = code_in(data.get("code"))
    if received.status == TOO_MANY_REQUESTS and code not in CODES:
        code = TOO_MANY  # such a request is never processed, whatever else the answer says
    if code is None or 300 <= received.status < 400:
        return unreadable(received, sending=sending)
    answer = classify(code, channel=channel)
    if code == FAILED or (code not in CODES and not 400 <= received.status < 500):
        answer = replace(lost(answer.detail, sending=sending), code=answer.code)
    said = next((data[key] for key in ("message", "detail", "title") if isinstance(data.get(key), str)), "")
    said = harmless(said, secrets=secrets)
    return replace(
        answer,
        detail=f"{answer.detail} Twilio: {said}" if said else answer.detail,
        wait=received.retry_after or answer.wait,
    )
