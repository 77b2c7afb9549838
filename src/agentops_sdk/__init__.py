"""Know what every agent did, why, and what it cost: OpenTelemetry tracing for LLM agents in two lines.

Importing this does nothing, and looking at it does not either: names load their modules when they are used.

PYTEST_DONT_REWRITE: pytest finds it imported already where ``agentops run`` began it, and would warn of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk._lazy import make_lazy

if TYPE_CHECKING:
    from agentops_sdk._pipeline.flush_result import FlushResult as FlushResult
    from agentops_sdk.alerts import Alert as Alert
    from agentops_sdk.alerts import alert as alert
    from agentops_sdk.breaker import Breaker as Breaker
    from agentops_sdk.breaker import breaker as breaker
    from agentops_sdk.context import context as context
    from agentops_sdk.context import extract as extract
    from agentops_sdk.context import handoff as handoff
    from agentops_sdk.context import inject as inject
    from agentops_sdk.context import private as private
    from agentops_sdk.control import pause as pause
    from agentops_sdk.control import resume as resume
    from agentops_sdk.decision import decide as decide
    from agentops_sdk.decision import decision as decision
    from agentops_sdk.experiments.experiment_run import Experiment as Experiment
    from agentops_sdk.experiments.experiment_run import experiment as experiment
    from agentops_sdk.fallback import fallback as fallback
    from agentops_sdk.feedback import feedback as feedback
    from agentops_sdk.health import Health as Health
    from agentops_sdk.health import health as health
    from agentops_sdk.lifecycle import configure as configure
    from agentops_sdk.lifecycle import flush as flush
    from agentops_sdk.lifecycle import init as init
    from agentops_sdk.lifecycle import shutdown as shutdown
    from agentops_sdk.limits import limits as limits
    from agentops_sdk.middleware import ASGIMiddleware as ASGIMiddleware
    from agentops_sdk.middleware import WSGIMiddleware as WSGIMiddleware
    from agentops_sdk.prices.pricing import warm_tokenizers as warm_tokenizers
    from agentops_sdk.prompts.prompt import prompt as prompt
    from agentops_sdk.serve import serve_status as serve_status
    from agentops_sdk.serve import status_app as status_app
    from agentops_sdk.spans import Span as Span
    from agentops_sdk.spans import current_span as current_span
    from agentops_sdk.spans import current_trace_id as current_trace_id
    from agentops_sdk.spans import span as span
    from agentops_sdk.spans import update_current_span as update_current_span
    from agentops_sdk.status import Status as Status
    from agentops_sdk.status import status as status
    from agentops_sdk.track import agent as agent
    from agentops_sdk.track import guardrail as guardrail
    from agentops_sdk.track import memory as memory
    from agentops_sdk.track import retriever as retriever
    from agentops_sdk.track import task as task
    from agentops_sdk.track import tool as tool
    from agentops_sdk.track import track as track
    from agentops_sdk.track import workflow as workflow
    from agentops_sdk.variant import variant as variant

make_lazy(
    __name__,
    {
        "_pipeline.flush_result": "FlushResult",
        "alerts": "Alert alert",
        "breaker": "Breaker breaker",
        "context": "context extract handoff inject private",
        "control": "pause resume",
        "decision": "decide decision",
        "experiments.experiment_run": "Experiment experiment",
        "fallback": "fallback",
        "feedback": "feedback",
        "health": "Health health",
        "lifecycle": "configure flush init shutdown",
        "limits": "limits",
        "middleware": "ASGIMiddleware WSGIMiddleware",
        "prices.pricing": "warm_tokenizers",
        "prompts.prompt": "prompt",
        "serve": "serve_status status_app",
        "spans": "Span current_span current_trace_id span trace update_current_span",
        "status": "Status status",
        "track": "agent guardrail memory operation retriever task tool track workflow",
        "variant": "variant",
    },
    apps=("status_app",),
)

from agentops_sdk import experiments as experiments  # noqa: E402 - each is as lazy as this package
from agentops_sdk import prices as prices  # noqa: E402 - the same
from agentops_sdk import testing as testing  # noqa: E402 - the same
from agentops_sdk import traces as traces  # noqa: E402 - the same
from agentops_sdk._version import __version__ as __version__  # noqa: E402 - the same
from agentops_sdk.errors import AgentOpsError as AgentOpsError  # noqa: E402 - the same
from agentops_sdk.errors import BreakerOpen as BreakerOpen  # noqa: E402 - the same
from agentops_sdk.errors import ConfigError as ConfigError  # noqa: E402 - the same
from agentops_sdk.errors import IntegrationError as IntegrationError  # noqa: E402 - the same
from agentops_sdk.errors import LimitExceeded as LimitExceeded  # noqa: E402 - the same
from agentops_sdk.errors import Paused as Paused  # noqa: E402 - the same
from agentops_sdk.errors import TraceError as TraceError  # noqa: E402 - the same

__all__ = [
    "ASGIMiddleware",
    "AgentOpsError",
    "Alert",
    "Breaker",
    "BreakerOpen",
    "ConfigError",
    "Experiment",
    "FlushResult",
    "Health",
    "IntegrationError",
    "LimitExceeded",
    "Paused",
    "Span",
    "Status",
    "TraceError",
    "WSGIMiddleware",
    "agent",
    "alert",
    "breaker",
    "configure",
    "context",
    "current_span",
    "current_trace_id",
    "decide",
    "decision",
    "experiment",
    "experiments",
    "extract",
    "fallback",
    "feedback",
    "flush",
    "guardrail",
    "handoff",
    "health",
    "init",
    "inject",
    "limits",
    "memory",
    "pause",
    "prices",
    "private",
    "prompt",
    "resume",
    "retriever",
    "serve_status",
    "shutdown",
    "span",
    "status",
    "status_app",
    "task",
    "testing",
    "tool",
    "traces",
    "track",
    "update_current_span",
    "variant",
    "warm_tokenizers",
    "workflow",
]
