"""Progress of a request: an event on its span, on both ends, each time it is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from agentops_sdk.integration import Call, Patches, current_call, guard, semconv

_NAMES = ("progress", "total", "message")

Callback = Callable[..., Awaitable[None]]


def install(patches: Patches, *, first: bool) -> None:
    """The server's side; the client's is watched where a request is sent with a callback."""
    methods: dict[str, tuple[str, ...]] = {"send_progress_notification": ("progress_token", *_NAMES)}
    if not first:
        methods["report_progress"] = _NAMES

    def sessions(module: Any) -> None:
        for method, names in methods.items():
            patches.wrap(module.ServerSession, method, partial(_send, names))

    patches.when_imported("mcp.server.session", sessions)


def watched(callback: Callback, call: Call) -> Callback:
    """``callback``, and an event beside it."""

    async def report(progress: float, total: float | None, message: str | None) -> None:
        with guard("mcp.progress"):
            _note(call, progress, total, message)
        await callback(progress, total, message)

    return report


def _send(names: tuple[str, ...], wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("mcp.progress"):
        call = current_call()
        values = dict(zip(names, args, strict=False)) | kwargs
        if call is not None:
            _note(call, *(values.get(name) for name in _NAMES))
    return wrapped(*args, **kwargs)


def _note(call: Any, progress: Any, total: Any, message: Any) -> None:
    fields = {semconv.MCP_PROGRESS: progress, semconv.MCP_PROGRESS_TOTAL: total, semconv.MCP_PROGRESS_MESSAGE: message}
    figures = {name: value for name, value in fields.items() if type(value) in (int, float, str)}
    call.event(semconv.MCP_PROGRESS_EVENT, figures)
