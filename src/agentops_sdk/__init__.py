"""Know what every agent did, why, and what it cost: OpenTelemetry tracing for LLM agents in two lines.

Importing this does nothing: names load their modules when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk._lazy import make_lazy

if TYPE_CHECKING:
    from agentops_sdk import prices as prices
    from agentops_sdk import testing as testing
    from agentops_sdk import traces as traces
    from agentops_sdk._pipeline.flushed import FlushResult as FlushResult
    from agentops_sdk._version import __version__ as __version__
    from agentops_sdk.context import context as context
    from agentops_sdk.context import extract as extract
    from agentops_sdk.context import handoff as handoff
    from agentops_sdk.context import inject as inject
    from agentops_sdk.decision import decide as decide
    from agentops_sdk.decision import decision as decision
    from agentops_sdk.errors import AgentOpsError as AgentOpsError
    from agentops_sdk.errors import ConfigError as ConfigError
    from agentops_sdk.errors import IntegrationError as IntegrationError
    from agentops_sdk.errors import TraceError as TraceError
    from agentops_sdk.feedback import feedback as feedback
    from agentops_sdk.health import Health as Health
    from agentops_sdk.health import health as health
    from agentops_sdk.lifecycle import configure as configure
    from agentops_sdk.lifecycle import flush as flush
    from agentops_sdk.lifecycle import init as init
    from agentops_sdk.lifecycle import shutdown as shutdown
    from agentops_sdk.prices import warm_tokenizers as warm_tokenizers
    from agentops_sdk.serve import serve_status as serve_status
    from agentops_sdk.serve import status_app as status_app
    from agentops_sdk.spans import Span as Span
    from agentops_sdk.spans import current_span as current_span
    from agentops_sdk.spans import current_trace_id as current_trace_id
    from agentops_sdk.spans import span as span
    from agentops_sdk.spans import trace as trace
    from agentops_sdk.spans import update_current_span as update_current_span
    from agentops_sdk.status import Status as Status
    from agentops_sdk.status import status as status
    from agentops_sdk.track import agent as agent
    from agentops_sdk.track import guardrail as guardrail
    from agentops_sdk.track import operation as operation
    from agentops_sdk.track import retriever as retriever
    from agentops_sdk.track import task as task
    from agentops_sdk.track import tool as tool
    from agentops_sdk.track import track as track
    from agentops_sdk.track import workflow as workflow

# Every public name and the module it lives in; "" marks the modules themselves.
_HOMES = {
    "AgentOpsError": "errors",
    "ConfigError": "errors",
    "FlushResult": "_pipeline.flushed",
    "Health": "health",
    "IntegrationError": "errors",
    "Span": "spans",
    "Status": "status",
    "TraceError": "errors",
    "__version__": "_version",
    "agent": "track",
    "configure": "lifecycle",
    "context": "context",
    "current_span": "spans",
    "current_trace_id": "spans",
    "decide": "decision",
    "decision": "decision",
    "extract": "context",
    "feedback": "feedback",
    "flush": "lifecycle",
    "guardrail": "track",
    "handoff": "context",
    "health": "health",
    "init": "lifecycle",
    "inject": "context",
    "operation": "track",
    "prices": "",
    "retriever": "track",
    "serve_status": "serve",
    "shutdown": "lifecycle",
    "span": "spans",
    "status": "status",
    "status_app": "serve",
    "task": "track",
    "testing": "",
    "tool": "track",
    "trace": "spans",
    "traces": "",
    "track": "track",
    "update_current_span": "spans",
    "warm_tokenizers": "prices",
    "workflow": "track",
}

__all__ = [name for name in _HOMES if name != "__version__"]  # pyright: ignore[reportUnsupportedDunderAll]
make_lazy(__name__, _HOMES)
