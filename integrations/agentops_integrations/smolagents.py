"""smolagents, at the methods by which agents run, take their steps, ask their models and call their tools.

The library's callbacks come after a step, in which nothing can be made current any more; so the methods are wrapped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from inspect import signature
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary, ref

from agentops_sdk.integration import (
    Call,
    Patches,
    decision_attributes,
    semconv,
    start,
    tracked_in,
)
from agentops_sdk.integration.frameworks import MethodCalls, content, model_reply, tool_definitions

Arguments = Mapping[str, Any]
_REPORTER = "smolagents"
_VERDICTS = ("pass", "trip")
_INTERPRETER = "python_interpreter"
"""What the library calls the tool by which an agent that writes code has it run."""


_live: WeakKeyDictionary[Call, Callable[[], Any]] = WeakKeyDictionary()
"""By call the agent that runs."""


class SmolagentsIntegration:
    """Wraps agents, their models, their tools and the executors of their code."""

    name = "smolagents"
    target = "smolagents"
    requires = ">=1.20,<2"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch what is imported, now and later."""
        calls = MethodCalls(_REPORTER, patches)
        for name, wrap in (
            ("agents", _agents), ("models", _models), ("tools", _tools), ("local_python_executor", _executors),
            ("remote_executors", _executors),
        ):  # fmt: skip
            patches.when_imported(f"smolagents.{name}", partial(wrap, calls))


def _agents(calls: MethodCalls, module: ModuleType) -> None:
    calls.wrap_generator(module.MultiStepAgent, "_run_stream", _agent, _answer)
    calls.wrap_generator(module.MultiStepAgent, "_generate_planning_step", _planning, _plan)
    for name in ("ToolCallingAgent", "CodeAgent"):
        calls.wrap_generator(getattr(module, name), "_step_stream", _step, _no_end)
    calls.wrap(module.MultiStepAgent, "_validate_final_answer", _checks, _passed, _tripped)


def _models(calls: MethodCalls, module: ModuleType) -> None:
    for model in dict.fromkeys(value for value in vars(module).values() if isinstance(value, type)):  # some twice
        if issubclass(model, module.Model) and model is not module.Model:
            if "generate" in vars(model):
                remote = issubclass(model, getattr(module, "ApiModel", ()))
                calls.wrap(model, "generate", _model, partial(_reply, remote), asks=True)
            if "generate_stream" in vars(model):
                calls.wrap_generator(model, "generate_stream", _model, _no_end)


def _tools(calls: MethodCalls, module: ModuleType) -> None:
    calls.wrap(module.Tool, "__call__", _tool, _result)


def _executors(calls: MethodCalls, module: ModuleType) -> None:
    for name in ("LocalPythonExecutor", "RemotePythonExecutor"):
        executor = getattr(module, name, None)
        if executor is not None and executor.__module__ == module.__name__:
            calls.wrap(executor, "__call__", _code, _output)


# --- each method: what begins, and what its result tells -----------------------------------------


def _agent(agent: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    tools = {**agent.tools, **agent.managed_agents}
    description = getattr(agent, "description", None)
    attributes = {
        semconv.AGENT_DESCRIPTION: description if type(description) is str else None,
        **tool_definitions((name, getattr(tool, "description", None)) for name, tool in tools.items()),
        **content(semconv.INPUT, kwargs.get("task", args[0] if args else None)),
    }
    call = start("agent", _name(agent), attributes=attributes, reporter=_REPORTER)
    if isinstance(call, Call):
        _live[call] = ref(agent)
    return call


def _name(agent: Any) -> str:
    name = getattr(agent, "name", None)
    return name if type(name) is str else type(agent).__name__


def _answer(call: Call, last: Any) -> None:
    call.update(content(semconv.OUTPUT, getattr(last, "output", None)))
    agent = _live.pop(call, lambda: None)()
    if last is None and getattr(agent, "interrupt_switch", False):
        call.finish("cancelled")  # by ``agent.interrupt()``, of which the library makes an error


def _step(agent: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    step = kwargs.get("memory_step", args[0] if args else None)
    attributes = {semconv.INTERNAL: True}
    return start("task", f"step {getattr(step, 'step_number', '')}", attributes=attributes, reporter=_REPORTER)


def _planning(agent: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    return start("plan", _name(agent), reporter=_REPORTER)


def _plan(call: Call, last: Any) -> None:
    call.update(content(semconv.OUTPUT, getattr(last, "plan", None)))


def _checks(agent: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    return start("guardrail", "final answer", reporter=_REPORTER)


def _passed(call: Call, result: Any) -> None:
    _verdict(call, _VERDICTS[0])


def _tripped(call: Call, error: Exception) -> bool:
    _verdict(call, _VERDICTS[1])
    return True


def _verdict(call: Call, chosen: str) -> None:
    options = [{"name": name} for name in _VERDICTS]
    call.update(decision_attributes(chosen, name="final answer", options=options, by="code"))


def _model(model: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    name = getattr(model, "model_id", None)
    return start("llm", name if type(name) is str else None, reporter=_REPORTER)


def _reply(remote: bool, model: Any, args: tuple[Any, ...], kwargs: Arguments, call: Call, message: Any) -> None:
    usage = getattr(message, "token_usage", None)
    model_reply(
        call, reply=_message(message), tools=_offered(kwargs), tool_choice=_choice(model, kwargs) if remote else None,
        usage=None if usage is None else {
            "prompt_tokens": usage.input_tokens, "completion_tokens": usage.output_tokens
        },
    )  # fmt: skip


def _offered(kwargs: Arguments) -> list[dict[str, Any]]:
    tools = kwargs.get("tools_to_call_from") or ()
    return [
        {"type": "function", "function": {"name": tool.name, "description": getattr(tool, "description", None)}}
        for tool in tools
    ]


def _choice(model: Any, kwargs: Arguments) -> Any:
    """What the library asks for of the choice: where nobody says so, what its method has as a default."""
    given = {**kwargs, **(getattr(model, "kwargs", None) or {})}
    if "tool_choice" in given:
        return given["tool_choice"]
    prepare = signature(type(model)._prepare_completion_kwargs)  # noqa: SLF001 - nothing public tells
    return getattr(prepare.parameters.get("tool_choice"), "default", None)


def _message(message: Any) -> dict[str, Any]:
    calls = [
        {"id": call.id, "type": "function",
         "function": {"name": call.function.name, "arguments": call.function.arguments}}
        for call in getattr(message, "tool_calls", None) or ()
    ]  # fmt: skip
    return {"content": message.content, **({"tool_calls": calls} if calls else {})}


def _tool(tool: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    given = {name: value for name, value in kwargs.items() if name != "sanitize_inputs_outputs"}
    attributes = {
        semconv.TOOL_DESCRIPTION: tool.description if type(tool.description) is str else None,
        **content(semconv.TOOL_CALL_ARGUMENTS, given or list(args)),
    }
    bodies = tuple(body for body in tracked_in(getattr(tool, "forward", None)) if body.kind == "tool")
    return start("tool", str(tool.name), attributes=attributes, reporter=_REPORTER, bodies=bodies)


def _result(call: Call, result: Any) -> None:
    call.update(content(semconv.TOOL_CALL_RESULT, result))


def _code(executor: Any, args: tuple[Any, ...], kwargs: Arguments) -> Any:
    code = kwargs.get("code_action", args[0] if args else None)
    attributes = content(semconv.TOOL_CALL_ARGUMENTS, {"code": code})
    return start("tool", _INTERPRETER, attributes=attributes, reporter=_REPORTER)


def _output(call: Call, result: Any) -> None:
    output = {"logs": getattr(result, "logs", None), "output": getattr(result, "output", None)}
    call.update(content(semconv.TOOL_CALL_RESULT, output))


def _no_end(call: Call, result: Any) -> None:
    """What it results in says no more."""


integration = SmolagentsIntegration()
