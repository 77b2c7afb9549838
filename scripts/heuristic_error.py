"""Measures how far the rule of thumb and the tokenizers are from what providers reported, on recorded traffic.

Prints a Markdown table; ``--write`` puts it into ``docs/cost.md``. The recordings lie beside the
checkout, in ``../shared/recorded``. The tokenizers take part where their files are cached.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agentops_sdk import semconv
from agentops_sdk._usage import encodings
from agentops_sdk._usage.provider_usage import usage_attributes
from agentops_sdk._usage.token_count import work_out

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "cost.md"
START, END = "<!-- measured: start -->", "<!-- measured: end -->"
sys.path.insert(0, str(ROOT))

Case = tuple[str, dict[str, Any], dict[str, Any]]


def cases() -> Iterator[Case]:
    """Provider, what a span would hold without usage, and what the provider reported."""
    from tests.usage.recorded import exchanges

    for one in exchanges():
        if one.shape not in ("openai.chat", "anthropic.messages"):
            continue
        reported = usage_attributes(one.shape, one.usage)
        attributes = _attributes(one)
        if attributes is not None:
            yield one.provider, attributes, reported


def _attributes(one: Any) -> dict[str, Any] | None:
    request = one.request
    asked = [_message(message) for message in request.get("messages") or ()]
    system = request.get("system")
    if isinstance(system, str):
        system = [{"type": "text", "content": system}]
    elif isinstance(system, list):
        system = [{"type": "text", "content": part.get("text", "")} for part in system]
    said = _answer(one.events)
    if not asked or not said:
        return None
    if any(part["type"] == "opaque" for message in [*asked, *said] for part in message["parts"]):
        return None
    tools = [_tool(tool) for tool in request.get("tools") or ()]
    if None in tools:
        return None  # a tool that the provider runs adds a prompt of its own
    return {
        semconv.KIND: "llm",
        semconv.OUTCOME: "ok",
        semconv.RESPONSE_MODEL: one.model,
        semconv.INPUT_MESSAGES: json.dumps(asked),
        semconv.OUTPUT_MESSAGES: json.dumps(said),
        semconv.SYSTEM_INSTRUCTIONS: json.dumps(system) if system else None,
        semconv.TOOL_DEFINITIONS: json.dumps(tools) if tools else None,
    }


def _tool(tool: dict[str, Any]) -> dict[str, Any] | None:
    function = tool.get("function", tool)
    schema = function.get("parameters", function.get("input_schema"))
    if not isinstance(schema, dict) or "name" not in function:
        return None
    return {"name": function["name"], "description": function.get("description"), "parameters": schema}


def _message(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    parts = [{"type": "text", "content": content}] if isinstance(content, str) else [_part(p) for p in content or ()]
    for call in message.get("tool_calls") or ():
        function = call.get("function", {})
        parts.append({"type": "tool_call", "name": function.get("name"), "arguments": function.get("arguments")})
    return {"role": message.get("role"), "parts": parts}


def _part(part: dict[str, Any]) -> dict[str, Any]:
    kind = part.get("type")
    if kind == "text":
        return {"type": "text", "content": part.get("text", "")}
    if kind == "tool_use":
        return {"type": "tool_call", "name": part.get("name"), "arguments": part.get("input")}
    if kind == "tool_result":
        return {"type": "tool_call_response", "response": part.get("content")}
    if kind == "thinking":
        return {"type": "reasoning", "content": part.get("thinking", "")}
    return {"type": "opaque"}  # pictures, documents, results of tools that the provider ran


def _answer(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(events) == 1:
        body = events[0]
        if "choices" in body:
            return [_message(choice["message"]) for choice in body["choices"] if "message" in choice]
        return [_message({"role": "assistant", "content": body.get("content")})]
    text, names, arguments = "", "", ""
    for event in events:
        for choice in event.get("choices") or ():
            delta = choice.get("delta") or {}
            text += (delta.get("content") if isinstance(delta.get("content"), str) else "") or ""
            for call in delta.get("tool_calls") or ():
                names += (call.get("function") or {}).get("name") or ""
                arguments += (call.get("function") or {}).get("arguments") or ""
        block = event.get("content_block") or {}
        if block.get("type") not in (None, "text", "tool_use", "thinking"):
            return [{"role": "assistant", "parts": [{"type": "opaque"}]}]
        names += block.get("name") or ""
        delta = event.get("delta") or {}
        if isinstance(delta, dict):
            text += (delta.get("text") or "") + (delta.get("thinking") or "")
            arguments += delta.get("partial_json") or ""
    parts: list[dict[str, Any]] = [{"type": "text", "content": text}] if text else []
    if names:
        parts.append({"type": "tool_call", "name": names, "arguments": arguments})
    return [{"role": "assistant", "parts": parts}] if parts else []


def measure(*, tokenizers: bool) -> dict[str, tuple[list[float], list[float], float]]:
    """Per provider: relative errors of input and of output, and of all tokens together."""
    if not tokenizers:
        encodings.loaded = lambda _: None  # type: ignore[assignment]  # as without tokenizers
    errors: dict[str, tuple[list[float], list[float], list[int]]] = {}
    for provider, attributes, reported in cases():
        model = attributes[semconv.RESPONSE_MODEL]
        if tokenizers and not (provider == "openai" and encodings.name_for(model)):
            continue
        hidden = reported.get(semconv.USAGE_REASONING, 0)
        work_out(attributes)
        inputs, outputs, sums = errors.setdefault(provider, ([], [], [0, 0]))
        for name, into in ((semconv.USAGE_INPUT_TOKENS, inputs), (semconv.USAGE_OUTPUT_TOKENS, outputs)):
            told = reported.get(name, 0) - (hidden if name == semconv.USAGE_OUTPUT_TOKENS else 0)
            worked_out = attributes.get(name, 0)
            if told > 0:
                into.append((worked_out - told) / told)
                sums[0] += worked_out
                sums[1] += told
    return {
        name: (inputs, outputs, sums[0] / sums[1] - 1) for name, (inputs, outputs, sums) in errors.items() if sums[1]
    }


def table() -> str:
    """Both measurements as Markdown."""
    lines = []
    kept = encodings.loaded
    for title, tokenizers in (("tokenizer", True), ("rule of thumb", False)):
        for provider, (inputs, outputs, overall) in sorted(measure(tokenizers=tokenizers).items()):
            if len(inputs) < 3:
                continue
            cells = [f"{len(inputs)}"]
            for errors in (inputs, outputs):
                absolute = sorted(abs(error) for error in errors)
                median = statistics.median(absolute)
                worst = absolute[max(0, round(len(absolute) * 0.9) - 1)]
                cells.append(f"{median:.0%} ({worst:.0%})")
            cells.append(f"{overall:+.0%}")
            lines.append(f"| {title} | {provider} | " + " | ".join(cells) + " |")
    encodings.loaded = kept
    head = (
        "| method | provider | calls | input: median (9 of 10 within) | output: median (9 of 10 within) | all tokens |"
    )
    return "\n".join([head, "|---|---|---|---|---|---|", *lines])


if __name__ == "__main__":
    made = table()
    if "--write" in sys.argv[1:]:
        page = PAGE.read_text("utf-8")
        before, _, rest = page.partition(START)
        PAGE.write_text(f"{before}{START}\n{made}\n{END}{rest.partition(END)[2]}", "utf-8")
    print(made)
