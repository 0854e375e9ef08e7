"""Where a request comes from."""

import pytest
from django.test import RequestFactory

from access.origin import address_of


@pytest.mark.parametrize(
    ("proxies", "passed", "caller", "address"),
    [
        (0, "", "192.0.2.1", "192.0.2.1"),
        (0, "203.0.113.9", "192.0.2.1", "192.0.2.1"),  # anybody can write the header
        (1, "203.0.113.9", "10.0.0.1", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "10.0.0.1", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.2", "10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "10.0.0.1", "10.0.0.1"),  # it came past a proxy
        (1, "not an address", "10.0.0.1", ""),
        (1, "2001:DB8::1", "10.0.0.1", "2001:db8::1"),
        (0, "", "", ""),  # a unix socket
    ],
)
def test_only_what_our_own_proxies_add_is_believed(proxies: int, passed: str, caller: str, address: str) -> None:
    headers = {"X-Forwarded-For": passed} if passed else {}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=caller)
    assert address_of(request, proxies=proxies) == address
