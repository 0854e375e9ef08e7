"""The page to sign in at: it needs no script, and speaks the reader's language."""

import re

import pytest
from django.test import Client

from tests.page.reading import section, shown, text

pytestmark = pytest.mark.django_db


def test_it_is_a_plain_form_that_remembers_where_one_wanted_to_go():
    client = Client(enforce_csrf_checks=True)
    form = section(shown(client, "/sign-in?next=/alerts"), "sign-in")
    names = re.findall(r'<input[^>]* name="(\w+)"', form)
    assert names == ["csrfmiddlewaretoken", "next", "username", "password"]
    assert 'name="next" value="/alerts"' in form


def test_it_offers_nothing_that_needs_an_account():
    html = shown(Client(), "/sign-in")
    assert "<nav" not in html
    assert 'action="/sign-out"' not in html


def test_a_wrong_password_keeps_the_name_and_says_so():
    answer = Client().post("/sign-in", {"username": "a<b", "password": "wrong"})
    form = section(answer.content.decode(), "sign-in")
    assert 'value="a&lt;b"' in form
    assert "Please enter a correct username and password." in text(form)
    assert "wrong" not in form


def test_the_language_can_be_chosen_before_one_has_an_account():
    client = Client()
    client.post("/language", {"language": "ro", "next": "/sign-in"})
    assert '<h1 id="sign-in-title">Autentificare</h1>' in shown(client, "/sign-in")


def test_nothing_of_it_is_kept_by_browsers():
    assert "no-store" in Client().get("/sign-in")["Cache-Control"]
