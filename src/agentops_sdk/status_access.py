"""Who may read the status pages: who has the token, and on loopback calls it by a loopback name as well."""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass

from agentops_sdk.errors import ConfigError

__all__ = ["Access", "is_local_name", "page_of", "resolved"]


@dataclass(frozen=True, repr=False)
class Access:
    """What a request must bring.

    Attributes:
        token: tells what ``Authorization: Bearer`` must hold, for every page but ``/livez``, which tells nothing.
        names: whether the request must call us by a name of this machine itself. A web page may make a name of its
            own point to 127.0.0.1, and a browser then takes our pages for its own; the name gives it away.
    """

    token: Callable[[], str]
    names: bool

    def refusal(self, path: str, hosts: list[str], authorization: str | None) -> tuple[int, str] | None:
        """Status code and reason where a request is refused.

        Args:
            path: what is asked for.
            hosts: every name that the request calls us by; none is an old client, and no browser.
            authorization: its header of that name.
        """
        if self.names and not all(is_local_name(host) for host in hosts):
            return 403, "this address answers to the names of this machine only"
        if page_of(path) == "livez":
            return None
        scheme, _, token = (authorization or "").strip().partition(" ")
        # Both are compared in full, whatever they hold: the time taken says nothing.
        right = hmac.compare_digest(token.strip().encode("utf-8", "surrogateescape"), self.token().encode())
        return None if right and scheme.lower() == "bearer" else (401, "a token is needed: Authorization: Bearer TOKEN")


def page_of(path: str) -> str:
    """The page that a path asks for, wherever the pages are mounted."""
    return path.partition("?")[0].rstrip("/").rpartition("/")[2]


def resolved(host: str, port: int) -> tuple[socket.AddressFamily, str, bool]:
    """Address family, address, and whether it is on loopback.

    Raises:
        ConfigError: there is no such host.
    """
    if not isinstance(host, str):
        raise ConfigError("host", host, "the name or address of an interface, such as 127.0.0.1")
    if host == "":
        return socket.AF_INET, "", False
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise ConfigError("host", host, "the name or address of an interface, such as 127.0.0.1") from None
    family, _, _, _, address = addresses[0]
    return family, str(address[0]), _is_loopback(str(address[0]))


def is_local_name(host: str) -> bool:
    """Whether the value of a ``Host`` header names this machine to itself: localhost, 127.0.0.0/8, ::1."""
    name = host.strip().lower()
    if name.startswith("["):
        name, _, port = name[1:].partition("]")
        port = port.removeprefix(":")
    else:
        name, _, port = name.partition(":")
    if port and not port.isdigit():
        return False
    return name.removesuffix(".") == "localhost" or _is_loopback(name)


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback
