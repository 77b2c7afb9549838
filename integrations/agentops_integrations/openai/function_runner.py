"""Functions that the client's tool runner calls by itself: each call is a span, beside those of the model's calls."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from agentops_sdk.integration import (
    NULL_CALL,
    Begun,
    Patches,
    around,
    around_async,
    semconv,
    snapshot,
    start,
    tracked_in,
)

_SITE = "openai.function_runner"
_MODULE = "openai.lib.responses_tool_runner"
_METHOD = "_execute_function"

Wrapped = Callable[..., Any]


def install(patches: Patches) -> None:
    """Patch both runners once they are imported."""
    patches.when_imported(_MODULE, partial(_patch, patches))


def _patch(patches: Patches, module: Any) -> None:
    patches.wrap(module.ResponsesToolRunner, _METHOD, _execute)
    patches.wrap(module.AsyncResponsesToolRunner, _METHOD, _execute_async)


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
