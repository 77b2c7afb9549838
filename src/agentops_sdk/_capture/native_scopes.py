"""Libraries that create spans themselves, by the scope of those: what is done with them. One row a scope.

- ``adopt``: the library is handed a tracer of ours, and each of its spans becomes a call of ours.
- ``silence``: an integration of ours records the same calls, and keeps the library's own spans from arising there.

Spans of all other scopes belong to the program, and are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from agentops_sdk import semconv


@dataclass(frozen=True, slots=True)
class NativeScope:
    """One row.

    Attributes:
        reporter: the name of the integration that hands over the tracer, or that silences.
        treatment: ``adopt`` or ``silence``.
        names: attributes that have other names than the conventions' or ours.
        kinds: kinds of spans that say no operation of the conventions, by the first word of their names.
        operations: theirs by the conventions, where a kind has several.
        left_out: attributes that are neither the conventions' nor facts of ours, though named as if.
        cancelled: attributes that only a cancelled span has.
        internal: names of spans, or their first words, that are steps of the library's own.
        repeated: names of spans, or their first words, of what is recorded by other means.
        made_up: how names of workflows begin that the library makes up, one for each: they are no names.
        nameless: names of spans that do not say which agent or tool it is: their attributes do.
        interrupting: names of exceptions by which a run waits for somebody, and that are no errors.
    """

    reporter: str
    treatment: Literal["adopt", "silence"] = "adopt"
    names: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    operations: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    cancelled: frozenset[str] = frozenset()
    internal: frozenset[str] = frozenset()
    repeated: frozenset[str] = frozenset()
    made_up: tuple[str, ...] = ()
    nameless: frozenset[str] = frozenset()
    interrupting: frozenset[str] = frozenset()


_PROVIDER = frozenset(("gen_ai.provider.name", "gen_ai.system"))
"""Where a framework writes its own name as the provider's."""

NATIVE_SCOPES: Final = {
    "agent_framework": NativeScope(
        "agent_framework",
        names={"workflow.name": semconv.WORKFLOW_NAME},
        kinds={"workflow.run": "workflow"},
        made_up=("WorkflowBuilder-",),
        left_out=_PROVIDER,
        internal=frozenset(("workflow.build", "message.send", "edge_group.process")),
    ),
    "gcp.vertex.agent": NativeScope(
        "google_adk",
        left_out=frozenset(("gen_ai.system",)),
        internal=frozenset(("invocation", "call_llm", "send_data")),
        repeated=frozenset(("execute_tool (merged)",)),
    ),
    "strands.telemetry.tracer": NativeScope(
        "strands",
        kinds={
            "invoke_swarm": "workflow",
            "invoke_graph": "workflow",
            "memory.add": "memory",
            "memory.search": "memory",
        },
        operations={"memory.add": "create_memory", "memory.search": "search_memory"},
        left_out=_PROVIDER
        | {
            "gen_ai.agent.tools",
            "gen_ai.event.end_time",
            "gen_ai.event.start_time",
            "gen_ai.server.request.duration",
            "gen_ai.server.time_to_first_token",
            "gen_ai.tool.status",
            "gen_ai.usage.cache_read_input_tokens",
            "gen_ai.usage.cache_write_input_tokens",
            "gen_ai.usage.completion_tokens",
            "gen_ai.usage.prompt_tokens",
            "gen_ai.usage.total_tokens",
        },
        cancelled=frozenset(("strands.cancellation.type",)),
        internal=frozenset(("execute_event_loop_cycle", "memory.inject")),
    ),
    "semantic_kernel.utils.telemetry.agent_diagnostics.decorators": NativeScope("semantic_kernel", left_out=_PROVIDER),
    "semantic_kernel.utils.telemetry.model_diagnostics.decorators": NativeScope("semantic_kernel"),
    "semantic_kernel.functions.kernel_function": NativeScope("semantic_kernel"),
    "semantic_kernel.connectors.ai.chat_completion_client_base": NativeScope(
        "semantic_kernel", internal=frozenset(("AutoFunctionInvocationLoop",))
    ),
    "autogen-core": NativeScope("autogen", left_out=_PROVIDER, repeated=frozenset(("create_agent", "execute_tool"))),
    "opentelemetry.instrumentation.ag2": NativeScope("ag2", "silence"),
    "com.anthropic.sdk.python": NativeScope("anthropic", "silence"),
    "mistralai_sdk_tracer": NativeScope("mistral", "silence"),
    "mistralai.extra.run.tools": NativeScope("mistral", left_out=_PROVIDER),
    "pipecat": NativeScope(
        "pipecat",
        names={"input": semconv.INPUT_MESSAGES, "tools": semconv.TOOL_DEFINITIONS},
        kinds={"llm": "llm"},
        left_out=frozenset(("gen_ai.request.top_k",)),
    ),
    "pipecat.turn": NativeScope(
        "pipecat", names={"conversation.id": semconv.CONVERSATION_ID}, kinds={"conversation": "workflow"}
    ),
    "livekit-agents": NativeScope(
        "livekit",
        names={"lk.room_sid": semconv.CONVERSATION_ID},
        kinds={
            "agent_session": "workflow",
            "agent_turn": "agent",
            "function_tool": "tool",
            "llm_request": "llm",
            "start_agent_activity": "task",
        },
        left_out=_PROVIDER,
        internal=frozenset(
            (
                "agent_speaking",
                "drain_agent_activity",
                "llm_node",
                "on_enter",
                "on_exit",
                "session_close",
                "session_start",
                "setup_toolsets",
                "start_agent_activity",
            )
        ),
        repeated=frozenset(("llm_request_run",)),
        nameless=frozenset(("agent_session", "agent_turn", "function_tool")),
    ),
    "a2a-python-sdk": NativeScope("a2a", "silence"),
    "mcp-python-sdk": NativeScope("mcp", "silence"),
    "xai_sdk.aio.chat": NativeScope("xai", "silence"),
    "xai_sdk.sync.chat": NativeScope("xai", "silence"),
    "pydantic-ai": NativeScope(
        "pydantic_ai",
        names={
            "gen_ai.client.operation.time_to_first_chunk": semconv.RESPONSE_TIME_TO_FIRST_CHUNK,
            "final_result": semconv.OUTPUT,
            "tool_arguments": semconv.TOOL_CALL_ARGUMENTS,
            "tool_response": semconv.TOOL_CALL_RESULT,
        },
        internal=frozenset(("running tools",)),
        interrupting=frozenset(("ApprovalRequired", "CallDeferred")),
    ),
}
