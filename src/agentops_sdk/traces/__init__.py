"""The read side: records become traces that people and tests can read. Names load on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentops_sdk.traces.cost import Cost
    from agentops_sdk.traces.decision import Decision
    from agentops_sdk.traces.files import Traces, load
    from agentops_sdk.traces.record import SpanRecord
    from agentops_sdk.traces.trace import Trace
    from agentops_sdk.traces.usage import Usage

__all__ = ["Cost", "Decision", "SpanRecord", "Trace", "Traces", "Usage", "load"]

_HOME = {
    "Cost": "cost",
    "Decision": "decision",
    "SpanRecord": "record",
    "Trace": "trace",
    "Traces": "files",
    "Usage": "usage",
    "load": "files",
}


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
