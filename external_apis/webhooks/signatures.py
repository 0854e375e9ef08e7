"""Whether a webhook comes from who it says: the signatures of Meta and Twilio, compared in constant time."""

import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from urllib.parse import urlsplit

Form = Mapping[str, Sequence[str]]

DEFAULT_PORTS = {"https": 443, "http": 80}


def is_from_meta(body: bytes, signature: str, *, app_secret: str) -> bool:
    """Whether X-Hub-Signature-256 is the app's signature of the body, taken exactly as it came."""
    expected = "sha256=" + hmac.new(app_secret.encode(), body, sha256).hexdigest()
    return same(expected, signature)


def is_from_twilio(url: str, form: Form, signature: str, *, tokens: Iterable[str]) -> bool:
    """Whether X-Twilio-Signature is made with one of the auth tokens, over the public URL and the form.

    Twilio signs some addresses with their port and some without, whatever was called: both count.
    """
    expected = [_twilio(each, form, token) for token in tokens for each in _with_and_without_port(url)]
    return any(same(each, signature) for each in expected)


def same(expected: str, given: str) -> bool:
    """Whether two texts are equal, in a time that does not tell how far they agree."""
    return hmac.compare_digest(expected.encode(), given.encode(errors="replace"))


def _twilio(url: str, form: Form, token: str) -> str:
    pairs = (name + value for name in sorted(form) for value in sorted(set(form[name])))
    signed = (url + "".join(pairs)).encode(errors="replace")
    return b64encode(hmac.digest(token.encode(), signed, "sha1")).decode()


def _with_and_without_port(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    beginning, rest = f"{parts.scheme}://", url.partition("://")[2].removeprefix(parts.netloc)
    bare = re.sub(r":[0-9]+$", "", parts.netloc)
    full = parts.netloc if bare != parts.netloc else f"{bare}:{DEFAULT_PORTS[parts.scheme]}"
    return beginning + bare + rest, beginning + full + rest
