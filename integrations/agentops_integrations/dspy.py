"""DSPy, at the methods that its callbacks stand on: modules, models, adapters, tools, evaluations, optimizers.

The list of callbacks belongs to a context, may be set by one thread only, and is replaced by whoever sets it. The
methods are the same for every list, and for each engine that asks a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

from agentops_sdk.integration import Call, Patches, current_call, guard, semconv, setting, start, tracked_in
from agentops_sdk.integration.frameworks import MethodCalls, content, model_reply, tool_definitions

Arguments = Mapping[str, Any]
_REPORTER = "dspy"
_AGENTS = frozenset(("ReAct", "CodeAct", "RLM", "ProgramOfThought", "Avatar"))
"""The library's modules that act in a loop."""
_SETTINGS = {
    "temperature": semconv.REQUEST_TEMPERATURE, "top_p": semconv.REQUEST_TOP_P, "top_k": semconv.REQUEST_TOP_K,
    "frequency_penalty": semconv.REQUEST_FREQUENCY_PENALTY, "presence_penalty": semconv.REQUEST_PRESENCE_PENALTY,
    "seed": semconv.REQUEST_SEED, "max_tokens": semconv.REQUEST_MAX_TOKENS,
    "max_completion_tokens": semconv.REQUEST_MAX_TOKENS, "n": semconv.REQUEST_CHOICE_COUNT,
}  # fmt: skip
_FINISH_REASONS = {"tool_call": "tool_calls"}
"""Those that OpenAI calls otherwise."""


class DSPyIntegration:
    """Wraps the methods by which programs and the library itself call what it has."""

    name = "dspy"
    target = "dspy"
    requires = ">=3.4,<4"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch what is imported, now and later."""
        calls = MethodCalls(_REPORTER, patches)
        for name, wrap in (
            ("primitives.module", _modules), ("clients.base_lm", _models),
            ("adapters.types.tool", _tools), ("evaluate.evaluate", _evaluations), ("retrievers.retrieve", _retrievers),
        ):  # fmt: skip
            patches.when_imported(f"dspy.{name}", partial(wrap, calls))
        patches.when_imported(
            "dspy.clients.execution", lambda execution: patches.wrap(execution, "finalize", _finalize)
        )


def _modules(calls: MethodCalls, module: ModuleType) -> None:
    calls.wrap(module.Module, "__call__", _program, _prediction)
    calls.wrap_async(module.Module, "acall", _program, _prediction)


def _models(calls: MethodCalls, module: ModuleType) -> None:
    calls.wrap(module.BaseLM, "__call__", _model, _no_end)
    calls.wrap_async(module.BaseLM, "acall", _model, _no_end)


def _tools(calls: MethodCalls, module: ModuleType) -> None:
    calls.wrap(module.Tool, "__call__", _tool, _result)
    calls.wrap_async(module.Tool, "acall", _tool, _result)


def _evaluations(calls: MethodCalls, module: ModuleType) -> None:
    calls.wrap(module.Evaluate, "__call__", _evaluation, _score)


def _retrievers(calls: MethodCalls, module: ModuleType) -> None:
    calls.wrap(module.Retrieve, "__call__", _retriever, _passages)


# --- each method: what begins, and what its result tells -----------------------------------------


def _program(module: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    name = type(module).__name__
    own = not type(module).__module__.startswith("dspy.")
    around = current_call()
    kind = "agent" if name in _AGENTS else "workflow" if own and around is None else "task"
    attributes = content(semconv.INPUT, dict(kwargs) or list(args) or None)
    if kind == "agent":
        tools = getattr(module, "tools", None)
        found = tools.values() if isinstance(tools, Mapping) else ()
        attributes.update(
            tool_definitions((getattr(tool, "name", None), getattr(tool, "desc", None)) for tool in found)
        )
    if name == "Predict" and around is not None:
        attributes[semconv.INTERNAL] = True
    return start(kind, name, attributes=attributes, reporter=_REPORTER, span_name=name if kind == "task" else None)


def _prediction(call: Call, prediction: Any) -> None:
    store = getattr(prediction, "_store", None)
    call.update(content(semconv.OUTPUT, dict(store) if isinstance(store, Mapping) else prediction))


def _model(model: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    provider, _, name = str(getattr(model, "model", "")).partition("/")
    name = name or provider
    settings = getattr(model, "kwargs", None)
    given = {**(settings if isinstance(settings, Mapping) else {}), **kwargs}
    attributes: dict[str, Any] = {
        semconv.REQUEST_MODEL: name,
        semconv.PROVIDER_NAME: provider if name != provider else None,
        semconv.REQUEST_STOP_SEQUENCES: _texts(given.get("stop")),
    }
    for setting_name, attribute in _SETTINGS.items():
        if (value := _number(given.get(setting_name))) is not None:
            attributes[attribute] = value
    return start("llm", name or None, attributes=attributes, reporter=_REPORTER)


def _number(value: Any) -> Any:
    return value if type(value) in (int, float) else None


def _texts(value: Any) -> list[str] | None:
    texts = [value] if type(value) is str else value if isinstance(value, list | tuple) else ()
    return [each for each in texts if type(each) is str] or None


def _finalize(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``finalize(lm, call, result)``: where the answer of a model is known, of whichever engine."""
    with guard(_REPORTER):
        call = current_call()
        if call is not None and call.kind == "llm":
            told = dict(zip(("lm", "call", "result"), args, strict=False)) | kwargs
            _reply(call, told["call"], told["result"])
    return wrapped(*args, **kwargs)


def _reply(call: Call, asked: Any, result: Any) -> None:
    if result.cache_hit:
        call.set(semconv.CACHED, True)
    call.set(semconv.RESPONSE_MODEL, result.response_model if type(result.response_model) is str else None)
    output = result.outputs[0] if result.outputs else None
    first = result.responses[0] if result.responses else None
    reason = getattr(first, "finish_reason", None)
    call.set(semconv.RESPONSE_ID, told if type(told := getattr(first, "id", None)) is str else None)
    if type(reason) is str:
        call.set(semconv.RESPONSE_FINISH_REASONS, [_FINISH_REASONS.get(reason, reason)])
    model_reply(
        call, messages=_messages(asked) if setting("capture_content") else None,
        reply=output.get("text") if isinstance(output, Mapping) else output,
        usage=None if result.cache_hit else result.usage,
    )  # fmt: skip


def _messages(asked: Any) -> Any:
    if asked.messages is not None:
        return asked.messages
    request = getattr(asked, "request", None)
    if request is None:
        return [{"role": "user", "content": asked.prompt}]
    history_messages = import_module("dspy.clients.lm15_boundary").history_messages  # as its own history has them
    return history_messages(request)


def _tool(tool: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    description = getattr(tool, "desc", None)
    attributes = {
        semconv.TOOL_DESCRIPTION: description if type(description) is str else None,
        **content(semconv.TOOL_CALL_ARGUMENTS, dict(kwargs)),
    }
    bodies = tuple(body for body in tracked_in(getattr(tool, "func", None)) if body.kind == "tool")
    return start("tool", str(tool.name), attributes=attributes, reporter=_REPORTER, bodies=bodies)


def _result(call: Call, result: Any) -> None:
    call.update(content(semconv.TOOL_CALL_RESULT, result))


def _retriever(retriever: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    top = kwargs.get("k", getattr(retriever, "k", None))
    attributes = {
        semconv.RETRIEVAL_TOP_K: top if type(top) is int else None,
        **content(semconv.RETRIEVAL_QUERY, kwargs.get("query", args[0] if args else None)),
    }
    return start("retriever", type(retriever).__name__, attributes=attributes, reporter=_REPORTER)


def _passages(call: Call, result: Any) -> None:
    passages = result if isinstance(result, list) else getattr(result, "passages", None)
    if isinstance(passages, list):
        call.update(content(semconv.RETRIEVAL_DOCUMENTS, [{"content": each} for each in passages]))


def _evaluation(evaluation: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    return start("workflow", "evaluate", reporter=_REPORTER)


def _score(call: Call, result: Any) -> None:
    score = getattr(result, "score", result)
    if type(score) in (int, float):
        call.event(semconv.EVALUATION_EVENT, {semconv.EVALUATION_NAME: "score", semconv.EVALUATION_SCORE_VALUE: score})


def _no_end(call: Call, result: Any) -> None:
    """What it results in is told as it is recorded."""


integration = DSPyIntegration()
