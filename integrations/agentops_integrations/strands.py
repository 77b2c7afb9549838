"""Strands Agents, through the spans that it makes itself: agents, cycles, model calls, tools, memories, swarms."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from agentops_sdk.integration import Call, current_call, decision_attributes, guard, semconv, setting, snapshot
from agentops_sdk.integration.frameworks import PendingQuestions, content, memory_records

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches

_questions = PendingQuestions()
_INTERVENTIONS = ("proceed", "deny", "guide", "transform")
_FORM = ("use_latest_genai_conventions", "_span_attributes_only", "_include_tool_definitions")
"""Switches of its own by which it writes content in the conventions' form, and on the spans."""


class StrandsIntegration:
    """Adopts the spans of the one tracer that all of the library shares."""

    name = "strands"
    target = "strands"
    distribution = "strands-agents"
    requires = ">=1.62,<2"

    def is_library(self, module: ModuleType) -> bool:
        """The name is a common one."""
        return hasattr(module, "Agent")

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Where its tracer is made, and the one that it has; where an agent's run begins and ends, for interrupts."""

        def tracers(telemetry: ModuleType) -> None:
            def made(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
                wrapped(*args, **kwargs)
                with guard("strands.tracer"):
                    _adopt(patches, instance)

            patches.wrap(telemetry.Tracer, "__init__", made)
            for start in ("start_agent_span", "start_model_invoke_span", "start_tool_call_span"):
                patches.wrap(telemetry.Tracer, start, _insisted)
            patches.wrap(telemetry.Tracer, "start_memory_search_span", _searches)
            patches.wrap(telemetry.Tracer, "end_memory_search_span", _found)
            patches.wrap(telemetry.Tracer, "start_memory_add_span", _keeps)
            if telemetry._tracer_instance is not None:  # noqa: SLF001 - it has no public one
                _adopt(patches, telemetry._tracer_instance)  # noqa: SLF001 - the same

        patches.when_imported("strands.telemetry.tracer", tracers)

        def agents(agent: ModuleType) -> None:
            patches.wrap(agent.Agent, "_start_agent_trace_span", _goes_on)
            patches.wrap(agent.Agent, "_end_agent_trace_span", _stops)

        patches.when_imported("strands.agent.agent", agents)
        for kind, owner, method in (("swarm", "Swarm", "_execute_swarm"), ("graph", "Graph", "_execute_graph")):
            patches.when_imported(
                f"strands.multiagent.{kind}", partial(_workflows, patches, owner, method, f"default_{kind}")
            )

        def interventions(registry: ModuleType) -> None:
            for place in ("before_invocation", "before_tool_call", "after_tool_call", "before_model_call",
                          "after_model_call"):  # fmt: skip
                patches.wrap(registry.InterventionRegistry, f"_apply_{place}", _intervenes)

        patches.when_imported("strands.interventions.registry", interventions)


def _workflows(patches: Patches, owner: str, method: str, unnamed: str, module: ModuleType) -> None:
    """A swarm's or a graph's name, which its span leaves out: the id that the program gave it."""

    def named(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with guard("strands.workflow"):
            call, name = current_call(), instance.id
            if call is not None and call.kind == "workflow" and type(name) is str and name != unnamed:
                call.set(semconv.WORKFLOW_NAME, name)
                call.rename(f"invoke_workflow {name}")
        return wrapped(*args, **kwargs)

    patches.wrap(getattr(module, owner), method, named)


def _insisted(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a span is begun for comes after it: here limits may stop it."""
    from agentops_sdk.integration.frameworks import insist

    span = wrapped(*args, **kwargs)
    insist(span)
    return span


def _intervenes(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a handler of the program's decides; what it has a person confirm is that person's, who is asked then."""
    with guard("strands.intervention"):
        given = dict(zip(("event", "action", "handler_name"), args, strict=False)) | kwargs
        action, call = given["action"], current_call()
        if call is not None and action.type in _INTERVENTIONS:
            reason = getattr(action, "feedback", None) or action.reason
            shown = reason if reason and setting("capture_content") else None
            options = snapshot([{"name": name} for name in _INTERVENTIONS]).decode()
            decision = decision_attributes(
                action.type, name=given["handler_name"] or "guide", options=options, reason=shown, by="code"
            )
            call.event(semconv.DECISION_EVENT, decision)
    return wrapped(*args, **kwargs)


def _searches(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    span = wrapped(*args, **kwargs)
    with guard("strands.memory"):
        given = dict(zip(("query", "store_names"), args, strict=False)) | kwargs
        _memory(span, given, **content(semconv.MEMORY_QUERY, given.get("query")))
    return span


def _keeps(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    span = wrapped(*args, **kwargs)
    with guard("strands.memory"):
        given = dict(zip(("content", "store_names"), args, strict=False)) | kwargs
        _memory(span, given, **memory_records([{"content": given.get("content")}]))
    return span


def _memory(span: Any, given: dict[str, Any], **attributes: Any) -> None:
    call, stores = getattr(span, "call", None), given.get("store_names")
    if isinstance(call, Call):
        one = stores[0] if isinstance(stores, list) and len(stores) == 1 else None
        call.update({semconv.MEMORY_STORE_ID: one if type(one) is str else None, **attributes})


def _found(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Told before the library ends the span."""
    with guard("strands.memory"):
        given = dict(zip(("span", "entries"), args, strict=False)) | kwargs
        call, entries = getattr(given.get("span"), "call", None), given.get("entries")
        if isinstance(call, Call) and entries is not None:
            call.update(
                memory_records({"content": each.content, "metadata": each.metadata or None} for each in entries)
            )
    return wrapped(*args, **kwargs)


def _goes_on(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A run that was given what people have answered; what its agent is for, which the library's span leaves out."""
    span = wrapped(*args, **kwargs)
    with guard("strands.goes_on"):
        state, call = instance._interrupt_state, getattr(span, "call", None)  # noqa: SLF001 - no other way to it
        if isinstance(call, Call) and type(instance.description) is str:
            call.set(semconv.AGENT_DESCRIPTION, instance.description)
        session = getattr(getattr(instance, "_session_manager", None), "session_id", None)
        if type(session) is str:
            span.set_attribute(semconv.CONVERSATION_ID, session)
        if state.activated and isinstance(call, Call):
            told = [each["interruptResponse"] for each in state.context.get("responses") or ()]
            _questions.resumed(call, [_questions.answer(each["interruptId"], each["response"]) for each in told])
    return span


def _stops(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("strands.stops"):
        response: Any = args[0] if args else kwargs.get("response")
        call = getattr(instance.trace_span, "call", None)
        if getattr(response, "stop_reason", None) == "interrupt" and isinstance(call, Call):
            call.settled = "interrupted"
            for each in response.interrupts or ():
                _questions.question(call, each.id, {"name": each.name, "reason": each.reason})
    return wrapped(*args, **kwargs)


def _adopt(patches: Patches, holder: Any) -> None:
    from agentops_sdk.integration.frameworks import adopt

    adopt(patches, holder.tracer, "strands.telemetry.tracer")
    before = {name: vars(holder)[name] for name in _FORM if name in vars(holder)}
    vars(holder).update(dict.fromkeys(before, True))
    patches.on_undo(lambda: vars(holder).update(before))


integration = StrandsIntegration()
