"""What a provider's error code means when it comes alone, in the status of a message."""

from external_apis.providers import meta_errors, twilio_errors
from external_apis.providers.answers import Answer, Meaning
from external_apis.providers.tables import code_in


def classify_code(provider: str, code: int | str, *, channel: str = "") -> Answer:
    """What the code means for a message that was accepted first; something that is no code gives the message up."""
    number = code_in(code)
    if number is None:
        return Answer(meaning=Meaning.GIVE_UP, detail="The provider gave no code that can be read.", alert=True)
    if provider == "meta":
        return meta_errors.classify(number)
    return twilio_errors.classify(number, channel=channel)
