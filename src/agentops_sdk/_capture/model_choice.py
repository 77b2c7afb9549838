"""The one writer of a model's choice: what it did with the tools it was offered, told by a reply that is finished."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agentops_sdk import semconv
from agentops_sdk._capture.decision_attributes import ANSWERED, decision_attributes

REFUSED = "refusal"
"""The option of a model that would not answer; it exists only once it was taken."""

_CALLS = ("tool_call", "server_tool_call")
_NOT_BY_THE_MODEL = semconv.REFUSAL_REASONS | {
    "error", "failed", "abort", "aborted", "cancel", "cancelled", "canceled", "timeout", "pause_turn",
    "malformed_function_call", "prohibited_content", "blocklist", "recitation", "spii",
    # newer ones of Anthropic's, Bedrock's and Google's
    "compaction", "malformed_model_output", "malformed_tool_use", "malformed_response", "missing_thought_signature",
    "unexpected_tool_call", "too_many_tool_calls", "language", "other", "no_image", "image_safety", "image_other",
    "image_prohibited_content", "image_recitation", "model_armor",
}  # fmt: skip


def ended_by_model(finish_reason: Any) -> bool:
    """Whether a finish reason says that the model itself came to an end: not a filter, an error or a reader who left.

    ``False`` also for none at all, which is what a stream has that was cut off.
    """
    return bool(finish_reason) and str(finish_reason).lower() not in _NOT_BY_THE_MODEL


def model_choice(
    offered: Sequence[Mapping[str, Any]],
    message_parts: Iterable[Mapping[str, Any]],
    *,
    finished: bool,
    forced: bool = False,
    forbidden: bool = False,
) -> dict[str, Any]:
    """``agentops.decision.*`` of a model that was offered tools, or that refused; empty where it decided nothing.

    What was not said was not decided: only tool calls that are whole are choices, and a reply that says nothing
    is no answer.

    Args:
        offered: the tools, each with a ``name`` and maybe a ``description``.
        said: the parts of the reply in the conventions' schema, all choices together.
        finished: the reply came to its end, and the model ended it (see :func:`ended_by_model`).
        forced: it had to call a tool.
        forbidden: it could not call any.
    """
    parts = list(message_parts)
    begun = [part for part in parts if part.get("type") in _CALLS]
    calls = [part for part in begun if (not _is_torn(part) if finished else _is_whole(part))]
    # A limit on tokens may end a reply in the middle of a call: that call was not made, and nothing answered instead.
    finished = finished and (bool(calls) or not begun)
    refusal = _text(parts, "refusal") if finished else ""
    spoke = any(part.get("type") != "reasoning" for part in parts)
    tools = [] if forbidden else list(offered)
    if not (calls or refusal or (finished and spoke)) or not (tools or refusal):
        return {}
    names = [str(part.get("name") or "") for part in calls] or [REFUSED if refusal else ANSWERED]
    known = {str(tool.get("name")) for tool in tools}
    options = [_option(tool) for tool in tools]
    if not forced:
        options.append({"name": ANSWERED})
    if refusal:
        options.append({"name": REFUSED})
    # What it says beside a tool call is why it makes the call.
    reason = refusal or _text(parts, "reasoning") or (_text(parts, "text") if calls else "")
    return decision_attributes(
        names,
        name="tool choice" if tools else "answer or refuse",
        options=options,
        among=known if calls else None,
        reason=reason or None,
        by="model",
        forced=forced,
    )


def _option(tool: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": str(tool.get("name")), **({"description": about} if (about := tool.get("description")) else {})}


def _is_whole(call: Mapping[str, Any]) -> bool:
    """Arguments that were cut off are text that is no JSON object; a call that has just begun has none at all."""
    arguments = call.get("arguments", call.get("server_tool_call"))
    return bool(call.get("name")) and isinstance(arguments, Mapping)


def _is_torn(call: Mapping[str, Any]) -> bool:
    """Arguments that end before their JSON does; what is no JSON for another reason is what the model wrote."""
    arguments = call.get("arguments", call.get("server_tool_call"))
    if not isinstance(arguments, str) or not arguments.strip().startswith("{"):
        return False
    try:
        json.loads(arguments)
    except json.JSONDecodeError as problem:
        return problem.pos >= len(arguments.rstrip()) or problem.msg.startswith("Unterminated string")
    return False


def _text(parts: Iterable[Mapping[str, Any]], kind: str) -> str:
    return "\n".join(str(part["content"]) for part in parts if part.get("type") == kind and part.get("content"))
