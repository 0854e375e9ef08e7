"""Answers of the providers that go wrong, for the stand-in to give."""

from local.provider import Reply

OUTAGE = Reply(status=503, body={"error": {"message": "Service unavailable", "code": 131016, "type": "OAuthException"}})
CRASH = Reply(status=500, body="<h1>Internal Server Error</h1>")
CRASH_AFTERWARDS = Reply(status=500, body="<h1>Internal Server Error</h1>", accept=True)


def meta_error(code: int, *, status: int = 400, message: str = "It does not work.") -> Reply:
    """What Meta says when something is wrong."""
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    return Reply(status=status, body={"error": error})


def twilio_error(code: int, *, status: int = 400, message: str = "It does not work.") -> Reply:
    """What Twilio says when something is wrong."""
    return Reply(status=status, body={"code": code, "message": message, "more_info": "", "status": status})
