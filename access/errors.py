"""Why a caller is turned away."""


class NotAuthenticated(Exception):
    """Nobody knows who is calling: no token, or one that is not known, has expired or was revoked."""

    def __init__(self, detail: str, *, invalid_token: bool = False) -> None:
        self.invalid_token = invalid_token
        super().__init__(detail)


class NotAllowed(Exception):
    """The caller is known, and may not do this; `scope` names what is missing, if that would help."""

    def __init__(self, detail: str, *, scope: str = "") -> None:
        self.scope = scope
        super().__init__(detail)


class CsrfFailed(Exception):
    """A call with a session cookie came without the token that shows it was meant."""
