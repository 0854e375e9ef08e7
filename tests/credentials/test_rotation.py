"""Secrets at rest get the newest key, beside a running service and as often as one likes."""

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from external_apis.encryption import WrongKey
from external_apis.models import Credential, WebhookEvent
from external_apis.rotation import BATCH, rotate
from tests.credentials.conftest import TOKEN


@pytest.fixture
def newest(settings):
    """Puts another key first; returns it."""
    key = Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [key, *settings.CREDENTIAL_KEYS]
    return key


@pytest.fixture
def rows(make_meta):
    """A credential and a webhook event, encrypted with the only key that there is."""
    return make_meta(), WebhookEvent.objects.create(provider="meta", kind="message", key="wamid.1", payload="hello")


def counts():
    return {each.name: (each.renewed, each.current, each.changed, each.closed) for each in rotate()}


def test_every_secret_opens_with_the_newest_key_alone(rows, newest, settings, capsys):
    call_command("rotate_secrets")

    settings.CREDENTIAL_KEYS = [newest]
    assert Credential.objects.get().secret.reveal() == TOKEN
    assert WebhookEvent.objects.get().payload.reveal() == "hello"
    said = capsys.readouterr().out
    assert "credential secret: 1 renewed, 0 had the newest key already" in said
    assert "webhook event payload: 1 renewed" in said
    assert TOKEN not in said


def test_before_that_the_older_key_is_needed(rows, newest, settings):
    settings.CREDENTIAL_KEYS = [newest]

    with pytest.raises(WrongKey):
        Credential.objects.get().secret.reveal()


def test_a_second_time_nothing_is_written(rows, newest):
    counts()
    before = Credential.objects.get().secret.token

    assert counts() == {"credential secret": (0, 1, 0, []), "webhook event payload": (0, 1, 0, [])}
    assert Credential.objects.get().secret.token == before


def test_rows_that_no_key_opens_are_named_and_left_alone(rows, make_meta, settings, capsys):
    lost = rows[0].secret.token
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    make_meta(label="other", secret="another")

    with pytest.raises(CommandError, match="no key opens"):
        call_command("rotate_secrets")

    said = capsys.readouterr().out
    assert f"No key opens credential secret of row {rows[0].pk}." in said
    assert Credential.objects.get(pk=rows[0].pk).secret.token == lost


def test_what_is_written_meanwhile_wins(rows, newest):
    def enter_another(execute, sql, params, many, context):
        if "unnest" in sql and "credential" in sql:
            Credential.objects.filter(pk=rows[0].pk).update(secret="entered meanwhile")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(enter_another):
        assert counts()["credential secret"] == (0, 0, 1, [])

    assert Credential.objects.get().secret.reveal() == "entered meanwhile"


def test_it_goes_on_beyond_one_batch(newest, settings):
    old = WebhookEvent(payload="hello").payload
    events = (
        WebhookEvent(provider="meta", kind="message", key=str(number), payload=old) for number in range(BATCH + 1)
    )
    settings.CREDENTIAL_KEYS = settings.CREDENTIAL_KEYS[::-1]
    WebhookEvent.objects.bulk_create(events)

    assert counts()["webhook event payload"] == (BATCH + 1, 0, 0, [])
    assert counts()["webhook event payload"] == (0, BATCH + 1, 0, [])
