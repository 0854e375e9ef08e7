"""The admin looks like the operator's page, and leads to it and back."""

import re

import pytest
from django.test import Client
from django.utils import translation

PAGES = ["/admin/", "/admin/jobs/run/", "/admin/django_celery_beat/periodictask/add/", "/admin/password_change/"]
ANYWHERE = re.compile(r'(?:src|href|action)="(?!/|#|\?|\.)([^"]+)"')

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("page", PAGES)
def test_it_has_the_colours_of_the_page_and_the_way_back(admin_client: Client, page: str) -> None:
    html = admin_client.get(page).content.decode()
    assert "monitoring/page/colours.css" in html
    assert html.index("admin/css/base.css") < html.index("monitoring/admin.css")
    nav = re.search(r'<nav class="pages".*?</nav>', html, re.DOTALL)[0]  # type: ignore[index]
    assert {'href="/"', 'href="/audit"'} <= set(re.findall(r'href="[^"]*"', nav))
    assert 'href="/admin/" aria-current="page"' in nav


def test_one_signs_out_as_on_the_page(admin_client: Client) -> None:
    assert 'action="/sign-out"' in admin_client.get("/admin/").content.decode()


@pytest.mark.parametrize("page", [*PAGES, "/admin/login/"])
def test_nothing_of_it_comes_from_another_host(admin_client: Client, page: str) -> None:
    client = Client() if "login" in page else admin_client
    html = client.get(page).content.decode()
    assert [each for each in ANYWHERE.findall(html) if "//" in each] == []
    assert "theme.js" not in html


def test_it_speaks_romanian(admin_client: Client) -> None:
    with translation.override("ro"):
        html = admin_client.get("/admin/", headers={"Accept-Language": "ro"}).content.decode()
    assert "Schimbă parola" in html
    assert "Privire de ansamblu" in html
