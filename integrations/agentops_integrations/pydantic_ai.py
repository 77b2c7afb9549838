"""Pydantic AI, through the spans that it makes itself: agents, model calls and tools, adopted as ours.

A run that ends with deferred tools waits for people, or for work that is done elsewhere; a run that is given their
results goes on. Both are seen where the library has them at hand, for the agent whose span is ours.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import get_current_span

from agentops_sdk.integration import Call, guard, semconv, setting
from agentops_sdk.integration.frameworks import Answer, PendingQuestions, WaitingCall, person_answered

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches

_SCOPE = "pydantic-ai"
_questions = PendingQuestions()


class PydanticAIIntegration:
    """Hands every agent a tracer of ours, unless the program's own instrumentation goes somewhere else."""

    name = "pydantic_ai"
    target = "pydantic_ai"
    distribution = "pydantic-ai-slim"
    requires = ">=2.60,<3"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """The settings that runs of agents and requests without one are instrumented by; what people approve."""
        patches.when_imported(
            "pydantic_ai.agent", lambda agent: patches.wrap(agent.Agent, "_resolve_instrumentation_settings", _resolve)
        )
        patches.when_imported(
            "pydantic_ai.models.instrumented",
            lambda models: patches.wrap(models, "instrument_model", _instrument_model),
        )

        def capability(found: ModuleType) -> None:
            patches.wrap(found.Instrumentation, "wrap_run", _run)
            patches.wrap(found.Instrumentation, "wrap_tool_execute", _tool)

        patches.when_imported("pydantic_ai.capabilities.instrumentation", capability)
        patches.when_imported(
            "pydantic_ai._agent_graph",
            lambda graph: patches.wrap(graph.UserPromptNode, "_handle_deferred_tool_results", _goes_on),
        )
        patches.when_imported(
            "pydantic_ai.tool_manager",
            lambda manager: patches.wrap(manager.ToolManager, "resolve_deferred_tool_calls", _asks_inside),
        )


def _instrument_model(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("pydantic_ai.model"):
        from pydantic_ai.models.instrumented import InstrumentationSettings

        values = dict(zip(("model", "instrument"), args, strict=False)) | kwargs
        instrument = values["instrument"]
        settings = InstrumentationSettings() if instrument is True else instrument or None
        args, kwargs = (values["model"], _adopted(settings)), {}
    return wrapped(*args, **kwargs)


def _resolve(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    settings = wrapped(*args, **kwargs)
    adopted = settings
    with guard("pydantic_ai.settings"):
        adopted = _adopted(settings)
    return adopted


def _adopted(settings: Any) -> Any:
    """The settings with a tracer of ours: none are the defaults, and those of another provider stay as they are."""
    from pydantic_ai.models.instrumented import InstrumentationSettings

    from agentops_sdk.integration.frameworks import AdoptingTracer, is_global

    content = bool(setting("capture_content"))
    if settings is None:
        ours = InstrumentationSettings(include_content=content, include_model_request_parameters=False)
        ours.tracer = AdoptingTracer(_SCOPE)
        return ours
    if not is_global(settings.tracer):
        return settings
    ours = copy.copy(settings)
    ours.tracer = AdoptingTracer(_SCOPE, content=settings.include_content)
    ours.include_content = settings.include_content and content
    return ours


def _agent() -> Call | None:
    """The agent that runs here, where its span is ours."""
    call = getattr(get_current_span(), "call", None)
    return call if isinstance(call, Call) and call.kind == "agent" else None


def _waiting(part: Any) -> WaitingCall:
    return WaitingCall(part.tool_call_id, str(part.tool_name), part.args)


async def _run(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    handler = kwargs.get("handler")
    if handler is None:
        return await wrapped(*args, **kwargs)

    async def run() -> Any:
        result = await handler()
        with guard("pydantic_ai.stops"):
            _stops(result.output)
        return result

    return await wrapped(*args, **{**kwargs, "handler": run})


def _tool(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a tool is for, which its span leaves out: told as the tool itself begins, inside of that."""
    handler, definition = kwargs.get("handler"), kwargs.get("tool_def")
    if handler is None:
        return wrapped(*args, **kwargs)

    def run(*given: Any, **named: Any) -> Any:
        with guard("pydantic_ai.tool"):
            description = getattr(definition, "description", None)
            call = getattr(get_current_span(), "call", None)
            if isinstance(call, Call) and call.kind == "tool" and type(description) is str:
                call.set(semconv.TOOL_DESCRIPTION, description)
        return handler(*given, **named)

    return wrapped(*args, **{**kwargs, "handler": run})


def _stops(output: Any) -> None:
    from pydantic_ai.tools import DeferredToolRequests

    agent = _agent() if isinstance(output, DeferredToolRequests) else None
    if agent is None:
        return
    agent.settled = "interrupted"
    asking = [*output.approvals, *(each for each in output.calls if output.kind(each.tool_call_id) == "question")]
    _questions.asked(agent, [_waiting(each) for each in asking])


async def _goes_on(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("pydantic_ai.goes_on"):
        agent = _agent()
        if agent is not None:
            _questions.resumed(agent, list(_answers(args[0], args[1])))
    return await wrapped(*args, **kwargs)


def _answers(results: Any, messages: Any) -> Iterator[Answer]:
    """What people said. Results of work that is done elsewhere are no answers, unless it was known to be a question."""
    calls = next((message.tool_calls for message in reversed(messages) if message.kind == "response"), ())
    waiting = {each.tool_call_id: _waiting(each) for each in calls}
    ids = [each for each in waiting if each in results.approvals or each in _questions]
    for call_id in ids:
        if call_id in results.approvals:
            approved, reason = _verdict(results.approvals[call_id])
            yield _questions.approval(
                waiting[call_id], approved=approved, reason=reason,
                by_name=results.answered_by.get(call_id), checkpoint=ids[0],
            )  # fmt: skip
        elif call_id in results.calls:
            yield _questions.answer(call_id, results.calls[call_id])


def _verdict(answer: Any) -> tuple[bool, str | None]:
    kind = getattr(answer, "kind", None)
    return answer is True or kind == "tool-approved", answer.message if kind == "tool-denied" else None


async def _asks_inside(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A handler of the program's is asked while the run goes on: whether it asks a person, only its answer may say."""
    since = time.monotonic()
    results = await wrapped(*args, **kwargs)
    with guard("pydantic_ai.answered"):
        agent = _agent() if results is not None else None
        requests = args[0] if args else kwargs["requests"]
        for part in requests.approvals if agent is not None else ():
            if part.tool_call_id in results.approvals:
                approved, reason = _verdict(results.approvals[part.tool_call_id])
                person_answered(
                    agent, "approve" if approved else "reject", since, tool=part.tool_name, reason=reason, by=None,
                    by_name=results.answered_by.get(part.tool_call_id),
                )  # fmt: skip
    return results


integration = PydanticAIIntegration()
