"""Results of tools that a replayed run got from a server, in the SDK's own classes: the server is not asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from agentops_sdk.integration import tool_answers

_SCHEMAS = "_tool_output_schemas"


def sender(wrapped: Any) -> Any:
    """What sends requests: the SDK's method, or while a run is replayed whoever has the answers to calls of tools."""
    return wrapped if tool_answers() is None else partial(_send, wrapped)


async def _send(wrapped: Any, request: Any, result_type: Any, *args: Any, **kwargs: Any) -> Any:
    inner = getattr(request, "root", request)
    answers = tool_answers()
    if getattr(inner, "method", None) != "tools/call" or answers is None:
        return await wrapped(request, result_type, *args, **kwargs)
    answer = answers(inner.params.name, dict(inner.params.arguments or {}))
    if answer is None:
        return await wrapped(request, result_type, *args, **kwargs)
    if "error" in answer:
        raise _refusal(*answer["error"])
    validate = getattr(result_type, "model_validate", None) or result_type.validate_python
    return validate({"content": _blocks(str(answer["text"])), "isError": answer["is_error"]})


async def checked(wrapped: Any, session: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Before the SDK holds a result against what the tool promises: structured content, which no span has."""
    if tool_answers() is not None:
        await _complete(session, *args, **kwargs)
    return await wrapped(*args, **kwargs)


async def _complete(session: Any, name: str, result: Any) -> None:
    if name not in getattr(session, _SCHEMAS, {}):  # the SDK would ask for them now
        await session.list_tools()
    schema = getattr(session, _SCHEMAS, {}).get(name)
    field = "structuredContent" if hasattr(result, "structuredContent") else "structured_content"
    if isinstance(schema, Mapping) and getattr(result, field, None) is None:
        setattr(result, field, _structured([getattr(each, "text", "") for each in result.content], schema))


def _refusal(code: int, message: str) -> Exception:
    """The SDK's own exception, of either version."""
    import mcp
    from mcp.types import ErrorData

    first: Any = getattr(mcp, "McpError", None)
    if first is not None:
        refusal: Exception = first(ErrorData(code=code, message=message))
        return refusal
    second: Any = mcp.MCPError  # type: ignore[attr-defined]  # version 2's
    refusal = second(code, message)
    return refusal


def _blocks(text: str) -> list[Any]:
    """The content that a span has as the text of its only block, or as a list."""
    value = _parsed(text)
    is_list = isinstance(value, list) and all(isinstance(each, dict) and "type" in each for each in value)
    return value if is_list else [{"type": "text", "text": text}]


def _structured(texts: list[str], schema: Mapping[str, Any]) -> Any:
    """What servers made of this SDK tell as ``result``, or as an object that is the only text."""
    values = [_parsed(text) for text in texts]
    inner = (schema.get("properties") or {}).get("result")
    if not isinstance(inner, Mapping):
        return values[0] if values else None
    if inner.get("type") == "array":
        return {"result": values}
    return {"result": "".join(texts) if inner.get("type") == "string" else values[0] if values else None}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
