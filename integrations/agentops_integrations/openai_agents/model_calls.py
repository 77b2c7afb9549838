"""Model calls as the SDK tells of them: what the client below has told of the same call stands, it knows more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from agentops_sdk.integration import mark_cut, semconv, setting, snapshot_source, usage_attributes
from agentops_sdk.integration.dialects import openai_chat, openai_responses
from agentops_sdk.integration.frameworks import Run

Attributes = dict[str, Any]


def response(run: Run, data: Any, ok: bool) -> None:
    """Of the Responses API. Its response is not there where the program keeps content out of traces."""
    if ok and data.response is None:
        _hide(run)
    _usage(run, "openai.responses", data.usage)
    reply = data.response
    if reply is None or _is_told(run):
        return
    model = getattr(reply, "model", None)
    if type(model) is str:
        run.call.rename(f"chat {model}")
    content = bool(setting("capture_content"))
    kept = snapshot_source({"input": data.input if content else None, "response": reply})

    def work(attributes: Attributes) -> None:
        body = orjson.loads(kept.data)
        whole = body.get("response")
        if not isinstance(whole, dict):
            return
        _fill(attributes, openai_responses.request({"input": body.get("input")}))
        _fill(attributes, openai_responses.response(whole, {}))
        mark_cut(attributes, semconv.OUTPUT_MESSAGES, kept)

    run.call.defer(work)


def generation(run: Run, data: Any, ok: bool) -> None:
    """Of chat completions, and of every model that is reached through another library."""
    if ok and data.input is None and data.output is None:
        _hide(run)
    _usage(run, "openai.responses", data.usage)
    if _is_told(run) or not setting("capture_content"):
        return
    kept = snapshot_source({"input": data.input, "output": data.output})

    def work(attributes: Attributes) -> None:
        body = orjson.loads(kept.data)
        if isinstance(body.get("input"), list):
            _fill(attributes, openai_chat.request({"messages": body["input"]}))
        messages = body.get("output")
        if isinstance(messages, list) and semconv.OUTPUT_MESSAGES not in attributes:
            choices = [{"message": message} for message in messages if isinstance(message, dict) and "role" in message]
            _fill(attributes, openai_chat.response({"choices": choices}, {}))
        mark_cut(attributes, semconv.OUTPUT_MESSAGES, kept)

    run.call.defer(work)


def _is_told(run: Run) -> bool:
    """Whether a client whose requests we see has sent this one."""
    span = getattr(run.call, "span", None)
    return span is None or semconv.SERVER_ADDRESS in span.attributes


def _usage(run: Run, shape: str, usage: Any) -> None:
    if not isinstance(usage, Mapping) or _is_told(run):
        return
    figures = usage_attributes(shape, usage)
    if any(figures.values()):  # 0 throughout is what the SDK has where the server told nothing
        run.call.update({**figures, semconv.USAGE_SOURCE: "reported"})


def _hide(run: Run) -> None:
    """``trace_include_sensitive_data=False``: what the client below tells of content is left out as well."""

    def work(attributes: Attributes) -> None:
        for name in semconv.CONTENT:
            attributes.pop(name, None)

    run.call.defer(work)


def _fill(attributes: Attributes, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if value is not None:
            attributes.setdefault(name, value)
