import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.exceptions import FieldError
from django.db import connection

from external_apis.encryption import Secret, WrongKey
from external_apis.models import Credential

PLAIN = "EAAG-very-secret-token"


@pytest.fixture
def credential(make_credential):
    return make_credential(secret=PLAIN)


def stored(credential):
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM external_apis_credential WHERE id = %s", [credential.pk])
        return cursor.fetchone()[0]


def test_the_database_holds_no_plain_secret(credential):
    assert PLAIN not in stored(credential)
    assert Credential.objects.get().secret.reveal() == PLAIN


def test_a_secret_shows_itself_masked(credential):
    secret = Credential.objects.get().secret

    assert PLAIN not in f"{secret} {secret!r} {credential!r} {vars(credential)}"


def test_a_secret_is_masked_from_the_moment_it_is_assigned(credential):
    credential.secret = "another"

    assert str(credential.secret) != "another"
    credential.save()
    assert Credential.objects.get().secret.reveal() == "another"


def test_a_dump_holds_the_encrypted_form_and_can_be_loaded(credential):
    dump = serializers.serialize("json", Credential.objects.all())
    Credential.objects.all().delete()

    assert PLAIN not in dump
    for loaded in serializers.deserialize("json", dump):
        loaded.save()
    assert Credential.objects.get().secret.reveal() == PLAIN


def test_a_wrong_key_raises_and_says_what_to_do(credential, settings):
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(WrongKey, match="CREDENTIAL_KEYS lacks the key") as refused:
        Credential.objects.get().secret.reveal()
    assert PLAIN not in str(refused.value)


def test_with_a_wrong_key_everything_but_the_secret_can_still_be_read_and_saved(credential, settings):
    before = stored(credential)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    same = Credential.objects.get()
    same.label = "renamed"
    same.save()

    assert stored(credential) == before


def test_keys_rotate_new_secrets_get_the_newest_and_old_ones_stay_readable(credential, settings):
    newest = Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [newest, *settings.CREDENTIAL_KEYS]

    assert Credential.objects.get().secret.reveal() == PLAIN
    settings.CREDENTIAL_KEYS = [newest]
    assert Secret.of("new").reveal() == "new"


def test_a_secret_cannot_be_searched_for(credential):
    with pytest.raises(FieldError, match="is encrypted"):
        Credential.objects.filter(secret=PLAIN).exists()
