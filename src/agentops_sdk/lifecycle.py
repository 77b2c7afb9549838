"""``init()``, ``shutdown()`` and ``flush()``: the beginning and the end of capturing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, cast

from agentops_sdk._capture.invalid_values import number_of, tell_once
from agentops_sdk._pipeline import process_runtime
from agentops_sdk._pipeline.flush_result import FlushResult
from agentops_sdk.state import description, state

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from agentops_sdk.status import Status


_LONGEST = 86_400.0  # seconds; locks cannot wait for infinity
_USUAL = 10.0


def init(
    *,
    enabled: bool | None = None,
    exporters: Sequence[str | SpanExporter] | str | SpanExporter | None = None,
    directory: str | PathLike[str] | None = None,
    integrations: Sequence[str] | None = None,
    service_name: str | None = None,
    resource_attributes: Mapping[str, Any] | None = None,
    capture_content: bool | None = None,
    restart: bool = False,
    **settings: Any,
) -> Status:
    """Start capturing. A further call changes the settings it names and keeps the rest, and logs this once.

    Every setting may also come from the environment or a file; the table is in the documentation
    under "Configuration". A further call reads neither again, unless it says ``restart=True``.

    Args:
        enabled: ``False`` makes everything a no-op.
        exporters: where spans go, ``["jsonl"]`` when not given.
        directory: what traces are written below, ``./.agentops`` when not given.
        integrations: names of the libraries to capture; every supported one when not given.
        service_name: names this program on every span.
        resource_attributes: further attributes that describe this process.
        capture_content: ``False`` leaves out messages, arguments and results.
        restart: end what an earlier call began and begin anew. What was kept private stays so until named.
        settings: any other setting by its name.

    Returns:
        the state after starting: what is patched, what waits for its import, where spans go.

    Raises:
        ConfigError: a setting is unknown or its value cannot work.
        IntegrationError: an integration asked for by name cannot be had.
    """
    arguments = {
        "enabled": enabled,
        "exporters": exporters,
        "directory": directory,
        "integrations": integrations,
        "service_name": service_name,
        "resource_attributes": resource_attributes,
        "capture_content": capture_content,
        **settings,
    }
    process_runtime.initialize(arguments, restart=restart)
    return cast("Status", StatusOnDemand())


def configure(**settings: Any) -> Status:
    """Change live settings at run time: sampling, content, log level, sinks. No span is lost.

    Sinks named again keep running; new ones are made first, and those left out deliver what they hold.
    Which settings are live is in the table under "Configuration".

    Returns:
        the state after the change.

    Raises:
        ConfigError: ``init()`` was not called, a setting is not live, or its value cannot work;
            nothing has changed then.
    """
    process_runtime.reconfigure(settings)
    return cast("Status", StatusOnDemand())


def shutdown(timeout: float | None = None) -> FlushResult:
    """Stop capturing, deliver all ended spans and remove all patches. Safe to call twice.

    Args:
        timeout: seconds that sinks may take; the setting ``shutdown_timeout`` when not given.
    """
    running = process_runtime.current
    default = running.settings.shutdown_timeout if running is not None else 0.0
    return process_runtime.finish(default if timeout is None else _seconds("shutdown()", timeout, default))


def flush(timeout: float = _USUAL) -> FlushResult:
    """Wait until every ended span has reached its sinks, at most ``timeout`` seconds.

    Returns:
        what was exported, what remains, and what was lost.
    """
    running = process_runtime.current
    return FlushResult(0, 0, 0, {}) if running is None else running.flush(_seconds("flush()", timeout, _USUAL))


def _seconds(site: str, timeout: Any, default: float) -> float:
    """``timeout`` where it can be one, else ``default``, which is told in the log: a running program is not stopped."""
    seconds = None if type(timeout) is bool else number_of(timeout)
    if seconds is None or not seconds >= 0:
        tell_once(site, "timeout", timeout, "seconds, a number of at least 0", f"{default:g} seconds are taken")
        return default
    return min(seconds, _LONGEST)


class StatusOnDemand:
    """A ``Status`` of the moment it was made, whose model is loaded when somebody looks; a notebook shows one line."""

    __slots__ = ("_fields", "_model", "_running")

    def __init__(self) -> None:
        running = process_runtime.current
        self._running = (running, running.settings) if running is not None else None
        self._fields = state(described=False)
        self._model: Status | None = None

    def _status(self) -> Status:
        if self._model is None:
            from agentops_sdk.status import Status

            described = description(*self._running) if self._running is not None else {}
            found = {name: tell() for name, tell in self._fields.get("integrations", {}).items()}
            self._model, self._running = Status(**{**described, **self._fields, "integrations": found}), None
        return self._model

    @property  # type: ignore[misc] # for isinstance()
    def __class__(self) -> Any:
        return type(self._status())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._status(), name)

    def __eq__(self, other: object) -> bool:
        return self._status() == (other._status() if type(other) is StatusOnDemand else other)

    __hash__ = None  # type: ignore[assignment] # as the model, which can be changed

    def __iter__(self) -> Any:
        return iter(self._status())

    def __str__(self) -> str:
        return str(self._status())

    def __repr__(self) -> str:
        return repr(self._status())

    def _repr_html_(self) -> str:
        from html import escape

        return f"<code>{escape(repr(self))}</code>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._status().__reduce_ex__(protocol)
