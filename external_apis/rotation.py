"""Encrypting what is stored with the newest key, so that older ones can be taken away."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.apps import apps
from django.db import connection, models

from external_apis.encryption import Secret, SecretField, WrongKey

BATCH = 500

# Whoever writes meanwhile wins: what was changed since it was read is left alone.
RENEW = """
UPDATE {table} SET {column} = new.token
  FROM unnest(%(ids)s::bigint[], %(old)s::text[], %(new)s::text[]) AS new (id, before, token)
 WHERE {table}.{key} = new.id AND {table}.{column} = new.before
"""


@dataclass(kw_only=True)
class Rotated:
    """What became of the rows of one field: `changed` ones were written by somebody else meanwhile."""

    name: str
    renewed: int = 0
    current: int = 0
    changed: int = 0
    closed: list[int] = field(default_factory=list)  # keys of rows that none of our keys opens


def rotate() -> Iterator[Rotated]:
    """Renew every secret that is stored, field by field; safe beside a running service, and harmless to repeat."""
    for model in apps.get_app_config("external_apis").get_models():
        for each in model._meta.concrete_fields:
            if isinstance(each, SecretField):
                yield _rotate(model, each)


def _rotate(model: type[models.Model], secret: SecretField) -> Rotated:
    done = Rotated(name=f"{model._meta.verbose_name} {secret.name}")
    for page in _pages(model, secret):
        renewed = {pk: (old, new) for pk, old, new in _renewed(page, done) if new != old}
        if renewed:
            written = _write(model, secret, renewed)
            done.renewed += written
            done.changed += len(renewed) - written
    return done


def _pages(model: type[models.Model], secret: SecretField) -> Iterator[list[tuple[int, Secret]]]:
    after = 0
    rows = model._default_manager.order_by("pk").values_list("pk", secret.attname)
    while page := list(rows.filter(pk__gt=after)[:BATCH]):
        yield page
        after = page[-1][0]


def _renewed(page: list[tuple[int, Secret]], done: Rotated) -> Iterator[tuple[int, Secret, Secret]]:
    for pk, old in page:
        try:
            new = old.renewed()
        except WrongKey:
            done.closed.append(pk)
            continue
        done.current += new == old
        yield pk, old, new


def _write(model: type[models.Model], secret: SecretField, renewed: dict[int, tuple[Secret, Secret]]) -> int:
    quote = connection.ops.quote_name
    key = model._meta.pk
    assert key is not None
    statement = RENEW.format(
        table=quote(model._meta.db_table), column=quote(str(secret.column)), key=quote(str(key.column))
    )
    ids = sorted(renewed)  # always locked in the same order
    tokens = {"old": [renewed[pk][0].token for pk in ids], "new": [renewed[pk][1].token for pk in ids]}
    with connection.cursor() as cursor:
        cursor.execute(statement, {"ids": ids, **tokens})
        return int(cursor.rowcount)
