"""Every type of span that the SDK has, and what each becomes: one row each. To take in another type, add a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from agentops_integrations.openai_agents import model_calls
from agentops_sdk.integration import Call, decision_attributes, semconv, snapshot
from agentops_sdk.integration.frameworks import Run, content, offer_handoff

_VERDICTS = ("pass", "trip")
_MCP_SERVER = semconv.METADATA_PREFIX + "mcp.server"


def _nothing(data: Any) -> dict[str, Any]:
    return {}


def _no_end(run: Run, data: Any, ok: bool) -> None:
    """What ends says no more."""


class SpanType(NamedTuple):
    """One row.

    Attributes:
        kind: one of ``semconv.KINDS``.
        name: the span's name.
        start: attributes that are known when it starts.
        end: adds to the run what is known when it ends, given whether all went well.
        names_call: the name is that of an agent, a tool or a guardrail.
        internal: a step of the SDK's own between those of the program.
        enters: it starts in the task in which its work is done, and ends there.
    """

    kind: str
    name: Callable[[Any], str]
    start: Callable[[Any], dict[str, Any]] = _nothing
    end: Callable[[Run, Any, bool], None] = _no_end
    names_call: bool = False
    internal: bool = False
    enters: bool = True

    def call_name(self, data: Any) -> str | None:
        """The name for ``Runs.begin``; for a model call that of the model, where it is known yet."""
        if self.kind == "llm":
            return getattr(data, "model", None)
        return self.name(data) if self.names_call else None


def _agent(run: Run, data: Any, ok: bool) -> None:
    output_type = getattr(data, "output_type", None)
    if isinstance(output_type, str):
        run.call.set(semconv.OUTPUT_TYPE, "text" if output_type == "str" else "json")
    tools = getattr(data, "tools", None)
    if isinstance(tools, list) and tools:
        definitions = [{"type": "function", "name": tool} for tool in tools[:200] if type(tool) is str]
        run.call.set(semconv.TOOL_DEFINITIONS, snapshot(definitions).decode())


def _function(run: Run, data: Any, ok: bool) -> None:
    run.call.update(content(semconv.TOOL_CALL_ARGUMENTS, data.input))
    run.call.update(content(semconv.TOOL_CALL_RESULT, data.output))
    server = data.mcp_data.get("server") if isinstance(data.mcp_data, Mapping) else None
    if isinstance(server, str):
        run.call.set(_MCP_SERVER, server)


def _handoff(run: Run, data: Any, ok: bool) -> None:
    """One agent hands over to another, whose span will be linked with its own."""
    target = data.to_agent
    if type(target) is not str:
        return
    run.call.rename(f"handoff {target}")
    agent = next((above for above in run.above() if above.kind == "agent"), None)
    possible = agent.notes["data"].handoffs if agent is not None else None
    options = [{"name": name} for name in possible or () if type(name) is str]
    run.call.update(
        decision_attributes(
            target, name="handoff", options=snapshot(options).decode() if options else None, by="model",
            by_name=data.from_agent,
        )
    )  # fmt: skip
    if agent is not None and isinstance(agent.call, Call):
        offer_handoff(agent.call, target)


def _guardrail(run: Run, data: Any, ok: bool) -> None:
    if ok:  # one that failed gave no verdict
        verdict = _VERDICTS[bool(data.triggered)]
        options = snapshot([{"name": name} for name in _VERDICTS]).decode()
        run.call.update(decision_attributes(verdict, name=data.name, options=options, by="code"))


def _mcp_tools(run: Run, data: Any, ok: bool) -> None:
    if isinstance(data.server, str):
        run.call.set(_MCP_SERVER, data.server)
    run.call.update(content(semconv.OUTPUT, data.result))


def _custom(run: Run, data: Any, ok: bool) -> None:
    run.call.update(content(semconv.OUTPUT, data.data or None))


def _speech(run: Run, data: Any, ok: bool) -> None:
    run.call.update(content(semconv.INPUT, data.input))  # the output is sound


def _transcription(run: Run, data: Any, ok: bool) -> None:
    run.call.update(content(semconv.OUTPUT, data.output))  # the input is sound


def _model(data: Any) -> dict[str, Any]:
    return {semconv.REQUEST_MODEL: data.model if type(data.model) is str else None}


SPAN_TYPES: dict[str, SpanType] = {
    "agent": SpanType("agent", lambda data: data.name, end=_agent, names_call=True),
    "task": SpanType("task", lambda data: data.name, internal=True),
    "turn": SpanType("task", lambda data: f"turn {data.turn}", internal=True),
    "function": SpanType("tool", lambda data: data.name, end=_function, names_call=True),
    "generation": SpanType("llm", lambda data: data.model or "", _model, model_calls.generation),
    "response": SpanType("llm", lambda data: "", end=model_calls.response),
    "handoff": SpanType("task", lambda data: "handoff", end=_handoff),
    "guardrail": SpanType("guardrail", lambda data: data.name, end=_guardrail, names_call=True),
    "mcp_tools": SpanType("task", lambda data: "list tools", end=_mcp_tools),
    "custom": SpanType("task", lambda data: data.name, end=_custom),
    # Voice: these start in one task and end in another.
    "transcription": SpanType("task", lambda data: "transcription", _model, _transcription, enters=False),
    "speech": SpanType("task", lambda data: "speech", _model, _speech, enters=False),
    "speech_group": SpanType("task", lambda data: "speech group", end=_speech, enters=False),
}
OTHER = SpanType("task", lambda data: str(data.type))
"""What a later version may add."""
