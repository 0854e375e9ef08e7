"""What a page says: as HTML, as plain words, by its sections."""

import re

from django.test import Client


def shown(client: Client, address: str = "/") -> str:
    """The page at an address, which is answered."""
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def text(html: str) -> str:
    """The words alone."""
    return re.sub(r"(<[^>]+>|\s)+", " ", html).strip()


def section(html: str, name: str) -> str:
    """The section with that id."""
    found = re.search(rf'<section id="{name}".*?</section>', html, re.DOTALL)
    assert found, f"there is no section {name}"
    return found[0]
