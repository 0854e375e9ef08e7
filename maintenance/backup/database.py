"""A PostgreSQL database as psycopg and the tools reach it. Its password stands in no argument and no text."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo

from maintenance.backup.errors import NotPossible

LONGEST_NAME = 63
SECRET = ("password", "sslpassword")
NAMED = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}

# A dump may take hours, in which the transaction that its snapshot comes from does nothing.
PATIENT = """
SELECT set_config(name, '0', false) FROM pg_settings
 WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout',
                'transaction_timeout')
"""


@dataclass(frozen=True, kw_only=True)
class Database:
    """How a database is reached; `parameters` are libpq's."""

    name: str
    parameters: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, configured: Mapping[str, Any]) -> Self:
        """The one that Django's settings describe."""
        known = {option.keyword.decode() for option in Conninfo.get_defaults()}
        options = {name: value for name, value in configured.get("OPTIONS", {}).items() if name in known}
        return cls._made({**options, **{libpq: configured.get(name) for name, libpq in NAMED.items()}})

    @classmethod
    def at(cls, url: str) -> Self:
        """The one at an address; raises NotPossible when that cannot be understood."""
        try:
            return cls._made(conninfo_to_dict(url))
        except psycopg.ProgrammingError:  # its text quotes the address
            example = "postgresql://user@host:5432/name"
            raise NotPossible(f"The address of the database cannot be understood. Write it like {example}.") from None

    @classmethod
    def _made(cls, given: Mapping[str, Any]) -> Self:
        parts = {name: str(value) for name, value in given.items() if value not in ("", None)}
        secrets = {name: parts.pop(name) for name in SECRET if name in parts}
        return cls(name=parts.pop("dbname", "postgres"), parameters=parts, secrets=secrets)

    def named(self, name: str) -> Self:
        """Another database on the same server."""
        return replace(self, name=name)

    def beside(self, name: str) -> Self:
        """One whose name begins like this one's and ends as given, within what PostgreSQL allows."""
        return self.named(self.name.encode()[: LONGEST_NAME - len(name)].decode(errors="ignore") + name)

    @property
    def conninfo(self) -> str:
        """The address for the tools' arguments, without secrets."""
        return make_conninfo(dbname=self.name, **self.parameters)

    def environment(self, **more: str) -> dict[str, str]:
        """What the tools find in their environment: the password, and what we inherited ourselves."""
        password = {"PGPASSWORD": self.secrets["password"]} if "password" in self.secrets else {}
        return {**os.environ, **password, **more}

    def connect(self) -> psycopg.Connection[Any]:
        """A connection of its own, in autocommit, without time limits; raises psycopg.OperationalError."""
        connection = psycopg.connect(self.conninfo, autocommit=True, **self.secrets)  # type: ignore[arg-type]
        connection.execute(PATIENT)
        return connection
