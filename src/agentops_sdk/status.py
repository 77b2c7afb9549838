"""What is patched, queued, exported and lost, and why: one snapshot of the SDK's own state."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from html import escape
from typing import Any, Literal

from pydantic import BaseModel, Field

from agentops_sdk import semconv
from agentops_sdk._host import guard as guarding
from agentops_sdk._host import patches
from agentops_sdk._pipeline import known_libraries, runtime
from agentops_sdk._recorder.open_spans import open_runs
from agentops_sdk._version import VERSION
from agentops_sdk.addresses import without_secrets
from agentops_sdk.config import Settings, rows
from agentops_sdk.traces.display.notebook import table

_CAPTURING = ("patched", "waiting for import", "version untested")
_MOST_RUNS = 100
_SHOWN_RUNS = 5
_SECRET = re.compile(r"key|token|secret|password|auth", re.IGNORECASE)


class SettingStatus(BaseModel):
    """One setting's value and where it came from."""

    value: Any
    origin: str


class IntegrationStatus(BaseModel):
    """One integration's state, and the reason where it is not ``patched``."""

    state: str
    version: str | None = None
    reason: str | None = None


class SinkStatus(BaseModel):
    """One sink's account: ``accepted = exported + pending + lost``, exactly.

    ``pending`` spans wait in the sink's queue or in its spool on disk. ``details`` are the sink's own
    (spooled bytes, retries, adopted spans …).
    """

    accepted: int
    exported: int
    pending: int
    lost: int
    dropped: dict[str, int] = Field(default_factory=dict)
    last_error: str | None = None
    last_error_at: float | None = Field(default=None, description="Seconds since the Unix epoch.")
    last_success_at: float | None = None
    failing: bool = False
    exports: int = 0
    export_seconds: float = Field(default=0.0, description="Time spent in the exporter's export().")
    details: dict[str, Any] = Field(default_factory=dict)


class RunStatus(BaseModel):
    """A run of this process that has not ended."""

    name: str
    outcome: Literal["running"] = "running"
    trace_id: str
    age: float = Field(description="Seconds since its outermost span began.")
    open_spans: int


class Status(BaseModel):
    """The SDK's own state at one moment; ``str()`` of it is for people, ``model_dump()`` for programs."""

    version: str = VERSION
    enabled: bool
    uptime: float = 0.0
    settings: dict[str, SettingStatus] = Field(default_factory=dict)
    resource: dict[str, Any] = Field(default_factory=dict, description="What every span says of the process.")
    integrations: dict[str, IntegrationStatus] = Field(default_factory=dict)
    not_captured: dict[str, str] = Field(
        default_factory=dict, description="Libraries of the field that are imported and not captured: their versions."
    )
    sinks: dict[str, SinkStatus] = Field(default_factory=dict)
    closed_sinks: dict[str, SinkStatus] = Field(
        default_factory=dict,
        description="Sinks that a later init() or configure() did not name: what became of their spans.",
    )
    spans: dict[str, int] = Field(
        default_factory=dict, description="Since the first init(), whatever sinks were exchanged since then."
    )
    runs: list[RunStatus] = Field(
        default_factory=list, description=f"The runs that are open, oldest first, {_MOST_RUNS} at most."
    )
    guard_errors: dict[str, int] = Field(default_factory=dict)
    redactions: int = 0
    overhead: dict[str, float] = Field(default_factory=dict)
    dormant_patches: list[str] = Field(default_factory=list)

    def __str__(self) -> str:
        if not self.enabled:
            return f"agentops {self.version}: off"
        lines = [f"agentops {self.version}: on for {self.uptime:.0f} s"]
        lines += [
            f"  {name}: {each.state}" + (f" ({each.reason})" if each.reason else "")
            for name, each in self.integrations.items()
        ]
        lines += [f"  {name} {version}: imported, not captured" for name, version in self.not_captured.items()]
        lines += [
            f"  -> {name}: {sink.exported} exported, {sink.pending} pending, {sink.lost} lost"
            + (f" ({', '.join(f'{reason} {n}' for reason, n in sink.dropped.items())})" if sink.dropped else "")
            + (f"; last error: {sink.last_error}" if sink.last_error else "")
            for name, sink in self.sinks.items()
        ]
        lines += [
            f"  (closed) {name}: {sink.exported} exported, {sink.pending} pending, {sink.lost} lost"
            for name, sink in self.closed_sinks.items()
        ]
        lines.append("  spans: " + ", ".join(f"{count} {name}" for name, count in self.spans.items()))
        lines += [f"  running: {run.name} for {run.age:.1f} s" for run in self.runs[:_SHOWN_RUNS]]
        if len(self.runs) > _SHOWN_RUNS:
            lines.append(f"  running: {len(self.runs) - _SHOWN_RUNS} more")
        if self.guard_errors:
            lines.append("  contained errors: " + ", ".join(f"{site} {n}" for site, n in self.guard_errors.items()))
        return "\n".join(lines)

    def __repr__(self) -> str:
        if not self.enabled:
            return f"<agentops {self.version}: off>"
        captured = [name for name, each in self.integrations.items() if each.state in _CAPTURING]
        return f"<agentops {self.version}: on, captures {_listed(captured)}, writes to {_listed(self.sinks)}>"

    def _repr_html_(self) -> str:
        if not self.enabled:
            return escape(str(self))
        captured = [
            (name, each.state, each.version or "", each.reason or "") for name, each in self.integrations.items()
        ]
        captured += [(name, "not captured", version, "imported") for name, version in self.not_captured.items()]
        sinks = [
            (name, "failing" if sink.failing else "ok", sink.exported, sink.pending, sink.lost, sink.last_error or "")
            for name, sink in self.sinks.items()
        ]
        running = [(run.name, f"{run.age:.1f}") for run in self.runs[:_SHOWN_RUNS]]
        chosen = [(name, row.value, row.origin) for name, row in self.settings.items() if row.origin != "default"]
        figures = ", ".join(f"{count:,} {name}" for name, count in self.spans.items())
        return (
            f"<div><b>agentops {escape(self.version)}</b>: on for {self.uptime:.0f} s; spans: {figures}</div>"
            + table("", ("sink", "", "exported", "pending", "lost", "last error"), sinks)
            + (table("", ("running", "seconds"), running) if running else "")
            + table("", ("library", "", "version", ""), captured)
            + (table("", ("setting", "value", "from"), chosen) if chosen else "")
        )


class Started(Status):
    """What ``init()`` and ``configure()`` return: the state, which a notebook shows in one line."""

    def _repr_html_(self) -> str:
        return f"<code>{escape(repr(self))}</code>"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"


def status() -> Status:
    """The state right now. Cheap enough to call from a health check."""
    running, settings = runtime.current, runtime.settings_in_force()
    if running is None:
        return Status(
            enabled=False,
            settings=_settings(settings) if settings is not None else {},
            guard_errors=dict(guarding.errors),
            dormant_patches=list(patches.dormant),
        )
    queue = running.queue
    opened = len(running.recorder.open)
    ended = queue.consumed + queue.pending + queue.dropped
    sinks: dict[str, SinkStatus] = {}
    for number, sink in enumerate(running.sinks):
        sinks[sink.name if sink.name not in sinks else f"{sink.name}#{number}"] = _sink(
            sink.account(), exports=sink.exports, export_seconds=sink.seconds
        )
    settings_now, resource = _settings(running.settings), _shown(running.resource)
    if running.is_described_by_program and semconv.SERVICE_NAME in resource:
        own = "the program's own TracerProvider"
        settings_now["service_name"] = SettingStatus(value=resource[semconv.SERVICE_NAME], origin=own)
    return Status(
        enabled=running.settings.enabled,
        uptime=time.time() - running.started_at,
        settings=settings_now,
        resource=resource,
        integrations={
            installed.integration.name: IntegrationStatus(
                state=installed.state, version=installed.version, reason=installed.remark()
            )
            for installed in running.integrations
        },
        not_captured=known_libraries.imported(
            installed.integration.target for installed in running.integrations if installed.state in _CAPTURING
        ),
        sinks=sinks,
        closed_sinks={name: _sink(account) for name, account in running.closed_sinks.items()},
        spans={
            "started": ended + opened,
            "open": opened,
            "ended": ended,
            "queued": queue.pending,
            "dropped": queue.dropped,
            "failed": running.failed,
            "sampled_out": running.sampled_out,
            "undecided": len(running.held_runs),
        },
        runs=[
            RunStatus(name=run.name, trace_id=run.trace_id, age=run.age, open_spans=run.spans)
            for run in open_runs(running.recorder.open, running.open_spans.policy, _MOST_RUNS)
        ],
        guard_errors=dict(guarding.errors),
        redactions=running.completer.policy.redactions,
        overhead={"consumer_seconds": running.consumer_seconds, "consumer_spans": float(queue.consumed)},
        dormant_patches=list(patches.dormant),
    )


def _sink(account: dict[str, Any], **more: Any) -> SinkStatus:
    dropped = account["dropped"]  # by reasons, among them names of exceptions: a KeyError is no key
    return SinkStatus(**{**_shown(account), "dropped": dropped}, lost=sum(dropped.values()), **more)


def started() -> Started:
    """The state right after it was changed."""
    return Started(**dict(status()))


def _settings(settings: Settings) -> dict[str, SettingStatus]:
    return {
        row.name: SettingStatus(
            value=_shown(getattr(settings, row.name)),
            origin=settings.origins.get(row.name, "default"),
        )
        for row in rows()
    }


def _shown(value: Any) -> Any:
    """A value without keys, passwords and tokens: by the name it stands under, and inside of addresses."""
    if isinstance(value, tuple | list):
        return [_shown(item) if isinstance(item, str | int | float) else type(item).__name__ for item in value]
    if isinstance(value, dict):
        return {name: "…" if _SECRET.search(str(name)) else _shown(item) for name, item in value.items()}
    return without_secrets(value) if isinstance(value, str) else value
