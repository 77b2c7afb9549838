"""The proxy on the way to a backend, as curl and the vendors' clients read the usual variables."""

from __future__ import annotations

import importlib.util
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agentops_sdk.addresses import without_secrets

if TYPE_CHECKING:
    from httpx2 import Proxy

__all__ = ["ProxyError", "proxy_for"]

_SOCKS = ("socks5", "socks5h")
_KNOWN = ("http", "https", *_SOCKS)


class ProxyError(Exception):
    """A proxy is set that cannot be used; the message says which, why, and what to do."""


def proxy_for(url: str) -> Proxy | None:
    """The proxy that the environment (or the system) sets for a URL; one without a scheme is an HTTP proxy.

    Raises:
        ProxyError: it is no proxy that can be used.
    """
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2], parts.hostname or ""  # NO_PROXY may name a port
    if any(urllib.request.proxy_bypass(host) for host in hosts):
        return None
    proxies = urllib.request.getproxies()
    text = proxies.get(parts.scheme) or proxies.get("all")
    return _proxy(text.strip()) if text and text.strip() else None


def _proxy(text: str) -> Proxy:
    import httpx2

    address = text if "://" in text else f"http://{text}"
    shown = without_secrets(address)
    scheme = address.partition("://")[0].lower()
    if scheme not in _KNOWN:
        raise ProxyError(f"the proxy {shown} has an unknown scheme; supported are {', '.join(_KNOWN)}")
    if scheme in _SOCKS and importlib.util.find_spec("socksio") is None:
        raise ProxyError(f"the proxy {shown} needs the package socksio: pip install socksio")
    try:
        return httpx2.Proxy(address)
    except (ValueError, httpx2.InvalidURL) as error:
        raise ProxyError(f"the proxy {shown} is not a valid address: {type(error).__name__}") from None
