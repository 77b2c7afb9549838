"""Where OTLP goes and how: OpenTelemetry's standard variables, read and checked once."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from agentops_sdk import otel_environment
from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk.addresses import without_secrets
from agentops_sdk.config import warn_once
from agentops_sdk.errors import ConfigError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

__all__ = ["SIGNALS", "Endpoint", "protocol"]

_PREFIX = "OTEL_EXPORTER_OTLP_"
SIGNALS = ("traces", "metrics", "logs")
"""What OTLP carries; OpenTelemetry's variables and the paths of URLs have these words."""
_TIMEOUT = 10.0
_DELAY = 1.0
_PROTOCOLS = ("http/protobuf", "http/json", "grpc")
_TOKEN = lazy_pattern(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BROKEN = lazy_pattern(r"[\x00-\x08\x0a-\x1f\x7f]")


class Endpoint(NamedTuple):
    """One OTLP/HTTP endpoint of one signal. ``repr`` shows no header, user, password or query."""

    url: str
    headers: Mapping[str, str] = MappingProxyType({})
    timeout: float = _TIMEOUT
    """Seconds one request may take, in all."""
    compression: str = "gzip"
    certificate: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    signal: str = "traces"
    json: bool = False
    """Whether requests are OTLP/JSON instead of protobuf."""
    delay: float = _DELAY
    """Seconds that items may wait for others to come along."""
    most_items: int | None = None
    """How many items one request may hold, where that is bounded by more than its size."""

    @classmethod
    def resolve(
        cls,
        url: str | None = None,
        *,
        signal: str = "traces",
        environ: Mapping[str, str] | None = None,
        deployed: bool = False,
    ) -> Endpoint:
        """The endpoint of a signal that ``url`` and the ``OTEL_EXPORTER_OTLP_*`` variables describe.

        A ``url`` without a path gets ``/v1/traces``; one with a path is used as it is. Variables
        with ``TRACES_`` in their name win over the general ones. For another signal, they have its name in that place.
        ``deployed``: only variables ask for it, so what can be done without is told and does not raise.

        Raises:
            ConfigError: a URL, header, compression or certificate cannot work.
        """
        environ = os.environ if environ is None else environ
        own = f"{_PREFIX}{signal.upper()}_"

        def read(name: str) -> tuple[str, str]:
            for variable in (f"{own}{name}", f"{_PREFIX}{name}"):
                if value := environ.get(variable, "").strip():
                    return variable, value
            return f"{_PREFIX}{name}", ""

        if url is not None:
            source, target, full = "endpoint", url.strip(), bool(urlsplit(url.strip()).path.strip("/"))
        else:
            source, target = read("ENDPOINT")
            full = source.startswith(own)
            target = target or "http://localhost:4318"
        clean, user = _checked_url(source, target, full, signal)
        headers = {**user, **_headers(*read("HEADERS"))}
        files = {}
        for key in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"):
            variable, path = read(key)
            if path and not Path(path).is_file():
                raise ConfigError(variable, path, "the path of a PEM file that exists")
            files[key.lower()] = path or None
        variable, compression = read("COMPRESSION")
        compression = compression.lower() or "gzip"
        if compression not in ("gzip", "deflate", "none"):
            wrong = ConfigError(variable, compression, "gzip, deflate or none")
            if not deployed:
                raise wrong
            warn_once(f"{wrong}. It is ignored.")
            compression = "gzip"
        batching = otel_environment.batching(signal, environ, warn_once)
        return cls(
            url=clean,
            headers=headers,
            timeout=_timeout(environ, own, batching.timeout or _TIMEOUT),
            compression=compression,
            signal=signal,
            json=protocol(signal, environ) == "http/json",
            delay=_DELAY if batching.delay is None else batching.delay,
            most_items=batching.size,
            **files,
        )

    def __repr__(self) -> str:
        return f"Endpoint({self.shown!r})"

    @property
    def shown(self) -> str:
        """The URL as it may be shown."""
        parts = urlsplit(self.url)
        pairs = (pair.partition("=") for pair in parts.query.split("&") if pair)
        query = "&".join(f"{name}=…" if sign else "…" for name, sign, _ in pairs)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))

    def tls(self) -> ssl.SSLContext | None:
        """What verifies the server by the given authority, and with the client's key; else the system's ones do."""
        if not (self.certificate or self.client_certificate):
            return None
        import ssl

        context = ssl.create_default_context(cafile=self.certificate)
        if self.client_certificate:
            context.load_cert_chain(self.client_certificate, self.client_key)
        return context


def _checked_url(source: str, target: str, full: bool, signal: str) -> tuple[str, dict[str, str]]:
    expected = "an http:// or https:// URL such as http://localhost:4318"
    shown = without_secrets(target)
    try:
        parts = urlsplit(target)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise ConfigError(source, shown, expected) from None
    if parts.scheme not in ("http", "https") or not host or re.search(r"\s", target):
        raise ConfigError(source, shown, expected)
    headers = {}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    authority = (f"[{host}]" if ":" in host else host) + (f":{port}" if port is not None else "")
    path = parts.path if full else f"{parts.path.rstrip('/')}/v1/{signal}"
    return urlunsplit((parts.scheme, authority, path or "/", parts.query, "")), headers


def _headers(variable: str, text: str) -> dict[str, str]:
    headers = {}
    for number, pair in enumerate(part.strip() for part in text.split(",")):
        if not pair:
            continue
        name, sign, value = pair.partition("=")
        name, value = name.strip().lower(), unquote(value.strip())
        # The value is never shown: it is most often a key.
        if not sign or not _TOKEN.fullmatch(name) or _BROKEN.search(value) or not value.isascii():
            raise ConfigError(
                variable,
                f"pair {number + 1}: {name if sign else '…'}",
                "name=value pairs separated by commas, values percent-encoded as in W3C baggage",
            )
        headers[name] = value
    return headers


def protocol(signal: str, environ: Mapping[str, str] | None = None) -> str:
    """``grpc``, ``http/protobuf`` or ``http/json``, as ``OTEL_EXPORTER_OTLP_PROTOCOL`` says for a signal."""
    environ = os.environ if environ is None else environ
    for variable in (f"{_PREFIX}{signal.upper()}_PROTOCOL", f"{_PREFIX}PROTOCOL"):
        name = environ.get(variable, "").strip().lower()
        if name in _PROTOCOLS:
            return name
        if name:
            warn_once(f"{variable} is {name[:40]!r}; expected one of {', '.join(_PROTOCOLS)}. It is ignored.")
    return _PROTOCOLS[0]


@contextmanager
def grpc_package(signal: str) -> Iterator[None]:
    """Around the import of OpenTelemetry's own exporter for ``grpc``.

    Raises:
        ConfigError: its package is not installed.
    """
    try:
        yield
    except ImportError:
        own = f"{_PREFIX}{signal.upper()}_PROTOCOL"
        variable = own if os.environ.get(own, "").strip() else f"{_PREFIX}PROTOCOL"
        package = "opentelemetry-exporter-otlp-proto-grpc"
        raise ConfigError(variable, "grpc", f"http/protobuf, or the package {package} to be installed") from None


def _timeout(environ: Mapping[str, str], own: str, default: float) -> float:
    for variable in (f"{own}TIMEOUT", f"{_PREFIX}TIMEOUT"):
        text = environ.get(variable, "").strip()
        if not text:
            continue
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if 0 < value < float("inf"):
            # OpenTelemetry Python reads seconds where the specification says milliseconds. Both are met:
            # nobody wants a request to take a quarter of an hour, or less than a second by accident.
            return value / 1000 if value >= 1000 else value
        # A wrong one costs nobody a span: unlike an address or a key, it can be done without.
        expected = "a number above 0: seconds, or milliseconds from 1000 on"
        warn_once(f"{variable} is {text[:40]!r}; expected {expected}. It is ignored.")
    return default
