"""Codex's sessions: the rollout of a run, one item on each line.

A session becomes one trace: an agent's run, below it each turn of the model as a call and each tool as a span.
Codex tells the tokens of a turn in an event behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.formats import chat_messages
from agentops_sdk.traces.formats.json_values import parsed
from agentops_sdk.traces.formats.moments import nanoseconds
from agentops_sdk.traces.formats.readers import DAMAGED, Fields, Reader, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TYPES: Final = ("session_meta", "response_item", "event_msg", "turn_context", "compacted", "world_state",
                 "token_usage_record")  # fmt: skip
_CALLS: Final = ("function_call", "custom_tool_call", "local_shell_call", "web_search_call", "tool_search_call")
_RESULTS: Final = ("function_call_output", "custom_tool_call_output", "tool_search_output")
_TURNS: Final = {
    "task_started": "unfinished", "turn_started": "unfinished", "task_complete": "ok", "turn_complete": "ok",
    "turn_aborted": "cancelled",
}  # fmt: skip
"""Events of a turn, under older and newer names, and what the run is if none follows."""
_MOST_BEFORE: Final = 40


def _is_one(document: Any) -> bool:
    return document.get("type") in _TYPES and isinstance(document.get("payload"), dict) and "timestamp" in document


class _Session:
    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self.lines = lines
        meta: dict[str, Any] = next((line["payload"] for line in lines if line["type"] == "session_meta"), {})
        self.meta: dict[str, Any] = meta.get("meta", meta)
        self.model: Any = None
        self.provider: Any = self.meta.get("model_provider") or "openai"
        self.before: list[dict[str, Any]] = []
        self.reply: list[dict[str, Any]] = []
        self.reply_start = self.last = 0
        self.reply_end = 0
        self.tools: dict[Any, Fields] = {}
        self.codes: dict[str, Any] = {}
        """By call with what code its command ended, which newer versions tell in an event."""
        self.calls: list[Fields] = []
        self.total: dict[str, Any] = {}
        self.outcome = "ok"
        """How the last turn ended, as far as the file tells: older versions tell of those alone that were aborted."""
        first = lines[0]
        self.session = str(self.meta.get("id") or self.meta.get("session_id") or first["timestamp"])
        self.shared: dict[str, Any] = {
            "trace_id": self.session,
            "scope": "codex",
            "resource": {"service.name": "codex", "service.version": self.meta.get("cli_version")},
        }
        self.named = {semconv.SESSION_ID: self.session}

    def spans(self) -> Iterator[Fields | None]:
        times = [time for line in self.lines if (time := nanoseconds(line.get("timestamp"))) is not None]
        if not times:
            yield None
            return
        damaged = 0
        for line in self.lines:
            try:
                self._take(line)
            except DAMAGED:
                damaged += 1
        self._end_call({})
        prompt = next((message for message in self.before if message["role"] == "user"), None)
        run = span(
            **self.shared, span_id=f"{self.session} run", name="invoke_agent Codex", kind="agent",
            start=min(times), end=max(times),
            attributes={**self.named, semconv.AGENT_NAME: "Codex",
                        semconv.INPUT: None if prompt is None else chat_messages.json_text(prompt["parts"])},
        )  # fmt: skip
        yield run | {"outcome": self.outcome}
        yield from self.calls
        yield from self.tools.values()
        yield from [None] * damaged

    def _take(self, line: dict[str, Any]) -> None:
        payload, time = line["payload"], nanoseconds(line.get("timestamp")) or self.last
        stated = payload.get("type")
        if line["type"] == "turn_context":
            self.model = payload.get("model") or self.model
        elif line["type"] == "response_item":
            self._take_item(payload, str(stated), time)
        elif line["type"] == "event_msg" and stated == "token_count":
            info = payload.get("info") or {}
            total = info.get("total_token_usage") or {}
            usage = info.get("last_token_usage") or _added(total, self.total)
            fresh = usage and (not total or total != self.total)  # the same figures are told again and again
            if self.reply or fresh:
                self._end_call(usage if fresh else {}, time)
            self.total = total or self.total
        elif line["type"] == "event_msg" and stated in ("item_completed", "exec_command_end"):
            item = payload.get("item", payload)
            self.codes[str(item.get("call_id") or item.get("id"))] = item.get("exit_code")
        elif line["type"] == "event_msg" and stated in ("error", "stream_error"):
            self._end_call({}, time, failure=str(payload.get("message") or stated))
        elif line["type"] == "event_msg" and stated in _TURNS:
            self._turn(_TURNS[stated], time)
        self.last = max(self.last, time) if not self.reply else self.last

    def _turn(self, outcome: str, time: int) -> None:
        """A turn has begun, and is unfinished; or it has ended, and with it what it left open."""
        self.outcome = outcome
        for tool in self.tools.values() if outcome == "cancelled" else ():
            if tool["outcome"] == "unfinished":
                tool["end_ns"], tool["outcome"] = max(time, tool["start_ns"]), outcome

    def _take_item(self, item: dict[str, Any], stated: str, time: int) -> None:
        by_model = stated in _CALLS or stated == "reasoning" or item.get("role") == "assistant"
        if stated in _RESULTS:
            self._end_tool(item, time)
            self.before += chat_messages.messages([{**item, "type": "function_call_output"}], "tool")
            self.last = max(self.last, time)
            return
        if not by_model:
            self._end_call({}, self.reply_end)
            self.before += chat_messages.messages(item, "user")
            return
        if not self.reply:
            self.reply_start = self.last or time
        self.reply_end = time
        if stated in _CALLS:
            self._begin_tool(item, stated, time)
            name, identity = item.get("name") or stated.removesuffix("_call"), item.get("call_id") or item.get("id")
            item = {"type": "function_call", "call_id": identity, "name": name, "arguments": _arguments(item)}
        elif stated == "reasoning":
            item = {"type": "reasoning", "summary": item.get("content") or item.get("summary") or []}
            if not item["summary"]:
                return
        self.reply.append(item)

    def _begin_tool(self, item: dict[str, Any], stated: str, time: int) -> None:
        call_id = str(item.get("call_id") or item.get("id"))
        name = item.get("name") or stated.removesuffix("_call")
        self.tools[call_id] = span(
            **self.shared, span_id=f"{self.session} {call_id}", parent_id=f"{self.session} run", kind="tool",
            name=f"execute_tool {name}", start=time,
            end=time if stated in ("web_search_call", "tool_search_call") else None,
            attributes={**self.named, semconv.TOOL_NAME: name, semconv.TOOL_CALL_ID: call_id,
                        semconv.TOOL_CALL_ARGUMENTS: chat_messages.json_text(_arguments(item))},
        )  # fmt: skip

    def _end_tool(self, item: dict[str, Any], time: int) -> None:
        tool = self.tools.get(str(item.get("call_id")))
        if tool is None:
            return
        output = parsed(item.get("output"))
        metadata = output.get("metadata") if isinstance(output, dict) else None
        code = metadata.get("exit_code") if isinstance(metadata, dict) else self.codes.get(str(item.get("call_id")))
        result = output.get("output", output.get("content", output)) if isinstance(output, dict) else item.get("output")
        failed = bool(code) or (isinstance(output, dict) and output.get("success") is False)
        tool["end_ns"], tool["outcome"] = max(time, tool["start_ns"]), "error" if failed else "ok"
        tool["status"] = "error" if failed else "unset"
        if failed:
            tool["status_message"] = f"exit code {code}" if code else "failed"
        if (text := chat_messages.json_text(result)) is not None:
            tool["attributes"][semconv.TOOL_CALL_RESULT] = text

    def _end_call(self, usage: dict[str, Any], time: int | None = None, failure: str | None = None) -> None:
        """The model's turn is over."""
        if not self.reply and not usage and failure is None:
            return
        start = self.reply_start if self.reply else self.last
        end = self.reply_end if self.reply else time or start
        messages = chat_messages.messages(self.reply, "assistant") if self.reply else []
        parts = [part for message in messages for part in message["parts"]]
        message = [{"role": "assistant", "parts": parts}] if parts else []
        before = self.before[-_MOST_BEFORE:]
        self.calls.append(
            span(
                **self.shared, span_id=f"{self.session} call {len(self.calls)}", parent_id=f"{self.session} run",
                name=f"chat {self.model or 'Codex'}", kind="llm", span_kind="CLIENT", start=start or end, end=end,
                attributes={
                    **self.named,
                    semconv.OPERATION_NAME: "chat",
                    semconv.PROVIDER_NAME: self.provider,
                    semconv.REQUEST_MODEL: self.model,
                    semconv.USAGE_INPUT_TOKENS: usage.get("input_tokens"),
                    semconv.USAGE_OUTPUT_TOKENS: usage.get("output_tokens"),
                    semconv.USAGE_CACHE_READ: usage.get("cached_input_tokens"),
                    semconv.USAGE_REASONING: usage.get("reasoning_output_tokens"),
                    semconv.INPUT_MESSAGES: chat_messages.json_text(before) if before else None,
                    semconv.OUTPUT_MESSAGES: chat_messages.json_text(message) if message else None,
                },
                status="error" if failure else "unset", message=failure,
            )
        )  # fmt: skip
        self.before += message
        self.reply = []
        self.last = max(self.last, end)


def _added(total: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """What came to the figures of a session, which older versions tell without those of the turn."""
    return {name: value - before.get(name, 0) for name, value in total.items() if type(value) is int}


def _arguments(item: dict[str, Any]) -> Any:
    for name in ("arguments", "input", "action", "query"):
        if item.get(name) is not None:
            return parsed(item[name])
    return None


def _spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    session: list[dict[str, Any]] = []
    for line in documents:
        if line["type"] == "session_meta" and any(one["type"] == "session_meta" for one in session):
            yield from _Session(session).spans()
            session = []
        session.append(line)
    if session:
        yield from _Session(session).spans()


READER = Reader(
    "Codex session", _is_one, _spans, together=True, written_by="Codex: ~/.codex/sessions/**/rollout-*.jsonl"
)
