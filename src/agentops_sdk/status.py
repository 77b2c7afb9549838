"""What is patched, queued, exported and lost, and why: one snapshot of the SDK's own state."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any, Literal

from pydantic import BaseModel, Field

from agentops_sdk._version import VERSION
from agentops_sdk.state import CAPTURING, MOST_RUNS, state
from agentops_sdk.traces.display.notebook import table

_SHOWN_RUNS = 5


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
    """The SDK's own state at one moment; ``str()`` is for people, ``model_dump()`` for programs."""

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
    signals: dict[str, SinkStatus] = Field(
        default_factory=dict,
        description="Sinks of metrics, counted by data points, and of events, such as ``metrics otlp``.",
    )
    closed_sinks: dict[str, SinkStatus] = Field(
        default_factory=dict,
        description="Sinks that a later init() or configure() did not name: what became of their spans.",
    )
    spans: dict[str, int] = Field(
        default_factory=dict, description="Since the first init(), whatever sinks were exchanged since then."
    )
    runs: list[RunStatus] = Field(
        default_factory=list, description=f"The runs that are open, oldest first, {MOST_RUNS} at most."
    )
    paused: list[str] = Field(default_factory=list, description="Agents that ``pause()`` has stopped; * is everything.")
    guard_errors: dict[str, int] = Field(default_factory=dict)
    redactions: int = 0
    withheld: dict[str, int] = Field(
        default_factory=dict, description="Times texts were withheld as a function of ``pii`` failed, by the reason."
    )
    metric_overflow: dict[str, int] = Field(
        default_factory=dict, description="By metric, measurements that are in no series of their own: too many."
    )
    overhead: dict[str, float] = Field(default_factory=dict)
    dormant_patches: list[str] = Field(default_factory=list)

    def __str__(self) -> str:
        if not self.enabled:
            return f"agentops {self.version}: off"
        lines = [f"agentops {self.version}: on for {self.uptime:.0f} s"]
        lines += [
            f"  {name}: {each.state}" + (f" ({each.reason})" if each.reason else "")
            for name, each in self.integrations.items()
            if each.state != "not installed"
        ]
        absent = [name for name, each in self.integrations.items() if each.state == "not installed"]
        lines += [f"  not installed: {', '.join(absent)}"] if absent else []
        lines += [f"  {name} {version}: imported, not captured" for name, version in self.not_captured.items()]
        lines += [
            f"  -> {name}: {sink.exported} exported, {sink.pending} pending, {sink.lost} lost"
            + (f" ({', '.join(f'{reason} {n}' for reason, n in sink.dropped.items())})" if sink.dropped else "")
            + (f"; last error: {sink.last_error}" if sink.last_error else "")
            for name, sink in (*self.sinks.items(), *self.signals.items())
        ]
        lines += [
            f"  (closed) {name}: {sink.exported} exported, {sink.pending} pending, {sink.lost} lost"
            for name, sink in self.closed_sinks.items()
        ]
        lines.append("  spans: " + ", ".join(f"{count} {name}" for name, count in self.spans.items()))
        lines += [f"  running: {run.name} for {run.age:.1f} s" for run in self.runs[:_SHOWN_RUNS]]
        if len(self.runs) > _SHOWN_RUNS:
            lines.append(f"  running: {len(self.runs) - _SHOWN_RUNS} more")
        lines += [f"  paused: {_listed(self.paused)}"] if self.paused else []
        if self.withheld:
            lines.append("  texts withheld: " + ", ".join(f"{reason} {n}" for reason, n in self.withheld.items()))
        if self.guard_errors:
            lines.append("  contained errors: " + ", ".join(f"{site} {n}" for site, n in self.guard_errors.items()))
        return "\n".join(lines)

    def __repr__(self) -> str:
        if not self.enabled:
            return f"<agentops {self.version}: off>"
        captured = [name for name, each in self.integrations.items() if each.state in CAPTURING]
        return f"<agentops {self.version}: on, captures {_listed(captured)}, writes to {_listed(self.sinks)}>"

    def _repr_html_(self) -> str:
        if not self.enabled:
            return escape(str(self))
        captured = [
            (name, each.state, each.version or "", each.reason or "")
            for name, each in self.integrations.items()
            if each.state != "not installed"
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


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"


def status() -> Status:
    """The current state of the SDK. Cheap enough to call from a health check."""
    return Status(**state())
