"""Agno, at the functions by which agents, teams, workflows and steps run, ask their models and call their tools.

Long because it is three tables, and the functions that their rows name: runs and their guardrails, models with tools,
and memories.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from inspect import Signature, iscoroutinefunction, signature
from types import ModuleType
from typing import Any

from agentops_sdk.integration import (
    Call,
    Patches,
    current_call,
    decision_attributes,
    semconv,
    setting,
    start,
    tracked_in,
)
from agentops_sdk.integration.frameworks import (
    MethodCalls,
    PendingQuestions,
    WaitingCall,
    content,
    error_text,
    memory_call,
    memory_records,
    model_reply,
    tool_definitions,
)

Arguments = Mapping[str, Any]
_questions = PendingQuestions()
_REPORTER = "agno"
_RUNS = {  # of agents and of teams; a run that goes on is one as well
    "wrap": ("_run", "_continue_run"),
    "wrap_generator": ("_run_stream", "_continue_run_stream"),
    "wrap_async": ("_arun", "_acontinue_run"),
    "wrap_generator_async": ("_arun_stream", "_acontinue_run_stream"),
}
_STEPS = {
    "wrap": "execute", "wrap_generator": "execute_stream", "wrap_async": "aexecute",
    "wrap_generator_async": "aexecute_stream",
}  # fmt: skip
_DATABASES = (
    "in_memory.in_memory_db", "json.json_db", "gcs_json.gcs_json_db", "sqlite.sqlite", "sqlite.async_sqlite",
    "postgres.postgres", "postgres.async_postgres", "mysql.mysql", "mysql.async_mysql", "mongo.mongo",
    "mongo.async_mongo", "redis.redis", "valkey.valkey", "firestore.firestore", "singlestore.singlestore",
    "surrealdb.surrealdb", "dynamo.dynamo", "clickhouse.clickhouse",
)  # fmt: skip
"""Where memories are kept: the manager, the agents and the tools of a model's all go there."""
_MEMORIES = {
    "get_user_memory": "search_memory", "get_user_memories": "search_memory", "upsert_user_memory": "upsert_memory",
    "upsert_memories": "upsert_memory", "delete_user_memory": "delete_memory", "delete_user_memories": "delete_memory",
    "clear_memories": "delete_memory",
}  # fmt: skip
_VERDICTS = ("pass", "trip")
_TRIPS = ("InputCheckError", "OutputCheckError")
_OUTCOMES = {"PAUSED": "interrupted", "CANCELLED": "cancelled", "ERROR": "error"}


class AgnoIntegration:
    """Wraps what the library's own dispatch calls, whichever way a run is asked for."""

    name = "agno"
    target = "agno"
    requires = ">=3.0,<4"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch what is imported, now and later."""
        calls = MethodCalls(_REPORTER, patches)
        for name, wrap in (
            ("agent._run", _runs), ("team._run", _runs), ("workflow.workflow", _workflows), ("workflow.step", _steps),
            ("models.base", _models), ("tools.function", _tools), ("knowledge.knowledge", _knowledge),
            ("guardrails.base", _guardrails),
        ):  # fmt: skip
            patches.when_imported(f"agno.{name}", partial(wrap, calls))
        for name in _DATABASES:
            patches.when_imported(f"agno.db.{name}", partial(_memories, calls))


def _runs(calls: MethodCalls, module: ModuleType) -> None:
    for way, names in _RUNS.items():
        for name in names:
            getattr(calls, way)(module, name, _run, _ran)


def _workflows(calls: MethodCalls, module: ModuleType) -> None:
    for way, name in _STEPS.items():
        getattr(calls, way)(module.Workflow, f"_{name}", _workflow, _ran)


def _steps(calls: MethodCalls, module: ModuleType) -> None:
    for way, name in _STEPS.items():
        getattr(calls, way)(module.Step, name, _step, _stepped)


def _models(calls: MethodCalls, module: ModuleType) -> None:
    calls.wrap(module.Model, "_invoke_with_retry", _model, _replied, asks=True)
    calls.wrap_async(module.Model, "_ainvoke_with_retry", _model, _replied, asks=True)
    calls.wrap_generator(module.Model, "_invoke_stream_with_retry", _model, _streamed)
    calls.wrap_generator_async(module.Model, "_ainvoke_stream_with_retry", _model, _streamed)


def _tools(calls: MethodCalls, module: ModuleType) -> None:
    calls.wrap(module.FunctionCall, "execute", _tool, _result)
    calls.wrap_async(module.FunctionCall, "aexecute", _tool, _result)


def _knowledge(calls: MethodCalls, module: ModuleType) -> None:
    calls.wrap(module.Knowledge, "search", _search, _documents)
    calls.wrap_async(module.Knowledge, "asearch", _search, _documents)


def _guardrails(calls: MethodCalls, module: ModuleType) -> None:
    calls.wrap_below(
        module.BaseGuardrail, dict.fromkeys(("check", "async_check"), (_checks, partial(_verdict, "pass"), _tripped))
    )


def _memories(calls: MethodCalls, module: ModuleType) -> None:
    for database in vars(module).values():
        if (
            isinstance(database, type)
            and database.__module__ == module.__name__
            and "upsert_user_memory" in vars(database)
        ):
            for name, operation in _MEMORIES.items():
                method = vars(database).get(name)
                if method is not None:
                    wrap = calls.wrap_async if iscoroutinefunction(method) else calls.wrap
                    end = _remembered if operation == "search_memory" else _done
                    wrap(database, name, partial(_memory, operation, signature(method)), end)


# --- each function: what begins, and what its result tells ---------------------------------------


def _run(instance: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    agent = args[0] if args else kwargs.get("agent", kwargs.get("team"))
    response = kwargs.get("run_response", args[1] if len(args) > 1 else None)
    tools = getattr(agent, "tools", None)
    description = getattr(agent, "description", None)
    attributes: dict[str, Any] = {
        semconv.AGENT_ID: _text(getattr(agent, "id", None)),
        semconv.AGENT_DESCRIPTION: _text(description),
        semconv.CONVERSATION_ID: _text(kwargs.get("session_id", getattr(response, "session_id", None))),
        semconv.USER_ID: _text(kwargs.get("user_id")),
        **tool_definitions(_about(tool) for tool in (tools if isinstance(tools, list) else ())),
        **content(semconv.INPUT, getattr(getattr(response, "input", None), "input_content", None)),
    }
    name = getattr(agent, "name", None)
    call = start(
        "agent", name if type(name) is str else type(agent).__name__, attributes=attributes, reporter=_REPORTER
    )
    if isinstance(call, Call):
        _approvals(call, response)
    return call


def _about(tool: Any) -> tuple[Any, Any]:
    """Name and description of a tool, which may be a function, a toolkit, or the library's own object."""
    name = getattr(tool, "name", None) or getattr(tool, "__name__", None)
    return name, getattr(tool, "description", None) or getattr(tool, "__doc__", None)


def _waiting(tool: Any) -> WaitingCall:
    return WaitingCall(tool.tool_call_id, str(tool.tool_name), tool.tool_args)


def _approvals(call: Call, response: Any) -> None:
    """A run that goes on: what a person has said of the tools that it had stopped for."""
    answers = []
    for tool in getattr(response, "tools", None) or ():
        confirmed = getattr(tool, "confirmed", None)
        if getattr(tool, "requires_confirmation", None) and type(confirmed) is bool:
            reason = getattr(tool, "confirmation_note", None)
            answers.append(
                _questions.approval(_waiting(tool), approved=confirmed, reason=reason, checkpoint=tool.tool_call_id)
            )
    _questions.resumed(call, answers)


def _ran(call: Call, output: Any) -> None:
    status = getattr(getattr(output, "status", None), "value", None)
    call.update(content(semconv.OUTPUT, getattr(output, "content", None)))
    waiting = [tool for tool in getattr(output, "tools", None) or () if getattr(tool, "is_paused", False)]
    if waiting and status in (None, "PAUSED"):
        _questions.asked(call, [_waiting(tool) for tool in waiting])
    outcome = _OUTCOMES.get(str(status))
    if outcome is not None:
        call.finish(outcome)


def _workflow(workflow: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    given = kwargs.get("execution_input", args[1] if len(args) > 1 else None)
    attributes = content(semconv.INPUT, getattr(given, "input", None))
    name = getattr(workflow, "name", None)
    return start("workflow", name if type(name) is str else "workflow", attributes=attributes, reporter=_REPORTER)


def _step(step: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    given = kwargs.get("step_input", args[0] if args else None)
    attributes = content(semconv.INPUT, getattr(given, "input", None))
    name = getattr(step, "name", None)
    shown = name if type(name) is str else "step"
    return start("task", shown, attributes=attributes, reporter=_REPORTER, span_name=shown)


def _stepped(call: Call, output: Any) -> None:
    call.update(content(semconv.OUTPUT, getattr(output, "content", None)))
    if getattr(output, "success", True) is False:
        error_text(call, getattr(output, "error", None))
        call.finish("error")


def _model(model: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    return start("llm", _text(getattr(model, "id", None)), reporter=_REPORTER)


def _replied(model: Any, args: tuple[Any, ...], kwargs: Arguments, call: Call, response: Any) -> None:
    calls = getattr(response, "tool_calls", None)
    reply = {"content": getattr(response, "content", None), **({"tool_calls": calls} if calls else {})}
    model_reply(
        call, reply=reply, tools=kwargs.get("tools"), tool_choice=kwargs.get("tool_choice"), usage=_usage(response)
    )


def _streamed(call: Call, last: Any) -> None:
    """What was said is in the pieces before; the last one has the figures."""
    model_reply(call, usage=_usage(last))


def _usage(response: Any) -> dict[str, Any] | None:
    usage = getattr(response, "response_usage", None)
    shares = (("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens"))
    tokens = {name: getattr(usage, theirs, None) for name, theirs in shares}
    return tokens if any(tokens.values()) else None


def _tool(call: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    function = call.function
    attributes = {
        semconv.TOOL_CALL_ID: _text(call.call_id),
        semconv.TOOL_DESCRIPTION: _text(getattr(function, "description", None)),
        **content(semconv.TOOL_CALL_ARGUMENTS, call.arguments),
    }
    bodies = tuple(body for body in tracked_in(getattr(function, "entrypoint", None)) if body.kind == "tool")
    return start("tool", str(function.name), attributes=attributes, reporter=_REPORTER, bodies=bodies)


def _result(call: Call, outcome: Any) -> None:
    call.update(content(semconv.TOOL_CALL_RESULT, outcome.result))
    if outcome.status == "failure":  # what the tool raised, the model is told
        error_text(call, outcome.error)
        call.finish("error")


def _checks(guardrail: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    name, around = type(guardrail).__name__, current_call()
    if around is not None and (around.kind, around.name) == ("guardrail", name):
        return None  # one of its two methods calls the other
    given = kwargs.get("run_input", args[0] if args else None)
    attributes = content(semconv.INPUT, getattr(given, "input_content", None))
    return start("guardrail", name, attributes=attributes, reporter=_REPORTER)


def _verdict(chosen: str, call: Call, result: Any, reason: str | None = None) -> None:
    options = [{"name": name} for name in _VERDICTS]
    reason = reason if setting("capture_content") else None
    call.update(decision_attributes(chosen, name=call.name, options=options, reason=reason, by="code"))


def _tripped(call: Call, error: Exception) -> bool:
    """That is how it says no; what else it raises is an error of its own."""
    if not any(base.__name__ in _TRIPS for base in type(error).__mro__):
        return False
    told = getattr(error, "message", None)
    _verdict("trip", call, None, told if type(told) is str else None)
    return True


def _search(knowledge: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    name = getattr(knowledge, "name", None)
    top = kwargs.get("max_results")
    attributes = {
        semconv.RETRIEVAL_TOP_K: top if type(top) is int else None,
        **content(semconv.RETRIEVAL_QUERY, kwargs.get("query", args[0] if args else None)),
    }
    return start("retriever", name if type(name) is str else "knowledge", attributes=attributes, reporter=_REPORTER)


def _documents(call: Call, found: Any) -> None:
    if isinstance(found, list):
        rows = [
            {"id": getattr(each, "id", None), "content": getattr(each, "content", None),
             "score": getattr(each, "reranking_score", None), "metadata": getattr(each, "meta_data", None) or None}
            for each in found
        ]  # fmt: skip
        rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
        call.update(content(semconv.RETRIEVAL_DOCUMENTS, rows))


def _memory(operation: str, form: Signature, database: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    given = form.bind_partial(database, *args, **kwargs).arguments
    written = [given["memory"]] if "memory" in given else given.get("memories")
    about: dict[str, Any] = {
        semconv.USER_ID: _text(given.get("user_id")) or _text(getattr(given.get("memory"), "user_id", None))
    }
    if isinstance(written, list):
        about.update(_records(written))
    elif isinstance(ids := given.get("memory_ids"), list):
        about[semconv.MEMORY_RECORD_COUNT] = len(ids)
    record = given.get("memory_id", getattr(given.get("memory"), "memory_id", None))
    return memory_call(
        operation, getattr(database, "memory_table_name", None), _REPORTER, about, record=record,
        query=given.get("search_content"),
    )  # fmt: skip


def _remembered(call: Call, found: Any) -> None:
    if isinstance(found, tuple):  # with how many there are in all
        found = found[0]
    call.update(_records(found if isinstance(found, list) else [] if found is None else [found]))


def _done(call: Call, result: Any) -> None:
    """What a write results in says no more."""


def _records(memories: list[Any]) -> dict[str, Any]:
    values = [each if isinstance(each, dict) else vars(each) for each in memories]
    return memory_records(
        {"content": each.get("memory"), "id": each.get("memory_id"), "metadata": _about_memory(each)} for each in values
    )


def _about_memory(memory: dict[str, Any]) -> dict[str, Any] | None:
    return {name: memory[name] for name in ("topics", "agent_id", "team_id") if memory.get(name)} or None


def _text(value: Any) -> str | None:
    return value if type(value) is str else None


integration = AgnoIntegration()
