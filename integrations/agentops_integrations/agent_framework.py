"""Microsoft's Agent Framework, through the spans that it makes itself: agents, workflows, model calls and tools.

What gives an agent context, such as a memory, has none: it is recorded at its methods.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from agentops_sdk.integration import Begun, Call, around_async, current_call, decision_attributes, guard, semconv
from agentops_sdk.integration.frameworks import (
    PendingQuestions,
    WaitingCall,
    memory_call,
    memory_records,
    offer_handoff,
)

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches

_REPORTER = "agent_framework"
_ORCHESTRATIONS = "agent_framework_orchestrations"
_OWN_MEMORIES = ("FileMemoryProvider", "MemoryContextProvider")
"""Of the library's own providers; others give an agent skills, files, tasks."""
_questions = PendingQuestions()
_APPROVALS = ("function_approval_request", "function_approval_response")
_WAITING = "agent_framework.waiting"
"""Where what an agent's answer asks is put between the function that sees the answer and the one that has the span."""


class AgentFrameworkIntegration:
    """Hands out a tracer of ours where the framework asks for its own."""

    name = "agent_framework"
    target = "agent_framework"
    distribution = "agent-framework-core"
    requires = ">=1.23,<2"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Its one function, what tools are given and give, which it leaves out unless told, and what people approve."""

        def observe(telemetry: ModuleType) -> None:
            _tracer(patches, telemetry)
            patches.wrap(telemetry, "_get_response_attributes", _asks)
            patches.wrap(telemetry, "_capture_response", _stops)
            patches.wrap(telemetry.AgentTelemetryLayer, "_trace_agent_invocation", _goes_on)

        patches.when_imported("agent_framework.observability", observe)
        patches.when_imported("agent_framework._sessions", partial(_providers, patches))
        patches.when_imported(
            "agent_framework._tools",
            lambda tools: patches.wrap(tools.FunctionTool, "_invoke_function", _invoke),
        )

        def workflows(runner: ModuleType) -> None:
            patches.wrap(runner.InProcRunnerContext, "add_request_info_event", _workflow_asks)
            patches.wrap(runner.InProcRunnerContext, "send_request_info_response", _workflow_goes_on)

        patches.when_imported("agent_framework._workflows._runner_context", workflows)
        patches.when_imported(
            "agent_framework._workflows._functional",
            lambda functional: patches.wrap(functional.RunContext, "request_info", _function_asks),
        )
        patches.when_imported(
            f"{_ORCHESTRATIONS}._handoff",
            lambda found: patches.wrap(found._AutoHandoffMiddleware, "process", _hands_over),  # noqa: SLF001 - it has no public name
        )
        patches.when_imported(
            f"{_ORCHESTRATIONS}._base_group_chat_orchestrator",
            lambda found: patches.wrap(found.BaseGroupChatOrchestrator, "_send_request_to_participant", _speaks_next),
        )


def _tracer(patches: Patches, telemetry: ModuleType) -> None:
    from agentops_sdk.integration.frameworks import AdoptingTracer

    ours = AdoptingTracer("agent_framework")

    def get_tracer(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return wrapped(*args, **kwargs) if args or kwargs else ours  # the program asks for one with a name

    patches.wrap(telemetry, "get_tracer", get_tracer)


async def _invoke(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("agent_framework.arguments"):
        _tell(semconv.TOOL_CALL_ARGUMENTS, args[0] if args else None)
    result = await wrapped(*args, **kwargs)
    with guard("agent_framework.result"):
        _tell(semconv.TOOL_CALL_RESULT, result)
    return result


def _tell(name: str, value: Any) -> None:
    from agentops_sdk.integration.frameworks import content

    call = current_call()
    if call is not None and call.kind == "tool":
        call.update(content(name, value))


def _waiting(request: Any) -> WaitingCall:
    call = request.function_call
    return WaitingCall(request.id, str(getattr(call, "name", None) or "tool"), getattr(call, "arguments", None))


def _asks(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    attributes = wrapped(*args, **kwargs)
    with guard("agent_framework.asks"):
        requests = getattr(args[1], "user_input_requests", None) or ()
        waiting = [_waiting(each) for each in requests if each.type == "function_approval_request"]
        if waiting:
            attributes[_WAITING] = waiting
    return attributes


def _stops(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("agent_framework.stops"):
        call = getattr(kwargs.get("span"), "call", None)
        waiting = kwargs["attributes"].pop(_WAITING, None)
        if call is not None and waiting:
            call.settled = "interrupted"
            _questions.asked(call, waiting)
    return wrapped(*args, **kwargs)


def _goes_on(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A run whose last message answers what an earlier one has asked: told as the run's own span has begun."""
    with guard("agent_framework.goes_on"):
        responses = list(_responses(kwargs.get("messages")))
        execute = kwargs.get("execute")
        if responses and execute is not None:

            def answered() -> Any:
                with guard("agent_framework.answered"):
                    call = current_call()
                    if call is not None and call.kind == "agent":
                        told = [
                            _questions.approval(_waiting(each), approved=each.approved is True, checkpoint=each.id)
                            for each in responses
                        ]
                        _questions.resumed(call, told)
                return execute()

            kwargs = {**kwargs, "execute": answered}
    return wrapped(*args, **kwargs)


def _responses(messages: Any) -> Iterator[Any]:
    last = messages[-1] if isinstance(messages, list) and messages else messages
    for each in [last, *(getattr(last, "contents", None) or ())]:
        if getattr(each, "type", None) == "function_approval_response" and each.function_call is not None:
            yield each


# --- memories, and what else gives context ---------------------------------------------------------


def _providers(patches: Patches, sessions: ModuleType) -> None:
    def visit(provider: type[Any]) -> None:
        for name in ("before_run", "after_run"):
            if name in vars(provider) and _remembers(provider, sessions.HistoryProvider):
                patches.wrap(provider, name, partial(_provide, name))

    patches.each_subclass(sessions.ContextProvider, visit)


def _remembers(provider: type[Any], history: type[Any]) -> bool:
    """Not a conversation's own history: its messages are those of the conversation."""
    if provider.__module__.startswith(("agent_framework.", f"{_ORCHESTRATIONS}.")):
        return provider.__name__ in _OWN_MEMORIES
    return not issubclass(provider, history)


async def _provide(name: str, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """It finds what a run may need before that, and may keep something of it afterwards."""
    context, finds = kwargs.get("context"), name == "before_run"
    known: list[int] = []

    def begin() -> Begun | None:
        operation = "search_memory" if finds else "upsert_memory"
        call = memory_call(operation, instance.source_id, _REPORTER, {})
        known.append(len(_given(instance, context)))
        return Begun(call, args, kwargs) if isinstance(call, Call) else None

    def accept(call: Any, _: Any) -> bool:
        if finds:
            call.update(memory_records({"content": text} for text in _given(instance, context)[known[0] :]))
        return True

    return await around_async("agent_framework.memory", wrapped, args, kwargs, begin, accept)


def _given(provider: Any, context: Any) -> list[Any]:
    """What a provider has put into the context, as messages of its own or as instructions."""
    messages = getattr(context, "context_messages", {}).get(provider.source_id) or ()
    return [*getattr(context, "instructions", ()), *(getattr(message, "text", None) for message in messages)]


# --- workflows: requests for input from outside ----------------------------------------------------


def _workflow() -> tuple[Call | None, bool]:
    """The workflow that runs here, and whether it is part of another one, which may answer for it."""
    call = current_call()
    while call is not None and call.kind != "workflow":
        call = call.around
    around = call.around if call is not None else None
    while around is not None and around.kind != "workflow":
        around = around.around
    return call, around is not None


async def _workflow_asks(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("agent_framework.workflow_asks"):
        call, inner = _workflow()
        event = args[0] if args else kwargs["event"]
        if call is not None:
            call.settled = "interrupted"
            if not inner and getattr(event.data, "type", None) not in _APPROVALS:  # those are the agent's
                _questions.question(call, event.request_id, event.data)
    return await wrapped(*args, **kwargs)


async def _workflow_goes_on(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = await wrapped(*args, **kwargs)
    with guard("agent_framework.workflow_goes_on"):
        (key, answer), (call, inner) = (*args, *kwargs.values())[:2], _workflow()
        if call is not None:
            call.settled = "interrupted" if getattr(instance, "_pending_request_info_events", None) else None
            if not inner and getattr(answer, "type", None) not in _APPROVALS:
                _questions.resumed(call, [_questions.answer(key, answer)])
    return result


async def _function_asks(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """In a workflow that is a function, which begins anew with the answers; what it asks by is the same in each run."""
    try:
        answer = await wrapped(*args, **kwargs)
    except BaseException as error:
        with guard("agent_framework.function_asks"):
            call, inner = _workflow()
            if call is not None and type(error).__name__ == "WorkflowInterrupted":
                call.settled = "interrupted"
                if not inner:
                    _questions.question(call, f"{error.request_id}@{id(call)}", error.request_data)  # type: ignore[attr-defined]  # known by its name alone
        raise
    with guard("agent_framework.function_goes_on"):
        call, inner = _workflow()
        if call is not None and not inner:
            _questions.resumed(call, [_questions.answer(None, answer)])
    return answer


# --- orchestrations --------------------------------------------------------------------------------


def _hands_over(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The library's own function stands for each agent that an agent may hand over to."""
    with guard("agent_framework.handoff"):
        context, agent = args[0] if args else kwargs["context"], current_call()
        target = instance._handoff_functions.get(context.function.name)  # noqa: SLF001 - the same
        while agent is not None and agent.kind != "agent":
            agent = agent.around
        if type(target) is str and agent is not None:
            offer_handoff(agent, target)
    return wrapped(*args, **kwargs)


def _speaks_next(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Whoever leads a conversation chooses one of those who take part: a function of the program's, or a model."""
    with guard("agent_framework.next_speaker"):
        call, chosen = current_call(), kwargs.get("target", args[0] if args else None)
        if call is not None and type(chosen) is str:
            options = [{"name": name} for name in instance._participant_registry.participants]  # noqa: SLF001 - the same
            by = "code" if type(instance).__name__ == "GroupChatOrchestrator" else "model"
            call.update(decision_attributes(chosen, name="next speaker", options=options, by=by))
    return wrapped(*args, **kwargs)


integration = AgentFrameworkIntegration()
