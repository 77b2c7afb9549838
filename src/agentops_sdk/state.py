"""The SDK's own state at one moment as plain data: what :class:`~agentops_sdk.status.Status` is made of.

Apart from the models: ``init()`` takes the state, and whoever never looks at it never loads pydantic.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk._host import guard as guarding
from agentops_sdk._host import patches
from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk._limits import pauses
from agentops_sdk._pipeline import known_libraries, process_runtime
from agentops_sdk._recorder.open_spans import open_runs
from agentops_sdk.addresses import without_secrets
from agentops_sdk.config import Settings, rows
from agentops_sdk.key_source import KeySource

if TYPE_CHECKING:
    from agentops_sdk._pipeline.registry import Installed
    from agentops_sdk._pipeline.runtime import Runtime
    from agentops_sdk._pipeline.sinks import Sink

__all__ = ["CAPTURING", "MOST_RUNS", "description", "state"]

CAPTURING: Final = ("patched", "waiting for import", "version untested")
MOST_RUNS: Final = 100
_SECRET = lazy_pattern(r"key|token|secret|password|auth", re.IGNORECASE)


def description(running: Runtime, settings: Settings) -> dict[str, Any]:
    """What is said of the process by ``settings``: the field of a ``Status`` for which files are read."""
    return {"resource": _shown(running.described_by(settings))}


def state(*, described: bool = True) -> dict[str, Any]:
    """The fields of a ``Status``, right now.

    Without ``described`` that of :func:`description` is left for later, and for each integration there is what tells
    of it: both look into files.
    """
    running, settings = process_runtime.current, process_runtime.settings_in_force()
    if running is None:
        return {
            "enabled": False,
            "settings": _settings(settings) if settings is not None else {},
            "guard_errors": dict(guarding.errors),
            "dormant_patches": list(patches.dormant),
        }
    settings_now = _settings(running.settings)
    resource = description(running, running.settings) if described or running.is_described_by_program else {}
    if running.is_described_by_program and semconv.SERVICE_NAME in resource["resource"]:
        own = "the program's own TracerProvider"
        settings_now["service_name"] = {"value": resource["resource"][semconv.SERVICE_NAME], "origin": own}
    queue = running.queue
    opened = len(running.recorder.open)
    ended = queue.consumed + queue.pending + queue.dropped
    sinks, signals = _sinks(running.sinks), _sinks(running.signals.sinks)
    for sink in running.sinks:
        if (events := sink.event_account()) is not None:
            signals[f"events {sink.name}"] = _sink(events)
    return {
        "enabled": running.settings.enabled,
        "uptime": time.time() - running.started_at,
        "settings": settings_now,
        **resource,
        "integrations": {
            installed.integration.name: installed.told() if described else installed.moment()
            for installed in running.integrations
        },
        "not_captured": known_libraries.imported(
            (installed.integration.target, partial(_captures, installed)) for installed in running.integrations
        ),
        "sinks": sinks,
        "signals": signals,
        "closed_sinks": {name: _sink(account) for name, account in running.closed_sinks.items()},
        "spans": {
            "started": ended + opened,
            "open": opened,
            "ended": ended,
            "queued": queue.pending,
            "dropped": queue.dropped,
            "failed": running.failed,
            "sampled_out": running.sampled_out,
            "undecided": len(running.held_runs),
        },
        "runs": [
            {"name": run.name, "trace_id": run.trace_id, "age": run.age, "open_spans": run.spans}
            for run in open_runs(running.recorder.open, running.open_spans.policy.withholding, MOST_RUNS)
        ],
        "paused": sorted(name or "*" for name in pauses.why()),
        "guard_errors": dict(guarding.errors),
        "redactions": running.completer.policy.redactions,
        "withheld": running.completer.policy.withheld,
        "metric_overflow": dict(running.signals.metrics.store.overflowed),
        "overhead": {"consumer_seconds": running.consumer_seconds, "consumer_spans": float(queue.consumed)},
        "dormant_patches": list(patches.dormant),
    }  # fmt: skip


def _captures(installed: Installed) -> bool:
    return installed.state in CAPTURING


def _sinks(sinks: Iterable[Sink]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for number, sink in enumerate(sinks):
        named[sink.name if sink.name not in named else f"{sink.name}#{number}"] = _sink(
            sink.account(), exports=sink.exports, export_seconds=sink.seconds
        )
    return named


def _sink(account: dict[str, Any], **more: Any) -> dict[str, Any]:
    dropped = account["dropped"]  # by reasons, among them names of exceptions: a KeyError is no key
    return {**_shown(account), "dropped": dropped, "lost": sum(dropped.values()), **more}


def _settings(settings: Settings) -> dict[str, Any]:
    return {
        row.name: {
            "value": _shown(getattr(settings, row.name)),
            "origin": settings.origins.get(row.name, "default"),
        }
        for row in rows()
    }


def _shown(value: Any) -> Any:
    """A value without keys, passwords and tokens: by the name it stands under, and inside of addresses."""
    if isinstance(value, tuple | list):
        return [_shown(item) if isinstance(item, str | int | float) else type(item).__name__ for item in value]
    if isinstance(value, dict):
        return {name: "…" if _SECRET.search(str(name)) else _shown(item) for name, item in value.items()}
    if isinstance(value, KeySource):
        return value.shown
    return without_secrets(value) if isinstance(value, str) else value
