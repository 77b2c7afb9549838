"""What is patched, queued, exported and lost, and why: one snapshot of the SDK's own state."""

from __future__ import annotations

import re
import time
from typing import Any

from pydantic import BaseModel, Field

from agentops_sdk._capture import guard as guarding
from agentops_sdk._capture import patches
from agentops_sdk._pipeline import runtime
from agentops_sdk._version import VERSION
from agentops_sdk.config import rows

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


class Status(BaseModel):
    """The SDK's own state at one moment; ``str()`` of it is for people, ``model_dump()`` for programs."""

    version: str = VERSION
    enabled: bool
    uptime: float = 0.0
    settings: dict[str, SettingStatus] = Field(default_factory=dict)
    integrations: dict[str, IntegrationStatus] = Field(default_factory=dict)
    sinks: dict[str, SinkStatus] = Field(default_factory=dict)
    spans: dict[str, int] = Field(default_factory=dict)
    guard_errors: dict[str, int] = Field(default_factory=dict)
    redactions: int = 0
    overhead: dict[str, float] = Field(default_factory=dict)
    dormant_patches: list[str] = Field(default_factory=list)

    def __str__(self) -> str:
        if not self.enabled:
            return f"agentops {self.version}: off"
        lines = [f"agentops {self.version}: on for {self.uptime:.0f} s"]
        lines += [
            f"  {name}: {found.state}" + (f" ({found.reason})" if found.reason else "")
            for name, found in self.integrations.items()
        ]
        lines += [
            f"  -> {name}: {sink.exported} exported, {sink.pending} pending, {sink.lost} lost"
            + (f" ({', '.join(f'{reason} {n}' for reason, n in sink.dropped.items())})" if sink.dropped else "")
            + (f"; last error: {sink.last_error}" if sink.last_error else "")
            for name, sink in self.sinks.items()
        ]
        lines.append("  spans: " + ", ".join(f"{count} {name}" for name, count in self.spans.items()))
        if self.guard_errors:
            lines.append("  contained errors: " + ", ".join(f"{site} {n}" for site, n in self.guard_errors.items()))
        return "\n".join(lines)


def status() -> Status:
    """The state right now. Cheap enough to call from a health check."""
    running = runtime.current
    if running is None:
        return Status(enabled=False, guard_errors=dict(guarding.errors), dormant_patches=list(patches.dormant))
    queue, settings = running.queue, running.settings
    opened = len(running.recorder.open)
    ended = queue.consumed + queue.pending + queue.dropped
    sinks: dict[str, SinkStatus] = {}
    for place, sink in enumerate(running.sinks):
        sinks[sink.name if sink.name not in sinks else f"{sink.name}#{place}"] = SinkStatus(
            **(account := sink.account()),
            lost=sum(account["dropped"].values()),
            exports=sink.exports,
            export_seconds=sink.seconds,
        )
    return Status(
        enabled=True,
        uptime=time.time() - running.started_at,
        settings={
            row.name: SettingStatus(value=_shown(getattr(settings, row.name)), origin=settings.origins[row.name])
            for row in rows()
        },
        integrations={
            installed.integration.name: IntegrationStatus(
                state=installed.state, version=installed.version, reason=installed.remark()
            )
            for installed in running.integrations
        },
        sinks=sinks,
        spans={
            "started": ended + opened,
            "open": opened,
            "ended": ended,
            "queued": queue.pending,
            "dropped": queue.dropped,
            "failed": running.failed,
            "sampled_out": running.sampled_out,
        },
        guard_errors=dict(guarding.errors),
        redactions=running.completer.policy.redactions,
        overhead={"consumer_seconds": running.consumer_seconds, "consumer_spans": float(queue.consumed)},
        dormant_patches=list(patches.dormant),
    )


def _shown(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_masked(item) if isinstance(item, str) else type(item).__name__ for item in value]
    if isinstance(value, dict):
        return {name: "…" if _SECRET.search(name) else item for name, item in value.items()}
    return _masked(value) if isinstance(value, str) else value


def _masked(text: str) -> str:
    """A URL without the user and password in it."""
    return re.sub(r"//[^/@\s]*@", "//…@", text)
