"""What the client's tool runners call by themselves: each call is a span, beside those of the model's calls.

One runner calls the functions that a reply names; another the action that a decision has selected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial, wraps
from inspect import isawaitable
from typing import Any

from agentops_sdk.integration import (
    NULL_CALL,
    Begun,
    Patches,
    around,
    around_async,
    guard,
    semconv,
    snapshot,
    start,
    tracked_in,
)

_SITE = "openai.function_runner"
_MODULE = "openai.lib.responses_tool_runner"
_DECISIONS = "openai.lib.decisions_tool_runner"
_METHOD = "_execute_function"

Wrapped = Callable[..., Any]


def install(patches: Patches) -> None:
    """Patch the runners once they are imported."""
    patches.when_imported(_MODULE, partial(_patch, patches))
    patches.when_imported(_DECISIONS, partial(_patch_decisions, patches))


def _patch(patches: Patches, module: Any) -> None:
    patches.wrap(module.ResponsesToolRunner, _METHOD, _execute)
    patches.wrap(module.AsyncResponsesToolRunner, _METHOD, _execute_async)


def _patch_decisions(patches: Patches, module: Any) -> None:
    patches.wrap(module._Run, "select", _select)  # noqa: SLF001 - both runners ask it, and nothing public tells which


def _begin(runner: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun | None:
    run, item = args
    function = runner._functions[item.name]  # noqa: SLF001 - the runner's own table, as its method reads it
    about = function.tool.get("description")
    attributes = {
        semconv.TOOL_CALL_ID: item.call_id,
        semconv.TOOL_DESCRIPTION: about if isinstance(about, str) and about else None,
    }
    bodies = tuple(body for body in tracked_in(function.execute) if body.kind == "tool")
    call: Any = start("tool", str(item.name), attributes=attributes, reporter="openai", bodies=bodies)
    if call is NULL_CALL:
        return None
    call.set(semconv.TOOL_CALL_ARGUMENTS, snapshot(run.arguments[item.call_id]).decode())
    return Begun(call, args, kwargs)


def _accept(call: Any, output: Any) -> bool:
    result = output.get("output") if isinstance(output, dict) else output
    call.set(semconv.TOOL_CALL_RESULT, snapshot(result).decode())
    return True


def _execute(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return around(_SITE, wrapped, args, kwargs, partial(_begin, instance, args, kwargs), _accept)


def _execute_async(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return around_async(_SITE, wrapped, args, kwargs, partial(_begin, instance, args, kwargs), _accept)


# --- actions ---------------------------------------------------------------------------------------


def _select(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What the runner goes on with: the same candidate, whose action tells of itself."""
    selected = wrapped(*args, **kwargs)
    with guard(_SITE):
        candidate, usage = selected
        if candidate is not None and candidate.execute is not None:
            return replace(candidate, execute=_told(candidate)), usage
    return selected


def _told(candidate: Any) -> Wrapped:
    @wraps(candidate.execute)
    def execute(*args: Any, **kwargs: Any) -> Any:
        calls: list[Any] = []
        result = around(_SITE, candidate.execute, args, kwargs, partial(_act, candidate, calls, args, kwargs), _acted)
        if calls and isawaitable(result):
            return around_async(_SITE, lambda: result, (), {}, lambda: Begun(calls[0], (), {}), _accept)
        return result

    return execute


def _act(candidate: Any, calls: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun | None:
    attributes = {semconv.TOOL_DESCRIPTION: candidate.description}
    bodies = tuple(body for body in tracked_in(candidate.execute) if body.kind == "tool")
    call: Any = start("tool", candidate.id, attributes=attributes, reporter="openai", bodies=bodies)
    if call is NULL_CALL:
        return None
    calls.append(call)
    return Begun(call, args, kwargs)


def _acted(call: Any, result: Any) -> bool:
    return not isawaitable(result) and _accept(call, result)
