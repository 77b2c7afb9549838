"""Answers in the forms of Amazon Bedrock: ``Converse``, and ``InvokeModel`` of Anthropic's models and of Nova."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from agentops_sdk._pipeline.registry import request_attributes
from agentops_sdk.testing.recordings.anthropic_replies import ANTHROPIC
from agentops_sdk.testing.recordings.reply_form import Reply, ReplyForm, asked, calls_in

__all__ = ["FORMS"]

_REASONS: Final = {"length": "max_tokens", "content_filter": "content_filtered"}
_REFUSAL: Final = re.compile(
    r"An error occurred \((\w+)\) when calling the \w+ operation(?: \([^)]*\))?: (.*)", re.DOTALL
)


def _blocks(reply: Reply) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for part in reply.parts:
        kind = part.get("type")
        if kind == "text":
            blocks.append({"text": str(part.get("content") or "")})
        elif kind == "reasoning":
            blocks.append({"reasoningContent": {"reasoningText": {"text": str(part.get("content") or "")}}})
        elif kind == "tool_call":
            given = part.get("arguments")
            blocks.append({"toolUse": {"toolUseId": part.get("id"), "name": part.get("name"),
                                       "input": given if isinstance(given, dict) else {}}})  # fmt: skip
    return blocks


def _reason(reply: Reply) -> str:
    told = str(reply.messages[0].get("finish_reason")) if reply.messages else ""
    return "tool_use" if calls_in(reply.parts) else _REASONS.get(told, "end_turn")


def _usage(reply: Reply) -> dict[str, int]:
    given, said = reply.usage
    return {"inputTokens": given, "outputTokens": said, "totalTokens": given + said}


def _body(reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": _blocks(reply)}
    return {"output": {"message": message}, "stopReason": _reason(reply), "usage": _usage(reply),
            "metrics": {"latencyMs": 0}}  # fmt: skip


def _events(reply: Reply) -> Iterator[tuple[str, Any]]:
    yield "messageStart", {"role": "assistant"}
    for index, block in enumerate(_blocks(reply)):
        at = {"contentBlockIndex": index}
        if "toolUse" in block:
            tool = block["toolUse"]
            start = {"toolUse": {"toolUseId": tool["toolUseId"], "name": tool["name"]}}
            yield "contentBlockStart", {**at, "start": start}
            delta: dict[str, Any] = {"toolUse": {"input": json.dumps(tool["input"])}}
        elif "text" in block:
            delta = block
        else:
            delta = {"reasoningContent": block["reasoningContent"]["reasoningText"]}
        yield "contentBlockDelta", {**at, "delta": delta}
        yield "contentBlockStop", at
    yield "messageStop", {"stopReason": _reason(reply)}
    yield "metadata", {"usage": _usage(reply), "metrics": {"latencyMs": 0}}


def _framed(events: Iterator[tuple[str, Any]]) -> list[bytes]:
    """In AWS's encoding of event streams: headers and payload between a prelude and checksums."""
    pieces = []
    for name, data in events:
        headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
        lines = b"".join(
            bytes([len(key)]) + key.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
            for key, value in headers.items()
        )
        payload = json.dumps(data).encode()
        prelude = struct.pack(">II", 16 + len(lines) + len(payload), len(lines))
        message = prelude + struct.pack(">I", zlib.crc32(prelude)) + lines + payload
        pieces.append(message + struct.pack(">I", zlib.crc32(message)))
    return pieces


def _framed_chunks(events: Iterator[tuple[str, Any]]) -> list[bytes]:
    """Events of a model's own form, each inside of a chunk of ``InvokeModel``."""
    return _framed(("chunk", {"bytes": base64.b64encode(json.dumps(data).encode()).decode()}) for _, data in events)


def _nova_events(reply: Reply) -> Iterator[tuple[str, Any]]:
    return ((name, {name: data}) for name, data in _events(reply))


def _refused(reply: Reply) -> tuple[str, str]:
    """What kind of failure it was, and its message: botocore's own words stand around it in a trace."""
    match = _REFUSAL.fullmatch(reply.error or "")
    return (match[1], match[2]) if match else (reply.error_type, reply.error or "")


def _failure(reply: Reply) -> dict[str, Any]:
    return {"message": _refused(reply)[1]}


def _failure_headers(reply: Reply) -> list[tuple[str, str]]:
    return [("x-amzn-errortype", _refused(reply)[0])]


def _streams(path: str, _: Mapping[str, Any]) -> bool:
    return path.endswith("-stream")


def _with_model(url: str, body: dict[str, Any], model: str) -> str:
    return re.sub(r"(/model/)[^/]+(/)", lambda match: f"{match[1]}{quote(model, safe='')}{match[2]}", url, count=1)


def _with_system(body: dict[str, Any], text: str) -> None:
    body["system"] = [{"text": text}]


_CONVERSE: Final = ReplyForm(
    "/model/[^/]+/converse(?:-stream)?",
    asked(request_attributes("bedrock", "Converse")),
    _body,
    _events,
    _with_system,
    streams=_streams,
    with_model=_with_model,
    framed=_framed,
    stream_type="application/vnd.amazon.eventstream",
    failure=_failure,
    failure_headers=_failure_headers,
)
_INVOKE: Final = "/invoke(?:-with-response-stream)?"
FORMS: Final = (
    _CONVERSE,
    replace(
        ANTHROPIC, path=rf"/model/[^/]*anthropic\.[^/]+{_INVOKE}", streams=_streams, with_model=_with_model,
        framed=_framed_chunks, stream_type=_CONVERSE.stream_type, failure=_failure, failure_headers=_failure_headers,
    ),
    replace(_CONVERSE, path=rf"/model/[^/]*amazon\.nova[^/]*{_INVOKE}", events=_nova_events, framed=_framed_chunks),
)  # fmt: skip
