"""Every attribute, span, event and metric name this package writes or reads, once.

Names under ``gen_ai.*``, ``server.*``, ``error.*`` and ``openai.*`` are those of the OpenTelemetry
GenAI semantic conventions (state of August 2026, the one the official conformance runner pins).
Names under ``agentops.*`` are ours; each is documented in ``docs/conventions.md``.

Long because it is a table.
"""

from __future__ import annotations

from typing import Final

from agentops_sdk._named_tuple import NamedTuple

_content: list[str] = []
_structured: list[str] = []


def _holds(name: str, *, content: bool = False, structure: bool = False) -> str:
    """The name of an attribute, and what its values are: what people or models wrote, a structure as JSON text."""
    if content:
        _content.append(name)
    if structure:
        _structured.append(name)
    return name


# --- GenAI: the operation ------------------------------------------------------------------
OPERATION_NAME: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
CONVERSATION_ID: Final = "gen_ai.conversation.id"
OUTPUT_TYPE: Final = "gen_ai.output.type"
INPUT_MESSAGES: Final = _holds("gen_ai.input.messages", content=True, structure=True)
OUTPUT_MESSAGES: Final = _holds("gen_ai.output.messages", content=True, structure=True)
SYSTEM_INSTRUCTIONS: Final = _holds("gen_ai.system_instructions", content=True, structure=True)

AGENT_ID: Final = "gen_ai.agent.id"
AGENT_NAME: Final = "gen_ai.agent.name"
AGENT_DESCRIPTION: Final = "gen_ai.agent.description"
AGENT_VERSION: Final = "gen_ai.agent.version"
WORKFLOW_NAME: Final = "gen_ai.workflow.name"
DATA_SOURCE_ID: Final = "gen_ai.data_source.id"
CONVERSATION_COMPACTED: Final = "gen_ai.conversation.compacted"
MEMORY_STORE_ID: Final = "gen_ai.memory.store.id"
MEMORY_RECORD_ID: Final = "gen_ai.memory.record.id"
MEMORY_RECORD_COUNT: Final = "gen_ai.memory.record.count"
MEMORY_RECORDS: Final = _holds("gen_ai.memory.records", content=True, structure=True)
MEMORY_QUERY: Final = _holds("gen_ai.memory.query.text", content=True)
PROMPT_VARIABLE_PREFIX: Final = "gen_ai.prompt.variable."
PROMPT_NAME: Final = "gen_ai.prompt.name"
PROMPT_VERSION: Final = "gen_ai.prompt.version"

# --- GenAI: request ------------------------------------------------------------------------
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_CHOICE_COUNT: Final = "gen_ai.request.choice.count"
REQUEST_ENCODING_FORMATS: Final = "gen_ai.request.encoding_formats"
REQUEST_FREQUENCY_PENALTY: Final = "gen_ai.request.frequency_penalty"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
REQUEST_PRESENCE_PENALTY: Final = "gen_ai.request.presence_penalty"
REQUEST_PREVIOUS_RESPONSE_ID: Final = "gen_ai.request.previous_response.id"
REQUEST_REASONING_LEVEL: Final = "gen_ai.request.reasoning.level"
REQUEST_SEED: Final = "gen_ai.request.seed"
REQUEST_STOP_SEQUENCES: Final = "gen_ai.request.stop_sequences"
REQUEST_STREAM_CURSOR: Final = "gen_ai.request.stream_cursor"
REQUEST_STREAM: Final = "gen_ai.request.stream"
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
REQUEST_TOP_K: Final = "gen_ai.request.top_k"
REQUEST_TOP_P: Final = "gen_ai.request.top_p"

# --- GenAI: response -----------------------------------------------------------------------
RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_STATUS: Final = "gen_ai.response.status"
RESPONSE_TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
EMBEDDINGS_DIMENSION_COUNT: Final = "gen_ai.embeddings.dimension.count"
TOKEN_TYPE: Final = "gen_ai.token.type"  # noqa: S105 - a name, no token
TOKEN_MODALITY: Final = "gen_ai.token.modality"  # noqa: S105 - the same

# --- GenAI: usage (tokens) -----------------------------------------------------------------
USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
USAGE_CACHE_READ: Final = "gen_ai.usage.cache_read.input_tokens"
USAGE_CACHE_CREATION: Final = "gen_ai.usage.cache_creation.input_tokens"
USAGE_CACHE_WRITE: Final = "gen_ai.usage.cache_write.input_tokens"  # the main state's name for the same count
USAGE_REASONING: Final = "gen_ai.usage.reasoning.output_tokens"
# Named by the conventions' main state only; the pin state has no names for them, so ours are written.
USAGE_AUDIO_INPUT: Final = "agentops.usage.audio.input_tokens"
USAGE_AUDIO_OUTPUT: Final = "agentops.usage.audio.output_tokens"
USAGE_AUDIO_CACHE_READ: Final = "agentops.usage.audio.cache_read.input_tokens"
USAGE_IMAGE_INPUT: Final = "agentops.usage.image.input_tokens"
USAGE_IMAGE_CACHE_READ: Final = "agentops.usage.image.cache_read.input_tokens"
USAGE_IMAGE_OUTPUT: Final = "agentops.usage.image.output_tokens"
USAGE_TEXT_INPUT: Final = "agentops.usage.text.input_tokens"
USAGE_TEXT_OUTPUT: Final = "agentops.usage.text.output_tokens"
USAGE_TEXT_CACHE_READ: Final = "agentops.usage.text.cache_read.input_tokens"
MAIN_NAMES: Final = {
    USAGE_CACHE_CREATION: USAGE_CACHE_WRITE,
    **{
        name: name.replace("agentops.", "gen_ai.", 1)
        for name in (
            USAGE_AUDIO_INPUT, USAGE_AUDIO_OUTPUT, USAGE_AUDIO_CACHE_READ, USAGE_IMAGE_INPUT, USAGE_IMAGE_CACHE_READ,
            USAGE_IMAGE_OUTPUT, USAGE_TEXT_INPUT, USAGE_TEXT_OUTPUT, USAGE_TEXT_CACHE_READ,
        )
    },
}  # fmt: skip
"""What the conventions' main state calls otherwise: one table for both directions.

Inside this package every attribute has the name on the left; a span that leaves has the names of the state that the
setting ``semconv`` chooses, and never both; where it chooses none, tokens written to a cache stand under both.
"""
PIN_NAMES: Final = {main: name for name, main in MAIN_NAMES.items()}
STATES: Final = ("pin", "main")
RESPONSE_STATUSES: Final = frozenset(("queued", "in_progress", "completed", "incomplete", "failed", "cancelled"))
"""The values that :data:`RESPONSE_STATUS` has; other words, of batches and runs, stand under :data:`WORK_STATUS`."""
OUTPUT_TYPES: Final = frozenset(("text", "json", "image", "speech"))
"""The values that :data:`OUTPUT_TYPE` has."""

# --- GenAI: tools, retrieval, evaluation ---------------------------------------------------
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_DESCRIPTION: Final = "gen_ai.tool.description"
TOOL_DEFINITIONS: Final = _holds("gen_ai.tool.definitions", structure=True)
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
TOOL_CALL_ARGUMENTS: Final = _holds("gen_ai.tool.call.arguments", content=True)
TOOL_CALL_RESULT: Final = _holds("gen_ai.tool.call.result", content=True)
RETRIEVAL_QUERY: Final = _holds("gen_ai.retrieval.query.text", content=True, structure=True)
RETRIEVAL_DOCUMENTS: Final = _holds("gen_ai.retrieval.documents", content=True, structure=True)
RETRIEVAL_TOP_K: Final = "gen_ai.retrieval.top_k"
DB_SYSTEM_NAME: Final = "db.system.name"
DB_OPERATION_BATCH_SIZE: Final = "db.operation.batch.size"
# Proposed to the conventions, not yet registered.
GUARDRAIL_NAME: Final = "gen_ai.guardrail.component.name"
GUARDRAIL_EVENT: Final = "gen_ai.guardrail.result"
GUARDRAIL_RESULT: Final = "gen_ai.guardrail.result.value"
GUARDRAIL_RESULT_TYPE: Final = "gen_ai.guardrail.result.type"
GUARDRAIL_REASON: Final = "gen_ai.guardrail.result.reason"
GUARDRAIL_POLICY: Final = "gen_ai.guardrail.policy.id"
TOOL_CALL_DECISION_EVENT: Final = "gen_ai.tool.call.decision"
TOOL_CALL_DECISION_OUTCOME: Final = "gen_ai.tool.call.decision.outcome"
DETAILS_EVENT: Final = "gen_ai.client.inference.operation.details"
CLIENT_EXCEPTION_EVENT: Final = "gen_ai.client.operation.exception"
EVALUATION_EVENT: Final = "gen_ai.evaluation.result"
EVALUATION_NAME: Final = "gen_ai.evaluation.name"
EVALUATION_SCORE_VALUE: Final = "gen_ai.evaluation.score.value"
EVALUATION_SCORE_LABEL: Final = "gen_ai.evaluation.score.label"
EVALUATION_EXPLANATION: Final = _holds("gen_ai.evaluation.explanation", content=True)

# --- A2A (proposed) ------------------------------------------------------------------------
A2A_METHOD_NAME: Final = "a2a.method.name"
A2A_PROTOCOL_VERSION: Final = "a2a.protocol.version"
A2A_MESSAGE_ID: Final = "a2a.message.id"
A2A_REFERENCE_TASK_IDS: Final = "a2a.message.reference_task_ids"
A2A_TASK_ID: Final = "a2a.task.id"
A2A_TASK_STATE: Final = "a2a.task.state"
A2A_TENANT: Final = "a2a.tenant"

# --- MCP -----------------------------------------------------------------------------------
MCP_METHOD_NAME: Final = "mcp.method.name"
MCP_PROTOCOL_VERSION: Final = "mcp.protocol.version"
MCP_RESOURCE_URI: Final = "mcp.resource.uri"
MCP_SESSION_ID: Final = "mcp.session.id"
JSONRPC_REQUEST_ID: Final = "jsonrpc.request.id"
RPC_RESPONSE_STATUS_CODE: Final = "rpc.response.status_code"
NETWORK_TRANSPORT: Final = "network.transport"
NETWORK_PROTOCOL_NAME: Final = "network.protocol.name"
NETWORK_PROTOCOL_VERSION: Final = "network.protocol.version"

# --- OpenAI --------------------------------------------------------------------------------
OPENAI_API_TYPE: Final = "openai.api.type"
OPENAI_REQUEST_SERVICE_TIER: Final = "openai.request.service_tier"
OPENAI_RESPONSE_SERVICE_TIER: Final = "openai.response.service_tier"
OPENAI_SYSTEM_FINGERPRINT: Final = "openai.response.system_fingerprint"

# --- General -------------------------------------------------------------------------------
SERVER_ADDRESS: Final = "server.address"
HTTP_REQUEST_METHOD: Final = "http.request.method"
HTTP_RESPONSE_STATUS_CODE: Final = "http.response.status_code"
HTTP_ROUTE: Final = "http.route"
URL_PATH: Final = "url.path"
SERVER_PORT: Final = "server.port"
CLIENT_ADDRESS: Final = "client.address"
CLIENT_PORT: Final = "client.port"
ERROR_TYPE: Final = "error.type"
EXCEPTION_EVENT: Final = "exception"
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"
SESSION_ID: Final = "session.id"
USER_ID: Final = "user.id"
SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
DEPLOYMENT_ENVIRONMENT: Final = "deployment.environment.name"
VCS_REVISION: Final = "vcs.ref.head.revision"
PROCESS_PID: Final = "process.pid"
TELEMETRY_SDK_LANGUAGE: Final = "telemetry.sdk.language"
TELEMETRY_SDK_NAME: Final = "telemetry.sdk.name"
TELEMETRY_SDK_VERSION: Final = "telemetry.sdk.version"
TELEMETRY_DISTRO_NAME: Final = "telemetry.distro.name"
TELEMETRY_DISTRO_VERSION: Final = "telemetry.distro.version"

# --- Ours ----------------------------------------------------------------------------------
KIND: Final = "agentops.kind"
NATIVE_PREFIX: Final = "agentops.native."
WITHHELD: Final = "agentops.withheld"
OUTCOME: Final = "agentops.outcome"
TAGS: Final = "agentops.tags"
VARIANT: Final = "agentops.variant"
METADATA_PREFIX: Final = "agentops.metadata."
PRIVATE: Final = "agentops.private"
CONTENT_EXPIRED: Final = "agentops.content_expired"
INPUT: Final = _holds("agentops.input", content=True, structure=True)
OUTPUT: Final = _holds("agentops.output", content=True, structure=True)
ATTEMPTS: Final = _holds("agentops.attempts", structure=True)
REQUEST_ID: Final = "agentops.request_id"
STREAM_CHUNKS: Final = "agentops.stream.chunks"
MCP_SERVER_NAME: Final = "agentops.mcp.server.name"
MCP_SERVER_VERSION: Final = "agentops.mcp.server.version"
MCP_PROGRESS_EVENT: Final = "agentops.mcp.progress"
MCP_PROGRESS: Final = "agentops.mcp.progress.value"
MCP_PROGRESS_TOTAL: Final = "agentops.mcp.progress.total"
MCP_PROGRESS_MESSAGE: Final = _holds("agentops.mcp.progress.message", content=True)
A2A_AGENT_PROVIDER: Final = "agentops.a2a.agent.provider"
A2A_AGENT_SKILLS: Final = "agentops.a2a.agent.skills"
A2A_AGENT_URL: Final = "agentops.a2a.agent.url"
REALTIME_RESPONSES: Final = "agentops.realtime.responses"
TRUNCATED: Final = "agentops.truncated"
ALTERED: Final = "agentops.altered"
INVALID: Final = "agentops.invalid"
LINK_TYPE: Final = "agentops.link.type"
HANDOFF_EVENT: Final = "agentops.handoff"
HANDOFF_FROM: Final = "agentops.handoff.from"
HANDOFF_TO: Final = "agentops.handoff.to"
HANDOFF_REASON: Final = _holds("agentops.handoff.reason", content=True)
FEEDBACK_TARGET: Final = "agentops.feedback.target"
FEEDBACK_TRACE_ID: Final = "agentops.feedback.trace_id"
FEEDBACK_SPAN_ID: Final = "agentops.feedback.span_id"
INTERNAL: Final = "agentops.internal"
INTERNAL_BEFORE: Final = "agentops.plumbing"  # what older files call it; read, never written
ATTEMPT: Final = "agentops.attempt"
CACHED: Final = "agentops.cached"
FRAMEWORK: Final = "agentops.framework"
MODEL_CALLS: Final = "agentops.model_calls"
INTERRUPTS: Final = _holds("agentops.interrupts", content=True)
LOG_EVENT: Final = "agentops.log"
LOG_BODY: Final = _holds("agentops.log.body", content=True)
LOG_SEVERITY: Final = "agentops.log.severity"
LOG_LOGGER: Final = "agentops.log.logger"
LOG_LINES: Final = "agentops.log.lines"
LOG_LINES_DROPPED: Final = "agentops.log.dropped_lines"
MISSING_SPANS: Final = "agentops.missing_spans"
SAMPLED_ELSEWHERE: Final = "agentops.sampled_elsewhere"

GRAPH_NODE: Final = "agentops.graph.node"
GRAPH_STEP: Final = "agentops.graph.step"
GRAPH_TRIGGERS: Final = "agentops.graph.triggers"
GRAPH_PATH: Final = "agentops.graph.path"
GRAPH_NEXT: Final = "agentops.graph.next"
GRAPH_CHANGES: Final = _holds("agentops.graph.changes", content=True, structure=True)
GRAPH_CHECKPOINT_ID: Final = "agentops.graph.checkpoint.id"
GRAPH_CHECKPOINT_NS: Final = "agentops.graph.checkpoint.ns"
GRAPH_RESUMED_FROM: Final = "agentops.graph.resumed_from.checkpoint.id"

USAGE_SOURCE: Final = "agentops.usage.source"
USAGE_OF: Final = "agentops.usage.of"
WORK_STATUS: Final = "agentops.work.status"
USAGE_TRAINED: Final = "agentops.usage.trained_tokens"
USAGE_CACHE_CREATION_5M: Final = "agentops.usage.cache_creation_5m.input_tokens"
USAGE_CACHE_CREATION_1H: Final = "agentops.usage.cache_creation_1h.input_tokens"
USAGE_CACHE_CREATION_12H: Final = "agentops.usage.cache_creation_12h.input_tokens"
USAGE_ACCEPTED_PREDICTION: Final = "agentops.usage.accepted_prediction.output_tokens"
USAGE_REJECTED_PREDICTION: Final = "agentops.usage.rejected_prediction.output_tokens"
USAGE_TOOL_USE: Final = "agentops.usage.tool_use.input_tokens"
USAGE_VIDEO_INPUT: Final = "agentops.usage.video.input_tokens"
USAGE_AUDIO_SECONDS: Final = "agentops.usage.audio_seconds"
USAGE_WEB_SEARCHES: Final = "agentops.usage.web_searches"
USAGE_SEARCH_UNITS: Final = "agentops.usage.search_units"
USAGE_FILE_SEARCHES: Final = "agentops.usage.file_searches"
USAGE_PAGES: Final = "agentops.usage.pages"
USAGE_ANNOTATED_PAGES: Final = "agentops.usage.annotated_pages"
USAGE_CHARACTERS: Final = "agentops.usage.characters"
USAGE_OTHER_MODELS: Final = "agentops.usage.other_models"
USAGE_SERVICE_TIER: Final = "agentops.usage.service_tier"
USAGE_INFERENCE_GEO: Final = "agentops.usage.inference_geo"
# On agents and workflows, of the calls below them: never under names that readers add up.
RUN_INPUT_TOKENS: Final = "agentops.run.input_tokens"
RUN_OUTPUT_TOKENS: Final = "agentops.run.output_tokens"
RUN_CACHE_READ: Final = "agentops.run.cache_read.input_tokens"
RUN_CACHE_CREATION: Final = "agentops.run.cache_creation.input_tokens"
RUN_REASONING: Final = "agentops.run.reasoning.output_tokens"

COST_AMOUNT: Final = "agentops.cost.amount"
COST_CURRENCY: Final = "agentops.cost.currency"
COST_SOURCE: Final = "agentops.cost.source"
COST_VERSION: Final = "agentops.cost.version"
COST_UNKNOWN_REASON: Final = "agentops.cost.unknown_reason"
COST_ESTIMATED: Final = "agentops.cost.estimated"
COST_TOTAL: Final = "agentops.cost.total"
OPERATION_COST: Final = "operation.cost"

LIMIT: Final = "agentops.limit"
LIMIT_ACTION: Final = "agentops.limit.action"
LIMIT_SPENT: Final = "agentops.limit.spent"
LIMIT_UNKNOWN: Final = "agentops.limit.unknown_calls"
BREAKER_STATE: Final = "agentops.breaker.state"
LIMIT_EVENT: Final = "agentops.limit.level_reached"
FINDING_EVENT: Final = "agentops.finding"
FINDINGS: Final = "agentops.findings"
FINDING_SOURCE: Final = "agentops.finding.source_span_id"
LIMIT_LEVEL: Final = "agentops.limit.level"

DECISION_EVENT: Final = "agentops.decision"
DECISION_NAME: Final = "agentops.decision.name"
STOPS: Final = ("limit", "breaker", "pause")
"""Names of decisions by which a call was not made, where they stand on its own span."""
DECISION_OPTIONS: Final = _holds("agentops.decision.options", structure=True)
DECISION_CHOSEN: Final = "agentops.decision.chosen"
DECISION_REASON: Final = _holds("agentops.decision.reason", content=True)
DECISION_CONFIDENCE: Final = "agentops.decision.confidence"
DECISION_EVIDENCE: Final = _holds("agentops.decision.evidence", content=True)
DECISION_INPUTS: Final = _holds("agentops.decision.inputs", content=True)
DECISION_BY: Final = "agentops.decision.by"
DECISION_BY_NAME: Final = "agentops.decision.by.name"
DECISION_SCORES: Final = "agentops.decision.scores"
DECISION_POLICY: Final = "agentops.decision.policy"
DECISION_REJECTED: Final = _holds("agentops.decision.rejected", content=True)
DECISION_FORCED: Final = "agentops.decision.forced"
DECISION_UNLISTED: Final = "agentops.decision.unlisted"
DECISION_WAITED: Final = "agentops.decision.waited"
DECISION_MODEL: Final = "agentops.decision.model"
DECISION_PROMPT_FINGERPRINT: Final = "agentops.decision.prompt_fingerprint"
PROMPT_FINGERPRINT: Final = "agentops.prompt.fingerprint"
PROMPT_VERSION_NAME: Final = "agentops.prompt.version"
PROMPT_LABELS: Final = "agentops.prompt.labels"
PROMPT_VARIABLES: Final = _holds("agentops.prompt.variables", content=True, structure=True)

EXPERIMENT: Final = "agentops.experiment.name"
EXPERIMENT_RUN: Final = "agentops.experiment.run"
EXPERIMENT_CASE: Final = "agentops.experiment.case"
EXPERIMENT_CASES: Final = "agentops.experiment.cases"
EXPERIMENT_SCORER: Final = "agentops.experiment.scorer"

GENAI_NAMES: Final = frozenset(
    value
    for value in (*globals().values(), *MAIN_NAMES.values())
    if isinstance(value, str) and value.startswith("gen_ai.")
)
"""Every name of the conventions that is written here."""

# --- What the values are ---------------------------------------------------------------------
CONTENT: Final = frozenset(_content)
"""Attributes that hold what people or models wrote; left out when ``capture_content`` is off."""
STRUCTURED: Final = frozenset(_structured)
"""Attributes that hold JSON text: whoever sets them hands over a structure, and the text is made once."""

# --- Values --------------------------------------------------------------------------------
OUTCOMES: Final = ("ok", "error", "cancelled", "abandoned", "interrupted")
NOT_ENDED: Final = ("running", "unfinished")
"""What readers say in place of an outcome: the span's process lives, or is gone."""
USAGE_SOURCES: Final = ("reported", "injected", "counted", "estimated")
PENDING_STATUSES: Final = frozenset(
    ("queued", "in_progress", "validating", "validating_files", "finalizing", "running", "cancelling",
     "requires_action", "paused")
)  # fmt: skip
"""Words of providers for work that goes on in the background."""
REFUSAL_REASONS: Final = frozenset(("content_filter", "refusal", "safety"))
"""Finish reasons by which a reply was refused, by the model or by a filter around it."""
KEPT_BY_PROVIDER: Final = "what the provider keeps and read was not told"
"""Of :data:`COST_UNKNOWN_REASON`: a request goes on from what it does not show, and nobody has told its tokens."""


class SpanKindRow(NamedTuple):
    """What is known of one kind of operation.

    Attributes:
        operation: its usual ``gen_ai.operation.name``.
        prefix: what its span's name begins with.
        named_by: the attribute that holds its name.
        client: whether it is a call to somebody else's service, OpenTelemetry's ``CLIENT``.
        unnamed: whether its span is named by its operation alone: what it has is an id.
        marks: in trees, as Unicode and as ASCII.
        style: in trees; only terminal colours that read well on dark and on light ground.
    """

    operation: str | None = None
    prefix: str | None = None
    named_by: str | None = None
    client: bool = False
    marks: tuple[str, str] = ("·", "-")
    style: str = ""
    unnamed: bool = False


_RUN: Final = (("●", "*"), "bold cyan")
_MODEL: Final = (("◆", "+"), "magenta")
_SOURCE: Final = (("■", "#"), "green")
_CHOICE: Final = (("◇", "?"), "bold")

SPAN_KINDS: Final = {
    "agent": SpanKindRow("invoke_agent", "invoke_agent", AGENT_NAME, False, *_RUN),
    "workflow": SpanKindRow("invoke_workflow", "invoke_workflow", WORKFLOW_NAME, False, *_RUN),
    "task": SpanKindRow(),
    "tool": SpanKindRow("execute_tool", "execute_tool", TOOL_NAME, False, *_SOURCE),
    "llm": SpanKindRow("chat", "chat", REQUEST_MODEL, True, *_MODEL),
    "embedding": SpanKindRow("embeddings", "embeddings", REQUEST_MODEL, True, *_MODEL),
    "retriever": SpanKindRow("retrieval", "retrieval", DATA_SOURCE_ID, True, *_SOURCE),
    "memory": SpanKindRow("search_memory", None, MEMORY_STORE_ID, True, *_SOURCE, unnamed=True),
    "plan": SpanKindRow("plan", "plan", None, False, *_CHOICE),
    # The conventions have no span for a guardrail or a decision made inside the process.
    "guardrail": SpanKindRow(None, "guardrail", GUARDRAIL_NAME, False, *_CHOICE),
    "decision": SpanKindRow(None, "decision", DECISION_NAME, False, *_CHOICE),
    "span": SpanKindRow(),
}
"""Every kind there is; to add one, add a row. ``span`` is any span that says nothing of its kind: an HTTP request,
somebody else's span."""
KINDS: Final = tuple(SPAN_KINDS)

MEMORY_OPERATIONS: Final = (
    "search_memory", "create_memory", "update_memory", "upsert_memory", "delete_memory", "create_memory_store",
    "delete_memory_store",
)  # fmt: skip
"""What is done with a memory."""

KIND_OF_OPERATION: Final = {
    **dict.fromkeys(MEMORY_OPERATIONS, "memory"),
    **{row.operation: kind for kind, row in SPAN_KINDS.items() if row.operation is not None},
    "generate_content": "llm",
    "text_completion": "llm",
    "fetch_response": "llm",
    "create_agent": "agent",
    "apply_guardrail": "guardrail",
}
"""How a span that carries no :data:`KIND` is understood from its ``gen_ai.operation.name``."""
