"""Secrets at rest: a model field whose value is encrypted in the database and masked wherever it is shown."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import FieldError
from django.db import models

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

MASK = "••••••••"
DUMPED = "fernet:"  # tells the encrypted form from a plain value where both are text


class WrongKey(Exception):
    """A secret was encrypted with a key that is not among CREDENTIAL_KEYS."""


class Secret:
    """An encrypted value: shown masked, and decrypted only by `reveal`."""

    def __init__(self, token: str) -> None:
        self.token = token

    @classmethod
    def of(cls, plain: str) -> "Secret":
        """Encrypt with the newest key."""
        return cls(_fernet().encrypt(plain.encode()).decode())

    def reveal(self) -> str:
        """The plain value; raises WrongKey when none of the keys opens it."""
        from cryptography.fernet import InvalidToken

        try:
            return _fernet().decrypt(self.token.encode()).decode()
        except InvalidToken:
            raise WrongKey(
                "A stored secret cannot be decrypted: CREDENTIAL_KEYS lacks the key it was encrypted with. "
                "Add that key behind the newest one, or enter the secret again."
            ) from None

    def renewed(self) -> "Secret":
        """The same value under the newest key, and this very one where it is already; raises WrongKey."""
        from cryptography.fernet import Fernet, InvalidToken

        try:
            Fernet(settings.CREDENTIAL_KEYS[0]).decrypt(self.token.encode())
        except InvalidToken:
            return Secret.of(self.reveal())
        return self

    def __str__(self) -> str:
        return MASK

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.token == other.token

    def __hash__(self) -> int:
        return hash(self.token)


class SecretField(models.TextField):
    """Holds a Secret; a text that is assigned is encrypted at once. It cannot be searched for."""

    if TYPE_CHECKING:  # for the plugin that types models
        _pyi_private_get_type: Secret  # type: ignore[assignment]
        _pyi_private_set_type: Secret | str  # type: ignore[assignment]

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        """Add the field, with an attribute that encrypts what is assigned."""
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, name, _Attribute(self))

    def from_db_value(self, value: str | None, *_: Any) -> Secret | None:
        """What the database holds, still encrypted."""
        return None if value is None else Secret(value)

    def to_python(self, value: Any) -> Secret | None:
        """A text, encrypted; a Secret as it is; what a dump holds, as the Secret it was."""
        if value is None or isinstance(value, Secret):
            return value
        text = str(value)
        return Secret(text.removeprefix(DUMPED)) if text.startswith(DUMPED) else Secret.of(text)

    def get_prep_value(self, value: Any) -> str | None:
        """What is written into the database: never the plain value."""
        secret = self.to_python(value)
        return None if secret is None else secret.token

    def value_to_string(self, obj: models.Model) -> str:
        """The encrypted form, for serializers: a dump holds no plain value."""
        secret: Any = self.value_from_object(obj)
        return f"{DUMPED}{secret.token}"

    def get_lookup(self, lookup_name: str) -> Any:
        """Only whether it is set can be asked."""
        if lookup_name != "isnull":
            raise FieldError(f"{self.name!r} is encrypted: it cannot be filtered by {lookup_name!r}.")
        return super().get_lookup(lookup_name)


class _Attribute(models.query_utils.DeferredAttribute):
    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = self.field.to_python(value)


def _fernet() -> "MultiFernet":
    # Imported where it is used: it would take six megabytes of every process, and few ever touch a secret.
    from cryptography.fernet import Fernet, MultiFernet

    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])
