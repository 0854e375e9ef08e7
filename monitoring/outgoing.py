"""One call to an address that the settings name: short, never redirected, and not to machines of the inside.

The library behind it takes four megabytes: this module is imported by those who are about to call, and not before.
"""

import logging
from collections.abc import Mapping
from ipaddress import ip_address
from socket import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

TIMEOUT = (5, 10)  # seconds to connect, and to wait for the next bytes of an answer

# Their lines quote whole addresses, in which secrets may stand.
for _name in ("connection", "connectionpool", "poolmanager", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(lambda _: False)


class NotTaken(Exception):
    """Nobody took what was sent; the text says why, without the address."""


class InsideAddress(OSError):
    """A name led to a machine of the inside."""


def call(
    method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None, allow_inside: bool
) -> None:
    """Send it, and wait for an answer of success; raises NotTaken.

    Unless `allow_inside`, it goes to public addresses alone, whatever the name means at the moment of connecting.
    """
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc
        if not allow_inside:
            for scheme in ("http://", "https://"):
                session.mount(scheme, _OutsideAdapter())
        try:
            answer = session.request(
                method, url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
            )
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            why = _words(error)
        else:
            answer.close()
            why = "" if answer.ok and not answer.is_redirect else f"it answered {answer.status_code}"
    if why:  # raised here, where no error of the library is around to be shown with it
        raise NotTaken(why)


def _words(error: BaseException) -> str:
    if _stems_from(error, InsideAddress):
        return "its name leads to an address of the inside: set OUTGOING_ALLOW_PRIVATE=true if that is meant"
    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not accepted"
    if isinstance(error, requests.ConnectionError):
        return "it cannot be reached, or broke off"
    return f"the call failed ({type(error).__name__})"


def _stems_from(error: BaseException | None, kind: type[BaseException]) -> bool:
    while error is not None:
        if isinstance(error, kind):
            return True
        error = error.__cause__ or error.__context__
    return False


def _checked(connected: socket) -> socket:
    """The connection, unless it leads inside: seen before a byte is sent, and after the name was looked up."""
    address = ip_address(connected.getpeername()[0].partition("%")[0])
    if not (getattr(address, "ipv4_mapped", None) or address).is_global:
        connected.close()
        raise InsideAddress
    return connected


class _OutsideConnection(HTTPConnection):
    def _new_conn(self) -> socket:
        return _checked(super()._new_conn())


class _OutsideTlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket:
        return _checked(super()._new_conn())


class _OutsidePool(HTTPConnectionPool):
    ConnectionCls = _OutsideConnection


class _OutsideTlsPool(HTTPSConnectionPool):
    ConnectionCls = _OutsideTlsConnection


class _OutsideAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _OutsidePool, "https": _OutsideTlsPool}
