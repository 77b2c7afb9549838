"""The SDK's state over HTTP: a small server on loopback, and the same as an ASGI application to mount."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from agentops_sdk import control
from agentops_sdk._host.guard import note
from agentops_sdk._pipeline import process_runtime
from agentops_sdk._version import DISTRIBUTION
from agentops_sdk.errors import ConfigError
from agentops_sdk.health import health
from agentops_sdk.status import status
from agentops_sdk.status_access import Access, is_local_name, page_of, resolved
from agentops_sdk.status_server import MOST_BYTES, POSTED, Answer, StatusServer, posts
from agentops_sdk.status_token import FILE, TOKEN_VARIABLE, checked_token, kept_token

__all__ = ["StatusServer", "serve_status", "status_app"]

_TEXT = "text/plain; charset=utf-8"
_PATH = re.compile(r"(?<![\w:/.…\]])(?:~|\.{1,2})?/[^\s'\"<>|:,;)]+|\b[A-Za-z]:\\[^\s'\"<>|:,;)]+")


def answer(path: str, accept: str = "") -> Answer:
    """Status code, content type and body for one of ``/livez /readyz /healthz /status /metrics``."""
    try:
        return _answer(page_of(path), accept)
    except Exception as error:  # noqa: BLE001 - the page that reports failures must not fail
        note("serve", error)
        return 500, _TEXT, type(error).__name__.encode()


def change(path: str, body: bytes, by: str) -> Answer:
    """The same for what is posted: ``/configure`` and ``/feedback``. Who sends it has been asked for the token."""
    page = page_of(path)
    if page not in POSTED:
        return 405, _TEXT, b"405"
    try:
        if page == "feedback":
            from agentops_sdk.feedback_request import take_feedback

            return 200, "application/json", json.dumps(take_feedback(body)).encode()
        return 200, "application/json", json.dumps(control.change(body, by)).encode()
    except ConfigError as error:
        return 400, _TEXT, str(error).encode()
    except Exception as error:  # noqa: BLE001 - a bug of ours is counted, and reaches nobody's program
        note(f"serve.{page}", error)
        return 500, _TEXT, type(error).__name__.encode()


def _answer(page: str, accept: str) -> Answer:
    if page == "livez":
        return 200, _TEXT, b"ok"
    if page == "readyz":
        ready = process_runtime.settings_in_force() is not None
        return (200, _TEXT, b"ok") if ready else (503, _TEXT, b"init() has not been called")
    if page == "healthz":
        now = health()
        return (503 if now.status == "failing" else 200), "application/json", _page(now.model_dump(mode="json"))
    if page == "status":
        now_all = status().model_dump(mode="json")
        settings = now_all["settings"]
        if "redact_patterns" in settings:  # an expression may hold the very secret that it is for
            settings["redact_patterns"]["value"] = len(settings["redact_patterns"]["value"])
        if "directory" in settings:
            settings["directory"]["value"] = "…"
            sinks = settings["exporters"]["value"]
            settings["exporters"]["value"] = ["jsonl:…" if sink.startswith("jsonl:") else sink for sink in sinks]
        return 200, "application/json", _page(now_all)
    if page == "metrics":
        from agentops_sdk.metrics import page as metrics

        try:
            return (200, *metrics(accept))
        except ImportError:
            return 501, _TEXT, f'metrics need prometheus-client: pip install "{DISTRIBUTION}[prometheus]"'.encode()
    return 404, _TEXT, b"/livez /readyz /healthz /status /metrics"


def _page(value: Any) -> bytes:
    return json.dumps(_without_paths(value), default=str).encode()


def _without_paths(value: Any) -> Any:
    """Where things lie on this machine is nobody's business who reads over a network."""
    if isinstance(value, str):
        return _PATH.sub("…", value)
    if isinstance(value, dict):
        return {name: _without_paths(item) for name, item in value.items()}
    return [_without_paths(item) for item in value] if isinstance(value, list) else value


def serve_status(port: int = 9464, *, host: str = "127.0.0.1", token: str | None = None) -> StatusServer:
    """Serve ``/livez``, ``/readyz``, ``/healthz``, ``/status`` and ``/metrics`` from a daemon thread.

    Every page but ``/livez`` wants a token. ``POST /configure`` changes settings, limits and what is paused; each
    change is written down. ``POST /feedback`` takes ``{"trace_id": …, "name": "helpful", "value": true, …}``.
    The pages show settings and figures, never content, secrets or paths. On loopback they answer to
    the names of this machine only (``localhost``, ``127.0.0.1``, ``[::1]``).

    Args:
        port: 0 takes a free one (see ``.port`` of the result).
        host: the interface to listen on, loopback unless you say otherwise.
        token: what readers must send as ``Authorization: Bearer …``; ``AGENTOPS_STATUS_TOKEN`` when not given. Where
            neither is, one is made at random: ``.token`` of the result, and the file ``status-token`` in the folder of
            the traces. Beyond loopback it must be given.

    Raises:
        ConfigError: the port is taken or not permitted, there is no such host, or it is one beyond
            loopback and there is no token.
    """
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise ConfigError("port", port, "a port from 0 to 65535")
    secret = checked_token(token)
    family, address, loopback = resolved(host, port)
    if not loopback and secret is None:
        raise ConfigError("host", host, f"loopback, or a token=... (or {TOKEN_VARIABLE}) that readers must send")
    access = Access(lambda: secret or kept_token(_folder()), names=loopback)
    try:
        server = StatusServer(family, address, port, access, answer, change)
    except OSError as error:
        raise ConfigError(
            "port", port, f"a port that is free on {host or 'every interface'} ({error.strerror})"
        ) from None
    access.token()  # it lies in its folder before anybody asks
    return server


async def status_app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
    *,
    token: str | None = None,
) -> None:
    """The same endpoints as an ASGI application: ``app.mount("/agentops", agentops.status_app)``.

    Every page but ``/livez`` wants a token: ``functools.partial(status_app, token=…)``, or ``AGENTOPS_STATUS_TOKEN``.
    Where there is neither, readers on this machine are answered who send the one in the file ``status-token`` of the
    folder of the traces, and nobody else.
    """
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"].rpartition(".")[2]
            await send({"type": f"lifespan.{event}.complete"})
            if event == "shutdown":
                return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    if scope["type"] != "http":
        return
    method = scope.get("method", "GET")
    further: list[tuple[bytes, bytes]] = []
    refusal: tuple[int, str] | None
    try:
        refusal = None if page_of(scope["path"]) == "livez" else _refusal(scope, checked_token(token))
    except ConfigError:  # a token that no header can hold lets nobody in
        refusal = _BEYOND
    if method == "POST" and posts(scope["path"]) and refusal is None:
        code, kind, body = change(
            scope["path"], await _body(receive), f"POST {scope['path']} from {(scope.get('client') or ('?',))[0]}"
        )
    elif method not in ("GET", "HEAD"):
        code, kind, body = 405, _TEXT, b"405"
        further = [(b"allow", b"GET, HEAD")]
    elif refusal is not None:
        code, kind, body = refusal[0], _TEXT, refusal[1].encode()
        further = [(b"www-authenticate", b"Bearer")] if code == 401 else []
    else:
        accept = next((value.decode("latin-1") for name, value in scope.get("headers") or () if name == b"accept"), "")
        code, kind, body = answer(scope["path"], accept)
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *further,
    ]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})


def _folder() -> Path | None:
    """Where the token is kept: nowhere before ``init()``, and in a program that writes no files."""
    settings = process_runtime.settings_in_force()
    if settings is None or not settings.enabled or not settings.keeps_files:
        return None
    return Path(settings.directory)


async def _body(receive: Callable[[], Awaitable[Any]]) -> bytes:
    body, more = b"", True
    while more and len(body) <= MOST_BYTES:
        event = await receive()
        body += event.get("body", b"")
        more = bool(event.get("more_body"))
    return body


def _refusal(scope: MutableMapping[str, Any], token: str | None) -> tuple[int, str] | None:
    headers = [(bytes(name).lower(), bytes(value).decode("latin-1")) for name, value in scope.get("headers") or ()]
    authorization = next((value for name, value in headers if name == b"authorization"), None)
    path: str = scope["path"]
    if token is not None:
        return Access(lambda: token, names=False).refusal(path, [], authorization)
    hosts = [value for name, value in headers if name == b"host"]
    peer = (scope.get("client") or ("",))[0]
    try:
        address = bool(ipaddress.ip_address(peer))
    except ValueError:  # a test client of the program's own, or a socket file with whoever is behind it
        address = False
    forwarded = any(name in (b"forwarded", b"x-forwarded-for", b"x-real-ip") for name, _ in headers)
    if forwarded or (address and not is_local_name(f"[{peer}]")):
        return _BEYOND
    return Access(lambda: kept_token(_folder()), names=address).refusal(path, hosts, authorization)


_BEYOND = 403, f"readers beyond this machine need {TOKEN_VARIABLE}, not the file {FILE}"
