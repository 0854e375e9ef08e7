"""Meta's error codes and what each of them means."""

from datetime import timedelta

from external_apis.providers.answers import Answer, Meaning, Scope
from external_apis.providers.tables import rows

SENDING = "whatsapp_business_messaging"
MANAGING = "whatsapp_business_management"

TOO_MANY = 130429

#: With a 5xx status these leave open whether the message was taken.
UNSURE = {1, 131000}

SUBCODES = {
    458: "The app was removed by the user.",
    459: "The user has to log in to Facebook first.",
    460: "The token is dead: the password was changed.",
    463: "The token has expired.",
    464: "The user's account is not confirmed.",
    467: "The token was made invalid.",
    492: "The user no longer has a role for the page or the business.",
}

CODES: dict[int, Answer] = {
    **rows(
        Answer(meaning=Meaning.DISABLE, scope=Scope.CREDENTIAL),
        {
            0: "The token is not accepted.",
            102: "The session of the token has ended.",
            190: "The token is expired, revoked or invalid.",
        },
    ),
    **rows(
        Answer(meaning=Meaning.DISABLE, scope=Scope.CREDENTIAL, right=SENDING),
        dict.fromkeys((3, 10, *range(200, 300)), "The token lacks a right."),
    ),
    **rows(
        Answer(meaning=Meaning.CONFIG),
        {
            33: "The number or account does not exist, or the token may not see it.",
            100: "A parameter is wrong.",
            104: "Meta wants calls to be signed with the app's secret.",
            131008: "A parameter is missing.",
            131009: "A parameter's value is wrong.",
            131037: "The number's display name is not approved.",
            131045: "The number's registration is not complete.",
            131047: "More than 24 hours have passed since the customer wrote: only a template may be sent.",
            131051: "Messages of this type are not supported.",
            132068: "The flow of the template is blocked.",
            132069: "The flow of the template is throttled.",
            133000: "An earlier registration of the number has to be undone first.",
            133006: "The number has to be verified first.",
            133010: "The number is not registered.",
            **dict.fromkeys(range(132000, 132017), "The template, its language or its parameters are wrong."),
        },
    ),
    **rows(
        Answer(meaning=Meaning.CONFIG, scope=Scope.SENDER),
        {
            131048: "The number may not send for now: too many of its messages were blocked or reported.",
            131064: "The number may not send for now: its quality is too low.",
        },
    ),
    **rows(
        Answer(meaning=Meaning.THROTTLE, scope=Scope.CREDENTIAL),
        dict.fromkeys((4, 17, 613, 80007), "Too many calls with this token."),
    ),
    **rows(Answer(meaning=Meaning.THROTTLE, scope=Scope.SENDER), {TOO_MANY: "Too many messages from this number."}),
    **rows(
        Answer(meaning=Meaning.RETRY, wait=timedelta(seconds=4)),  # to the power of how often it has been tried
        {131056: "Too many messages to this person."},
    ),
    **rows(
        Answer(meaning=Meaning.RETRY),
        {
            1: "Something went wrong at Meta.",
            2: "Meta is unavailable for a moment.",
            131000: "Something went wrong at Meta.",
            131016: "Meta is unavailable for a moment.",
            131057: "The number's account is being maintained.",
            133004: "Meta is unavailable for a moment.",
        },
    ),
    **rows(
        Answer(meaning=Meaning.GIVE_UP, elsewhere=True),
        {
            131021: "Sender and recipient are the same.",
            131026: "The message cannot be delivered: perhaps the person has no WhatsApp.",
            131030: "The recipient is not among those allowed to a test number.",
            131049: "Meta holds the message back for the sake of the person.",
            130472: "The person is part of an experiment of Meta's.",
        },
    ),
    **rows(
        Answer(meaning=Meaning.DISABLE, scope=Scope.SENDER),
        {
            368: "The account is blocked for a breach of the rules.",
            130497: "The account may not send to this country.",
            131031: "The account is locked.",
            131042: "There is something wrong with the account's means of payment.",
        },
    ),
}
