"""Every metric this package makes, once: its names in both states of the conventions, unit, buckets and attributes.

Names under ``gen_ai.*`` and ``mcp.*`` are those of the OpenTelemetry GenAI semantic conventions, names under
``agentops.*`` are ours. To add a metric, add a row here and say in ``_pipeline/measurements.py`` what it measures.
"""

from __future__ import annotations

from typing import Final, Literal

from agentops_sdk import semconv

__all__ = ["ROWS", "MetricRow", "name_in"]

_SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_AGENT_SECONDS: Final = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6)
_WORKFLOW_SECONDS: Final = (1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)
_MCP_SECONDS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)
_TOKENS: Final = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
_CALLS: Final = (1, 2, 4, 8, 16, 32, 64, 128)


class MetricRow:
    """One metric.

    Attributes:
        pin: its name in the conventions' pin state; ``None`` where that has no such metric.
        main: the same in the main state.
        unit: as the conventions write it.
        description: one sentence.
        attributes: names of what its series differ by, in the order in which values are given.
        buckets: the upper bounds of a histogram's; ``None`` for a counter.
        whole: whether its values are whole numbers.
    """

    __slots__ = ("attributes", "buckets", "description", "main", "pin", "unit", "whole")

    def __init__(
        self,
        pin: str | None,
        main: str | None,
        unit: str,
        description: str,
        attributes: tuple[str, ...],
        buckets: tuple[float, ...] | None = None,
        whole: bool = False,
    ) -> None:
        self.pin, self.main, self.unit, self.description = pin, main, unit, description
        self.attributes, self.buckets, self.whole = attributes, buckets, whole


State = Literal["pin", "main"]


def name_in(row: MetricRow, state: str) -> str | None:
    """What a metric is called in a state of the conventions; ``None`` where it has no such metric."""
    return row.main if state == "main" else row.pin


_MODEL: Final = (
    semconv.OPERATION_NAME, semconv.PROVIDER_NAME, semconv.REQUEST_MODEL, semconv.RESPONSE_MODEL,
    semconv.SERVER_ADDRESS, semconv.SERVER_PORT,
)  # fmt: skip
_OURS: Final = (*_MODEL, semconv.USAGE_SOURCE)
_MCP: Final = (
    semconv.MCP_METHOD_NAME, semconv.OPERATION_NAME, semconv.TOOL_NAME, semconv.PROMPT_NAME,
    semconv.MCP_PROTOCOL_VERSION, semconv.NETWORK_TRANSPORT, semconv.NETWORK_PROTOCOL_NAME,
    semconv.NETWORK_PROTOCOL_VERSION, semconv.RPC_RESPONSE_STATUS_CODE, semconv.ERROR_TYPE,
)  # fmt: skip
_MCP_SESSION: Final = (
    semconv.MCP_PROTOCOL_VERSION, semconv.NETWORK_TRANSPORT, semconv.NETWORK_PROTOCOL_NAME,
    semconv.NETWORK_PROTOCOL_VERSION, semconv.ERROR_TYPE,
)  # fmt: skip
_SERVER: Final = (semconv.SERVER_ADDRESS, semconv.SERVER_PORT)

# --- model calls -----------------------------------------------------------------------------
INFERENCE_DURATION: Final = MetricRow(
    "gen_ai.client.operation.duration", "gen_ai.client.inference.duration", "s",
    "Duration of an inference operation.", (*_MODEL, semconv.ERROR_TYPE), _SECONDS,
)  # fmt: skip
OPERATION_DURATION: Final = MetricRow(
    "gen_ai.client.operation.duration", "gen_ai.client.operation.duration", "s",
    "Duration of a GenAI operation.", (*_MODEL, semconv.ERROR_TYPE), _SECONDS,
)  # fmt: skip
TIME_TO_FIRST_CHUNK: Final = MetricRow(
    "gen_ai.client.operation.time_to_first_chunk", "gen_ai.client.inference.time_to_first_chunk", "s",
    "Time from a streaming request to the first chunk of its reply.", _MODEL, _SECONDS,
)  # fmt: skip
TIME_PER_OUTPUT_CHUNK: Final = MetricRow(
    "gen_ai.client.operation.time_per_output_chunk", "gen_ai.client.inference.time_per_output_chunk", "s",
    "Time from one chunk of a reply to the next, for each after the first.", _MODEL, _SECONDS,
)  # fmt: skip
TOKEN_USAGE: Final = MetricRow(
    "gen_ai.client.token.usage", None, "{token}",
    "Input and output tokens used.", (*_OURS, semconv.TOKEN_TYPE), _TOKENS, whole=True,
)  # fmt: skip
INPUT_TOKENS: Final = MetricRow(
    None, "gen_ai.client.inference.operation.input_tokens", "{token}",
    "Input tokens used by an inference operation.", (*_OURS, semconv.ERROR_TYPE), _TOKENS, whole=True,
)  # fmt: skip
OUTPUT_TOKENS: Final = MetricRow(
    None, "gen_ai.client.inference.operation.output_tokens", "{token}",
    "Output tokens used by an inference operation.", (*_OURS, semconv.ERROR_TYPE), _TOKENS, whole=True,
)  # fmt: skip
USAGE_INPUT: Final = MetricRow(
    None, "gen_ai.client.inference.usage.input_tokens", "{token}",
    "Input tokens used, those from a cache among them.", (*_OURS, semconv.TOKEN_MODALITY), whole=True,
)  # fmt: skip
USAGE_OUTPUT: Final = MetricRow(
    None, "gen_ai.client.inference.usage.output_tokens", "{token}",
    "Output tokens used, those for reasoning among them.", (*_OURS, semconv.TOKEN_MODALITY), whole=True,
)  # fmt: skip
USAGE_CACHE_READ: Final = MetricRow(
    None, "gen_ai.client.inference.usage.cache_read.input_tokens", "{token}",
    "Input tokens read from a provider's cache.", (*_OURS, semconv.TOKEN_MODALITY), whole=True,
)  # fmt: skip
USAGE_CACHE_WRITE: Final = MetricRow(
    None, "gen_ai.client.inference.usage.cache_write.input_tokens", "{token}",
    "Input tokens written to a provider's cache.", (*_OURS, semconv.TOKEN_MODALITY), whole=True,
)  # fmt: skip
USAGE_REASONING: Final = MetricRow(
    None, "gen_ai.client.inference.usage.reasoning.output_tokens", "{token}",
    "Output tokens used for reasoning.", (*_OURS, semconv.TOKEN_MODALITY), whole=True,
)  # fmt: skip

# --- agents, workflows, tools ------------------------------------------------------------------
AGENT_DURATION: Final = MetricRow(
    "gen_ai.invoke_agent.duration", "gen_ai.invoke_agent.duration", "s",
    "Duration of one invocation of an agent.",
    (semconv.AGENT_NAME, semconv.REQUEST_MODEL, semconv.ERROR_TYPE), _AGENT_SECONDS,
)  # fmt: skip
AGENT_INFERENCE_CALLS: Final = MetricRow(
    "gen_ai.invoke_agent.inference_calls", "gen_ai.invoke_agent.inference_calls", "{inference_call}",
    "Model calls that one invocation of an agent made itself.", (semconv.AGENT_NAME,), _CALLS, whole=True,
)  # fmt: skip
AGENT_TOOL_CALLS: Final = MetricRow(
    "gen_ai.invoke_agent.tool_calls", "gen_ai.invoke_agent.tool_calls", "{tool_call}",
    "Tool calls that one invocation of an agent made itself.", (semconv.AGENT_NAME,), _CALLS, whole=True,
)  # fmt: skip
WORKFLOW_DURATION: Final = MetricRow(
    "gen_ai.invoke_workflow.duration", "gen_ai.invoke_workflow.duration", "s",
    "Duration of one run of a workflow.", (semconv.WORKFLOW_NAME, semconv.ERROR_TYPE), _WORKFLOW_SECONDS,
)  # fmt: skip
TOOL_DURATION: Final = MetricRow(
    "gen_ai.execute_tool.duration", "gen_ai.execute_tool.duration", "s",
    "Duration of one execution of a tool.",
    (semconv.TOOL_NAME, semconv.TOOL_TYPE, semconv.AGENT_NAME, semconv.ERROR_TYPE), _SECONDS,
)  # fmt: skip

# --- MCP -----------------------------------------------------------------------------------------
MCP_CLIENT_DURATION: Final = MetricRow(
    "mcp.client.operation.duration", "mcp.client.operation.duration", "s",
    "Duration of an MCP request as its sender saw it.", (*_MCP, *_SERVER), _MCP_SECONDS,
)  # fmt: skip
MCP_SERVER_DURATION: Final = MetricRow(
    "mcp.server.operation.duration", "mcp.server.operation.duration", "s",
    "Duration of an MCP request as its receiver saw it.", _MCP, _MCP_SECONDS,
)  # fmt: skip
MCP_CLIENT_SESSION: Final = MetricRow(
    "mcp.client.session.duration", "mcp.client.session.duration", "s",
    "Duration of an MCP session as its client saw it.", (*_MCP_SESSION, *_SERVER), _MCP_SECONDS,
)  # fmt: skip
MCP_SERVER_SESSION: Final = MetricRow(
    "mcp.server.session.duration", "mcp.server.session.duration", "s",
    "Duration of an MCP session as its server saw it.", _MCP_SESSION, _MCP_SECONDS,
)  # fmt: skip

# --- ours ------------------------------------------------------------------------------------------
SPANS: Final = MetricRow(
    "agentops.spans", "agentops.spans", "{span}", "Spans by kind and outcome.",
    (semconv.KIND, semconv.OUTCOME), whole=True,
)  # fmt: skip
COST: Final = MetricRow(
    "agentops.cost", "agentops.cost", "{cost}", "Cost of calls whose price is known, in its currency.",
    (*_MODEL, semconv.COST_CURRENCY, semconv.COST_ESTIMATED),
)  # fmt: skip
COST_UNKNOWN: Final = MetricRow(
    "agentops.cost.unknown_calls", "agentops.cost.unknown_calls", "{call}", "Model calls whose cost is not known.",
    _MODEL, whole=True,
)  # fmt: skip
DECISIONS: Final = MetricRow(
    "agentops.decisions", "agentops.decisions", "{decision}", "Decisions by what was decided, by whom, and how.",
    (semconv.DECISION_NAME, semconv.DECISION_BY, semconv.DECISION_CHOSEN), whole=True,
)  # fmt: skip
DECISION_CONFIDENCE: Final = MetricRow(
    "agentops.decision.confidence", "agentops.decision.confidence", "1",
    "How sure a decision was, where that was said.",
    (semconv.DECISION_NAME, semconv.DECISION_BY), (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99),
)  # fmt: skip

ROWS: Final = tuple(value for value in globals().copy().values() if isinstance(value, MetricRow))
"""Every metric."""
