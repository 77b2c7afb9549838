"""CrewAI, through the bus to which crews, flows, agents, tasks, tools and memories tell what they do.

A listener of the bus runs on a thread of the bus, which can make nothing current for the work that an event is about.
So the events are looked at where they are emitted: in the thread and the task of that work.

Long because most of it is a table, and the functions that its rows name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

from agentops_sdk.integration import (
    Call,
    Patches,
    decision_attributes,
    guard,
    outcome_of,
    refusal,
    semconv,
    setting,
    start,
)
from agentops_sdk.integration.frameworks import (
    MethodCalls,
    Run,
    Runs,
    content,
    error_text,
    model_reply,
    offer_handoff,
    tool_definitions,
)

Attributes = dict[str, Any]
_SITE = "crewai"
_VERDICTS = ("pass", "trip")
_IN_BACKGROUND = re.compile(r"(\d+) memories \(background\)")
_DELEGATING = ("coworker", "co_worker")
_FINISH_REASONS = {"tool_use": "tool_calls", "end_turn": "stop", "max_tokens": "length"}
_REQUEST = {
    "temperature": semconv.REQUEST_TEMPERATURE,
    "top_p": semconv.REQUEST_TOP_P,
    "max_tokens": semconv.REQUEST_MAX_TOKENS,
    "seed": semconv.REQUEST_SEED,
    "stop_sequences": semconv.REQUEST_STOP_SEQUENCES,
}


def _nothing(source: Any, event: Any) -> Attributes:
    return {}


def _no_end(run: Run, event: Any) -> None:
    """What ends says no more."""


class RunType(NamedTuple):
    """What a starting event begins: one row.

    Attributes:
        kind: one of ``semconv.KINDS``.
        name: the run's name.
        start: attributes that are known when it starts.
        end: adds to the run what the event that ends it tells.
        operation: where it is not the kind's usual one.
    """

    kind: str
    name: Callable[[Any, Any], Any]
    start: Callable[[Any, Any], Attributes] = _nothing
    end: Callable[[Run, Any], None] = _no_end
    operation: str | None = None


def _called(name: str) -> Callable[[Any, Any], Any]:
    return lambda source, event: getattr(event, name, None)


def _input(name: str, attribute: str = semconv.INPUT) -> Callable[[Any, Any], Attributes]:
    return lambda source, event: content(attribute, getattr(event, name, None))


def _output(name: str, attribute: str = semconv.OUTPUT) -> Callable[[Run, Any], None]:
    return lambda run, event: run.call.update(content(attribute, _text(getattr(event, name, None))))


def _unnamed(source: Any, event: Any) -> str:
    """A memory has no id there."""
    return ""


def _text(output: Any) -> Any:
    """What a crew or a task put out: the text of it."""
    return getattr(output, "raw", output)


def _task_name(source: Any, event: Any) -> Any:
    """The name that the program gave it: without one, the event has its description, which is content."""
    return getattr(event.task, "name", None)


def _guardrail_name(source: Any, event: Any) -> Any:
    """A function's name; of one that a model applies, the event has its instructions."""
    return event.guardrail_name if event.guardrail_type == "function" else event.guardrail_type


def _agent(source: Any, event: Any) -> Attributes:
    agent = getattr(event, "agent", None) or source
    goal = getattr(agent, "goal", None)
    tools = getattr(event, "tools", None) or ()
    return {
        semconv.AGENT_DESCRIPTION: goal if type(goal) is str else None,
        **tool_definitions((getattr(tool, "name", None), getattr(tool, "description", None)) for tool in tools),
        **content(semconv.INPUT, getattr(event, "task_prompt", None) or getattr(event, "messages", None)),
    }


def _tool(source: Any, event: Any) -> Attributes:
    name, call_id = _called_last.get()
    return {
        semconv.TOOL_CALL_ID: call_id if name == event.tool_name else None,
        semconv.TOOL_DESCRIPTION: _description(source, event.tool_name),
        **content(semconv.TOOL_CALL_ARGUMENTS, event.tool_args),
    }


def _description(source: Any, name: Any) -> str | None:
    """Whoever runs a tool has it among others, under the name that it was given or the one that models are told."""
    for tool in (*(getattr(source, "tools", None) or ()), *(getattr(source, "original_tools", None) or ())):
        own, description = getattr(tool, "name", None), getattr(tool, "description", None)
        if type(own) is str and type(description) is str and name in (own, own.lower().replace(" ", "_")):
            return description
    return None


def _tool_calls(patches: Patches, module: ModuleType) -> None:
    """Whoever runs a model's call of a tool has looked at it just before: its id is in no event."""

    def extract(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        info = wrapped(*args, **kwargs)
        with guard(_SITE):
            called = args[0] if args else kwargs["tool_call"]
            if info is not None and type(info[0]) is str:
                made_up = info[0] == f"call_{id(called)}"  # the model gave it none
                _called_last.set((info[1], None if made_up else info[0]))
        return info

    patches.wrap(module, "extract_tool_call_info", extract)


def _delegated(run: Run, event: Any) -> None:
    """A tool that hands work to another agent of the crew."""
    arguments = event.tool_args if isinstance(event.tool_args, dict) else {}
    target = next((arguments[name] for name in _DELEGATING if type(arguments.get(name)) is str), None)
    agent = next((above for above in run.above() if above.kind == "agent"), None)
    if target is not None and agent is not None and isinstance(agent.call, Call):
        offer_handoff(agent.call, target)


def _tool_result(run: Run, event: Any) -> None:
    run.call.update(content(semconv.TOOL_CALL_RESULT, getattr(event, "output", None)))
    if getattr(event, "from_cache", False) is True:
        run.call.set(semconv.CACHED, True)


def _model(source: Any, event: Any) -> Attributes:
    values = {attribute: getattr(event, name, None) for name, attribute in _REQUEST.items()}
    return {semconv.REQUEST_MODEL: event.model, semconv.REQUEST_STREAM: event.stream or None, **values}


def _reply(run: Run, event: Any) -> None:
    started = run.notes["event"]
    reason = getattr(event, "finish_reason", None)
    reply = getattr(event, "response", None)
    if getattr(getattr(event, "call_type", None), "value", None) == "tool_call" and isinstance(reply, list):
        reply = {"tool_calls": reply}
    model_reply(
        run.call, messages=started.messages, reply=reply, tools=started.tools, usage=getattr(event, "usage", None),
        finish_reason=_FINISH_REASONS.get(reason, reason) if isinstance(reason, str) else None,
    )  # fmt: skip


def _verdict(run: Run, event: Any) -> None:
    verdict = _VERDICTS[not event.success]
    reason = event.error if isinstance(event.error, str) and setting("capture_content") else None
    run.call.update(
        decision_attributes(verdict, name=run.name, options=[{"name": name} for name in _VERDICTS], reason=reason,
                            by="model" if run.notes["event"].guardrail_type == "llm" else "code")
    )  # fmt: skip


def _remembered(source: Any, event: Any) -> Attributes:
    value, about = getattr(event, "value", None), getattr(event, "metadata", None)
    if value is None:
        return {}
    if many := _IN_BACKGROUND.fullmatch(value):  # how many, in place of what
        return {semconv.MEMORY_RECORD_COUNT: int(many.group(1))}
    record = {"content": value, **({"metadata": about} if isinstance(about, dict) and about else {})}
    return {semconv.MEMORY_RECORD_COUNT: 1, **content(semconv.MEMORY_RECORDS, [record])}


def _memories(run: Run, event: Any) -> None:
    results = getattr(event, "results", None)
    if isinstance(results, list):
        found = content(semconv.MEMORY_RECORDS, [_memory(result) for result in results])
        run.call.update({semconv.MEMORY_RECORD_COUNT: len(results), **found})
    else:
        run.call.update(content(semconv.OUTPUT, results))


def _memory(result: Any) -> Attributes:
    record = getattr(result, "record", result)
    row = {"id": getattr(record, "id", None), "content": getattr(record, "content", None),
           "score": getattr(result, "score", None)}  # fmt: skip
    return {name: value for name, value in row.items() if name == "content" or value is not None}


def _method(run: Run, event: Any) -> None:
    """A person's words are no choice by themselves: which of the outcomes they mean is known where the method ends."""
    result = getattr(event, "result", None)
    run.call.update(content(semconv.OUTPUT, result))
    asked, said = run.notes.get("asked"), run.notes.get("feedback")
    options = getattr(asked, "emit", None)
    if said is None or not isinstance(options, list):
        return
    chosen = said.outcome or getattr(result, "outcome", result)
    if chosen in options:
        run.call.update(
            decision_attributes(
                chosen, name=event.method_name, by="human", options=[{"name": option} for option in options],
                reason=(said.feedback or None) if setting("capture_content") else None,
            )
        )  # fmt: skip


RUN_TYPES: dict[str, RunType] = {
    "crew_kickoff_started": RunType("workflow", _called("crew_name"), _input("inputs"), _output("output")),
    "task_started": RunType("task", _task_name, _input("context"), _output("output")),
    "agent_execution_started": RunType("agent", lambda source, event: event.agent.role, _agent, _output("output")),
    "lite_agent_execution_started": RunType(
        "agent", lambda source, event: event.agent_info.get("role"), _agent, _output("output")
    ),
    "flow_started": RunType("workflow", _called("flow_name"), _input("inputs"), _output("result")),
    "method_execution_started": RunType("task", _called("method_name"), _input("params"), _method),
    "tool_usage_started": RunType("tool", _called("tool_name"), _tool, _tool_result),
    "llm_call_started": RunType("llm", _called("model"), _model, _reply),
    "llm_guardrail_started": RunType("guardrail", _guardrail_name, end=_verdict),
    "memory_retrieval_started": RunType("task", lambda source, event: "recall", end=_output("memory_content")),
    "memory_query_started": RunType("memory", _unnamed, _input("query", semconv.MEMORY_QUERY), _memories),
    "memory_save_started": RunType("memory", _unnamed, _remembered, operation="create_memory"),
    "knowledge_query_started": RunType("task", lambda source, event: "rewrite query", _input("task_prompt")),
    "knowledge_search_query_started": RunType(
        "task", lambda source, event: "search knowledge", end=_output("retrieved_knowledge")
    ),
    "agent_reasoning_started": RunType("plan", _called("agent_role"), end=_output("plan")),
}
"""By the type of the event that begins it. What is not here, such as a connection of MCP, is told by others."""


def _planner(module: ModuleType, patches: Patches) -> None:
    """A crew that plans its tasks before it begins: no event tells that, only that an agent has such a task."""
    MethodCalls(_SITE, patches).wrap(module.CrewPlanner, "_handle_crew_planning", _planning, _planned)


def _planning(planner: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    return start("plan", reporter=_SITE)


def _planned(call: Call, plan: Any) -> None:
    steps = getattr(plan, "list_of_plans_per_task", None) or ()
    told = [{"task": getattr(step, "task", None), "plan": getattr(step, "plan", None)} for step in steps]
    call.update(content(semconv.OUTPUT, told or None))


def _knowledge(module: ModuleType, patches: Patches) -> None:
    """What is looked for in it, and found: an event tells only when an agent begins, and what it is told in the end."""
    calls = MethodCalls(_SITE, patches)
    calls.wrap(module.Knowledge, "query", _looked_up, _found)
    calls.wrap_async(module.Knowledge, "aquery", _looked_up, _found)


def _looked_up(knowledge: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    given = dict(zip(("query", "results_limit"), args, strict=False)) | dict(kwargs)
    words, limit = given.get("query"), given.get("results_limit", 5)
    asked = " ".join(words) if isinstance(words, list) else words
    about = {
        semconv.RETRIEVAL_TOP_K: limit if type(limit) is int else None,
        **content(semconv.RETRIEVAL_QUERY, asked),
    }
    return start("retriever", "knowledge", attributes=about, reporter=_SITE)


def _found(call: Call, results: Any) -> None:
    """Each with ``id``, ``content``, ``metadata`` and ``score``, as they are called there as well."""
    if isinstance(results, list):
        rows = [{name: value for name, value in each.items() if value is not None} for each in results]
        call.update(content(semconv.RETRIEVAL_DOCUMENTS, rows))


_KICKOFFS = {
    "crew": ("Crew", "akickoff"),
    "flow.runtime": ("Flow", "kickoff_async"),
    "agent.core": ("Agent", "akickoff", "kickoff_async"),
}
"""By module what may be cancelled with the task that awaits it."""
_kickoff: ContextVar[object | None] = ContextVar("agentops-crewai-kickoff", default=None)
_called_last: ContextVar[tuple[Any, str | None]] = ContextVar("agentops-crewai-call", default=(None, None))
"""The name and the id of the call of a tool that was looked at last."""

_RUN_TOOLS = ("utilities.agent_utils", "agents.agent_executor", "agents.step_executor")
"""Where calls of tools that a model has asked for are run."""
_INTERNAL = frozenset(("AgentExecutor",))
"""Flows of the library's own, by which its agents run."""
_PAUSED = frozenset(("flow_paused", "method_execution_paused"))


class CrewAIIntegration:
    """Looks at each event as it is emitted."""

    name = "crewai"
    target = "crewai"
    requires = ">=1.15,<2"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Wrap the bus's ``emit``."""
        patches.when_imported("crewai.events.event_bus", lambda bus: self._install(bus, patches))
        patches.when_imported("crewai.utilities.planning_handler", lambda planner: _planner(planner, patches))
        patches.when_imported("crewai.knowledge.knowledge", lambda knowledge: _knowledge(knowledge, patches))
        for name in _RUN_TOOLS:
            patches.when_imported(f"crewai.{name}", partial(_tool_calls, patches))

    def _install(self, module: ModuleType, patches: Patches) -> None:
        runs = _Runs(module.VALID_EVENT_PAIRS)

        def emit(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            run: Run | None = None
            result = wrapped(*args, **kwargs)
            with guard(_SITE):
                values = dict(zip(("source", "event"), args, strict=False)) | kwargs
                run = _told(runs, values["source"], values["event"])
            if run is not None and (refused := refusal(_SITE, run.call)) is not None:
                runs.fail(run.key, refused)
                raise refused
            return result

        patches.wrap(module.CrewAIEventsBus, "emit", emit)

        async def kickoff(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            mark = object()
            token = _kickoff.set(mark)
            try:
                return await wrapped(*args, **kwargs)
            except BaseException as error:
                with guard(_SITE):
                    runs.cut_off(mark, error)
                raise
            finally:
                with guard(_SITE):
                    _kickoff.reset(token)

        def kickoffs(owner: str, names: tuple[str, ...], part: ModuleType) -> None:
            for name in names:
                patches.wrap(getattr(part, owner), name, kickoff)

        for place, (owner, *names) in _KICKOFFS.items():
            patches.when_imported(f"crewai.{place}", partial(kickoffs, owner, tuple(names)))
        patches.on_undo(lambda: runs.end_all("interrupted"))


class _Runs(Runs):
    """The live runs, and which type of event ends which."""

    def __init__(self, pairs: Mapping[str, str]) -> None:
        super().__init__("crewai")
        self.pairs = pairs

    def cut_off(self, mark: object, error: BaseException) -> None:
        """What is cancelled ends without an event, and with it all that runs inside."""
        if isinstance(error, Exception):
            return
        outcome = outcome_of(error)
        for key in [key for key, run in list(self.open.items()) if run.notes.get("kickoff") is mark][::-1]:
            self.finish(key, outcome)


def _told(runs: _Runs, source: Any, event: Any) -> Run | None:
    """What an event tells that the bus has passed on, and so has put among the others."""
    row = RUN_TYPES.get(event.type)
    if row is not None:
        return _begin(runs, row, source, event)
    run = _ended(runs, event)
    if run is None:
        _happened(runs, event)
        return None
    row = RUN_TYPES[run.notes["event"].type]
    with guard("crewai.end"):
        row.end(run, event)
    error = run.raised() if hasattr(event, "error") else None
    failure = getattr(event, "failure", None)
    told = getattr(event, "error", None) if run.kind != "guardrail" else None
    if error is None and isinstance(told, BaseException):
        error = told
    if error is not None:
        runs.fail(run.key, error)
    elif event.type in _PAUSED:
        runs.finish(run.key, "interrupted")
    elif told is not None or failure is not None:
        error_text(run.call, told if told is not None else getattr(failure, "reason", None))
        runs.finish(run.key, "error")
    else:
        runs.finish(run.key)
    return None


def _ended(runs: _Runs, event: Any) -> Run | None:
    """The run that an event ends. The bus pairs them by a stack, which an end that is told twice puts out of step."""
    begins = runs.pairs.get(event.type)
    named, current = runs.get(event.started_event_id), runs.current()
    around = [] if current is None else [current, *current.above()]
    open_runs = [run for run in ((named, *around)) if run is not None and run.key in runs.open]
    return next((run for run in open_runs if run.notes["event"].type == begins), None)


def _begin(runs: Runs, row: RunType, source: Any, event: Any) -> Run:
    name = row.name(source, event)
    internal = event.type == "flow_started" and type(source).__name__ in _INTERNAL
    run = runs.begin(
        "task" if internal else row.kind,
        name if type(name) is str else row.kind,
        event.event_id,
        event.parent_event_id,
        attributes={semconv.INTERNAL: True} if internal else row.start(source, event),
        operation=row.operation,
    )
    run.notes.update(event=event, kickoff=_kickoff.get())
    if row.kind == "tool":
        _delegated(run, event)
    run.enter()
    return run


def _happened(runs: Runs, event: Any) -> None:
    """Something that neither begins nor ends: what a person says, which way a conversation takes."""
    run = runs.get(event.parent_event_id)
    if event.type == "llm_stream_chunk" and run is not None:
        run.chunk()
    elif event.type == "human_feedback_requested" and run is not None:
        run.notes["asked"] = event
    elif event.type == "human_feedback_received" and run is not None:
        run.notes["feedback"] = event
    elif event.type == "conversation_route_selected" and run is not None:
        run.call.update(decision_attributes(event.route, name="route", by="model"))


integration = CrewAIIntegration()
