"""Twilio's error codes and what each of them means, at once or in a later status."""

from datetime import timedelta

from external_apis.providers.answers import Answer, Meaning, Scope
from external_apis.providers.tables import rows

REFUSED = 20003
FAILED = 20500
TOO_MANY = 20429

CODES: dict[int, Answer] = {
    **rows(
        Answer(meaning=Meaning.DISABLE, scope=Scope.CREDENTIAL),
        {REFUSED: "The credential is not accepted.", 30002: "The account is suspended."},
    ),
    **rows(Answer(meaning=Meaning.THROTTLE, scope=Scope.CREDENTIAL), {TOO_MANY: "Too many calls."}),
    **rows(
        Answer(meaning=Meaning.RETRY),
        {20503: "Twilio is unavailable for a moment."},
    ),
    **rows(Answer(meaning=Meaning.UNKNOWN), {FAILED: "Something went wrong at Twilio."}),
    **rows(
        Answer(meaning=Meaning.SUPPRESS),
        {
            21211: "The number is not valid.",
            21614: "The number cannot receive SMS.",
            21635: "The number is a landline.",
            63024: "The person cannot be reached on WhatsApp.",
            30005: "The number does not exist, or is switched off.",
            30006: "The number is a landline, or its carrier cannot be reached.",
            21610: "The person has opted out.",
            63014: "The person has blocked this sender.",
        },
    ),
    **rows(
        Answer(meaning=Meaning.CONFIG),
        {
            21408: "The account may not send to this country.",
            21602: "The message has no text.",
            21603: "The sender is missing.",
            21604: "The recipient is missing.",
            21606: "The number cannot send to this recipient.",
            21608: "A trial account sends to verified numbers only.",
            21609: "The address for statuses is not valid.",
            21612: "This sender cannot reach this recipient.",
            21617: "The text is too long.",
            21624: "The time for which the message is valid is not allowed.",
            21656: "The content's variables are not valid.",
            63016: "More than 24 hours have passed since the customer wrote: only a template may be sent.",
        },
    ),
    **rows(
        Answer(meaning=Meaning.THROTTLE, scope=Scope.SENDER),
        dict.fromkeys((21611, 30001), "Too many messages of this sender are waiting."),
    ),
    # Limits per day; a whole one, since Twilio does not tell when its day began.
    **rows(
        Answer(meaning=Meaning.THROTTLE, scope=Scope.SENDER, wait=timedelta(days=1), alert=True),
        {63018: "The sender has reached its limit for today.", 63038: "The account has reached its limit for today."},
    ),
    **rows(
        Answer(meaning=Meaning.GIVE_UP),
        {
            30003: "The phone cannot be reached.",
            30004: "The message was blocked.",
            30007: "The message was filtered out as unwanted.",
            30008: "The carrier does not say why it failed.",
            30036: "The message was too late.",
        },
    ),
}
