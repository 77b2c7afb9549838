"""The proxy on the way to a backend, as curl and the vendors' clients read the usual variables."""

from __future__ import annotations

import importlib.util
import os
import sys
from urllib.parse import unquote, urlsplit

from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk.addresses import without_secrets

__all__ = ["Proxy", "ProxyError", "is_direct", "proxy_for"]

_SOCKS = ("socks5", "socks5h")
_KNOWN = ("http", "https", *_SOCKS)
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


class ProxyError(Exception):
    """A proxy is set that cannot be used; the message says which, why, and what to do."""


class Proxy(NamedTuple):
    """Where it is, and who we are to it."""

    scheme: bytes
    host: bytes
    port: int
    auth: tuple[bytes, bytes] | None

    @property
    def shown(self) -> str:
        """Its address, without who we are."""
        host = self.host.decode()
        return f"{self.scheme.decode()}://{f'[{host}]' if ':' in host else host}:{self.port}"


def is_direct(url: str) -> bool:
    """Whether a URL is of plain HTTP, and no proxy is set at all: what a look at the environment can tell."""
    system = sys.platform in ("darwin", "win32")  # its settings may name one
    return url.startswith("http:") and not system and not any(name.lower().endswith("_proxy") for name in os.environ)


def proxy_for(url: str) -> Proxy | None:
    """The proxy that the environment (or the system) sets for a URL; one without a scheme is an HTTP proxy.

    Raises:
        ProxyError: it is no proxy that can be used.
    """
    import urllib.request

    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2], parts.hostname or ""  # NO_PROXY may name a port
    if any(urllib.request.proxy_bypass(host) for host in hosts):
        return None
    proxies = urllib.request.getproxies()
    text = proxies.get(parts.scheme) or proxies.get("all")
    return _proxy(text.strip()) if text and text.strip() else None


def _proxy(text: str) -> Proxy:
    address = text if "://" in text else f"http://{text}"
    shown = without_secrets(address)
    scheme = address.partition("://")[0].lower()
    if scheme not in _KNOWN:
        raise ProxyError(f"the proxy {shown} has an unknown scheme; supported are {', '.join(_KNOWN)}")
    if scheme in _SOCKS and importlib.util.find_spec("socksio") is None:
        raise ProxyError(f"the proxy {shown} needs the package socksio: pip install socksio")
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").encode("idna"), parts.port or _PORTS[scheme]
    except ValueError as error:  # a UnicodeError is one
        raise ProxyError(f"the proxy {shown} is not a valid address: {type(error).__name__}") from None
    if not host or any(character.isspace() for character in address):
        raise ProxyError(f"the proxy {shown} is not a valid address: no host")
    auth = None
    if parts.username is not None:
        auth = unquote(parts.username).encode(), unquote(parts.password or "").encode()
    return Proxy(scheme.encode(), host, port, auth)
