"""Where the clients of Meta and Twilio belong; while there are none, `why_not_connected` says so."""


def why_not_connected() -> str:
    """Why no provider is asked or sent anything, in words for the result of a run."""
    return (
        "Meta and Twilio are not connected: this version has no client for them, so nothing was sent to a provider or "
        "asked of one. Credentials can be stored, and no setting connects them yet."
    )
