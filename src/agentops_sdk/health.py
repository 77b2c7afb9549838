"""health(): is the SDK doing its work? One verdict, the reasons, and each check by itself."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from agentops_sdk._pipeline import process_runtime
from agentops_sdk.status import SinkStatus, Status, status

__all__ = ["Check", "Health", "health"]

Verdict = Literal["ok", "degraded", "failing"]
_FULL = 0.8


class Check(BaseModel):
    """One thing that was looked at."""

    status: Verdict = "ok"
    detail: str = ""


class Health(BaseModel):
    """``failing``: spans reach nobody. ``degraded``: something was lost, waits, or could not be set up."""

    status: Verdict
    reasons: list[str] = Field(default_factory=list)
    checks: dict[str, Check] = Field(default_factory=dict)

    def __str__(self) -> str:
        return "\n".join([self.status, *(f"  {reason}" for reason in self.reasons)])


def health() -> Health:
    """The health of the SDK, for orchestrators. Never raises and does no network I/O."""
    now = status()
    checks: dict[str, Check] = {}
    if now.enabled:
        checks["queue"] = _queue(now)
        for name, sink in now.sinks.items():
            checks[f"sink {name}"] = _sink(sink, "spans")
        for name, sink in now.signals.items():
            checks[name] = _sink(sink, "data points" if name.startswith("metrics ") else "events")
        if now.sinks and all(sink.failing for sink in now.sinks.values()):
            checks["delivery"] = Check(status="failing", detail="no sink can deliver")
        if not now.sinks and now.settings["exporters"].value:
            checks["delivery"] = Check(status="failing", detail="no sink could be made: see the log")
        for name, integration in now.integrations.items():
            if integration.state in ("failed", "version untested", "version too old"):
                checks[f"integration {name}"] = Check(
                    status="degraded", detail=f"{integration.state}: {integration.reason}"
                )
        if now.guard_errors:
            total = sum(now.guard_errors.values())
            checks["contained errors"] = Check(status="degraded", detail=f"{total} at {', '.join(now.guard_errors)}")
    else:
        checks["enabled"] = Check(detail="off: nothing is recorded")
    reasons = [f"{name}: {check.detail}" for name, check in checks.items() if check.status != "ok"]
    verdicts = {check.status for check in checks.values()}
    verdict: Verdict = "failing" if "failing" in verdicts else "degraded" if "degraded" in verdicts else "ok"
    return Health(status=verdict, reasons=reasons, checks=checks)


def _queue(now: Status) -> Check:
    running = process_runtime.current
    if running is None:
        return Check()
    queued, dropped = now.spans["queued"], now.spans["dropped"]
    thread = running.queue.thread
    if queued and thread is not None and not thread.is_alive():
        return Check(status="failing", detail=f"the consumer thread is gone, {queued} spans wait")
    if dropped:
        return Check(status="degraded", detail=f"{dropped} spans dropped, the queue was full")
    if queued > running.queue.limit * _FULL:
        return Check(status="degraded", detail=f"{queued} of {running.queue.limit} places taken")
    return Check(detail=f"{queued} waiting")


def _sink(sink: SinkStatus, items: str) -> Check:
    if sink.failing:
        waiting = f"; {sink.pending} {items} wait" if sink.pending else ""
        reasons = dict.fromkeys(filter(None, (sink.last_error, sink.details.get("disk_error"))))
        reason = "; ".join(reasons) or "export failed"
        return Check(status="degraded", detail=f"{reason}{waiting}")
    if sink.lost:
        lost = ", ".join(f"{reason} {count}" for reason, count in sink.dropped.items())
        return Check(status="degraded", detail=f"{sink.lost} {items} lost ({lost})")
    return Check(detail=f"{sink.exported} exported, {sink.pending} pending")
