"""Read traces: records become traces that people and tests can read. Names load on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk._lazy import make_lazy

if TYPE_CHECKING:
    from agentops_sdk.traces.cost import Cost as Cost
    from agentops_sdk.traces.decisions.model import Decision as Decision
    from agentops_sdk.traces.files import Traces as Traces
    from agentops_sdk.traces.places import load as load
    from agentops_sdk.traces.record import SpanRecord as SpanRecord
    from agentops_sdk.traces.session import Session as Session
    from agentops_sdk.traces.session import sessions as sessions
    from agentops_sdk.traces.trace import Trace as Trace
    from agentops_sdk.traces.usage import Usage as Usage

__all__ = ["Cost", "Decision", "Session", "SpanRecord", "Trace", "Traces", "Usage", "load", "sessions"]
make_lazy(
    __name__,
    {
        "cost": "Cost",
        "decisions.model": "Decision",
        "files": "Traces",
        "places": "load",
        "record": "SpanRecord",
        "session": "Session sessions",
        "trace": "Trace",
        "usage": "Usage",
    },
)
