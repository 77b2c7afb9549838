"""Gemini CLI's sessions: the chat of a run as its recording service keeps it, whole or one message on each line.

A session becomes one trace: an agent's run, below it each reply of the model as a call and each tool as a span. What
the user has gone back behind (``$rewindTo``) was asked for all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.formats import chat_messages
from agentops_sdk.traces.formats.moments import nanoseconds
from agentops_sdk.traces.formats.readers import DAMAGED, Fields, Reader, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TYPES: Final = ("user", "gemini", "info", "error", "warning")
_OUTCOMES: Final = {"success": "ok", "error": "error", "cancelled": "cancelled"}
"""Of a tool; in every other state it has not ended."""
_MOST_BEFORE: Final = 40


def _is_one(document: Any) -> bool:
    if isinstance(document.get("sessionId"), str) and isinstance(document.get("projectHash"), str):
        return True
    if isinstance(document.get("$set"), dict) or isinstance(document.get("$rewindTo"), str):
        return len(document) == 1
    return document.get("type") in _TYPES and {"id", "timestamp", "content"} <= document.keys()


class _Session:
    def __init__(self, about: dict[str, Any]) -> None:
        self.about = about
        self.messages: dict[Any, dict[str, Any]] = {}
        messages = about.get("messages")
        for message in messages if isinstance(messages, list) else ():
            if isinstance(message, dict):
                self.take(message)

    def take(self, line: dict[str, Any]) -> None:
        """A message, of which the last version counts, or what has changed of the session."""
        if isinstance(changed := line.get("$set"), dict):
            self.about = {**self.about, **{name: value for name, value in changed.items() if name != "messages"}}
        elif "id" in line:
            self.messages[str(line["id"])] = line

    def spans(self) -> Iterator[Fields | None]:
        session = str(self.about["sessionId"])
        shared: dict[str, Any] = {
            "trace_id": session, "scope": "gemini-cli", "resource": {"service.name": "gemini-cli"},
        }  # fmt: skip
        lines = list(self.messages.values())
        stated = [
            self.about.get("startTime"),
            self.about.get("lastUpdated"),
            *(line.get("timestamp") for line in lines),
        ]
        times = [time for each in stated if (time := nanoseconds(each)) is not None]
        if not times:
            yield None
            return
        below: list[Fields | None] = []
        before: list[dict[str, Any]] = []
        outcome, last = "ok", min(times)
        for line in lines:
            try:
                if line["type"] == "gemini":
                    call, *tools = _of_reply(line, session, shared, before, last)
                    below += [call, *tools]
                    last = max([last, call["end_ns"], *(tool["end_ns"] for tool in tools)])
                    outcome = next((state for tool in tools if (state := tool["outcome"]) in _LEFT), "ok")
                elif line["type"] == "user":
                    before += chat_messages.messages({"role": "user", "content": _text(line)}, "user")
                    last = max(last, nanoseconds(line["timestamp"]) or last)
                elif line["type"] == "error":
                    outcome = "error"
            except DAMAGED:
                below.append(None)
        prompt = next((message for message in before if message["role"] == "user"), None)
        failed = outcome == "error"
        run = span(
            **shared, span_id=f"{session} run", name="invoke_agent Gemini CLI", kind="agent",
            start=min(times), end=max(*times, last), status="error" if failed else "unset",
            message=_text(lines[-1]) if failed and lines[-1].get("type") == "error" else None,
            attributes={semconv.SESSION_ID: session, semconv.AGENT_NAME: "Gemini CLI",
                        semconv.INPUT: None if prompt is None else chat_messages.json_text(prompt["parts"])},
        )  # fmt: skip
        yield run | {"outcome": outcome}
        yield from below


_LEFT: Final = ("cancelled", "unfinished")


def _of_reply(
    line: dict[str, Any], session: str, shared: dict[str, Any], before: list[dict[str, Any]], last: int
) -> list[Fields]:
    """A reply's call, and the tools that it asked for; ``before`` is the conversation, which both add to."""
    tokens, model, time = line.get("tokens") or {}, line.get("model"), nanoseconds(line["timestamp"]) or last
    tools = [tool for tool in line.get("toolCalls") or () if isinstance(tool, dict)]
    thoughts = [thought for thought in line.get("thoughts") or () if isinstance(thought, dict)]
    content = [
        *({"type": "thinking", "thinking": str(thought.get("description") or "")} for thought in thoughts),
        *({"type": "text", "text": text} for text in [_text(line)] if text),
        *({"type": "tool_use", "id": tool.get("id"), "name": tool.get("name"), "input": tool.get("args")}
          for tool in tools),
    ]  # fmt: skip
    reply = chat_messages.messages({"role": "assistant", "content": content}, "assistant")
    run, named = f"{session} run", {semconv.SESSION_ID: session}
    call = span(
        **shared, span_id=f"{session} {line['id']}", parent_id=run, name=f"chat {model or 'Gemini'}", kind="llm",
        span_kind="CLIENT", start=min(last, time), end=time,
        attributes={
            **named,
            semconv.OPERATION_NAME: "chat",
            semconv.PROVIDER_NAME: "gcp.gemini",
            semconv.REQUEST_MODEL: model,
            semconv.USAGE_INPUT_TOKENS: _sum(tokens, "input", "tool"),
            semconv.USAGE_OUTPUT_TOKENS: _sum(tokens, "output", "thoughts"),
            semconv.USAGE_CACHE_READ: tokens.get("cached") or None,
            semconv.USAGE_REASONING: tokens.get("thoughts") or None,
            semconv.INPUT_MESSAGES: chat_messages.json_text(before[-_MOST_BEFORE:]) if before else None,
            semconv.OUTPUT_MESSAGES: chat_messages.json_text(reply) if reply else None,
        },
    )  # fmt: skip
    before += reply
    spans = [call]
    for tool in tools:
        outcome, result = _OUTCOMES.get(str(tool.get("status")), "unfinished"), _result(tool.get("result"))
        failed = outcome == "error"
        spans.append(
            span(
                **shared, span_id=f"{session} {line['id']} {tool.get('id')}", parent_id=run, kind="tool",
                name=f"execute_tool {tool.get('name')}", start=time,
                end=max(time, nanoseconds(tool.get("timestamp")) or time) if outcome != "unfinished" else None,
                attributes={**named, semconv.TOOL_NAME: tool.get("name"), semconv.TOOL_CALL_ID: tool.get("id"),
                            semconv.TOOL_CALL_ARGUMENTS: chat_messages.json_text(tool.get("args")),
                            semconv.TOOL_CALL_RESULT: result},
                status="error" if failed else "unset", message=result if failed else None,
            ) | {"outcome": outcome}
        )  # fmt: skip
        if result is not None:
            part = {"type": "tool_result", "tool_use_id": tool.get("id"), "content": result}
            before += chat_messages.messages({"role": "tool", "content": [part]}, "tool")
    return spans


def _sum(tokens: dict[str, Any], whole: str, beside: str) -> int | None:
    """Gemini tells thoughts beside the answer, and what its own tools have read beside the prompt."""
    return tokens[whole] + (tokens.get(beside) or 0) if type(tokens.get(whole)) is int else None


def _text(line: dict[str, Any]) -> str:
    content = line.get("content")
    parts = content if isinstance(content, list) else [content]
    texts = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return "".join(text for text in texts if isinstance(text, str))


def _result(parts: Any) -> str | None:
    """What a tool gave: Gemini's part for it, or a text."""
    for part in parts if isinstance(parts, list) else [parts]:
        told = part.get("functionResponse") if isinstance(part, dict) else None
        if isinstance(told, dict) and isinstance(answer := told.get("response"), dict):
            return chat_messages.json_text(answer.get("output", answer.get("error", answer)))
    return chat_messages.json_text(parts)


def _spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    session: _Session | None = None
    for line in documents:
        if "projectHash" in line:
            if session is not None:
                yield from session.spans()
            session = _Session(line)
        elif session is None:
            yield None  # whose it is stands on the first line
        else:
            session.take(line)
    if session is not None:
        yield from session.spans()


READER = Reader(
    "Gemini CLI session", _is_one, _spans, together=True, written_by="Gemini CLI: ~/.gemini/tmp/*/chats/session-*"
)
