"""Claude Code's sessions: the transcript of a project's folder, one message or part of one on each line.

A session becomes one trace: an agent's run, below it each reply of the model as a call and each tool as a span, and
a subagent's replies below an agent's run of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.formats import chat_messages
from agentops_sdk.traces.formats.moments import nanoseconds
from agentops_sdk.traces.formats.readers import DAMAGED, Fields, Reader, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TYPES: Final = ("user", "assistant", "system", "summary", "attachment", "progress", "queue-operation")
_NOTES: Final = (
    *("api-request", "api-request-blob", "api-request-shape", "atis-latch", "cost-state", "last-prompt"),
    *("custom-title", "ai-title", "agent-name", "mode", "permission-mode", "tag", "tools-used"),
)
"""What newer versions note beside the conversation."""
_SYNTHETIC: Final = "<synthetic>"
_INTERRUPTED: Final = "[Request interrupted by user"
"""How a message begins that Claude Code puts in the user's name where the user broke off."""
_REFUSED: Final = "User rejected tool use"
_MOST_BEFORE: Final = 40
"""Messages before a reply that are kept with it; what came earlier stands at the calls before."""


def _is_one(document: Any) -> bool:
    if document.get("type") == "file-history-snapshot":
        return "snapshot" in document
    if document.get("type") in _NOTES:
        return isinstance(document.get("sessionId"), str)
    if document.get("type") not in _TYPES:
        return False
    if document["type"] == "summary" and "leafUuid" in document:
        return True
    return "sessionId" in document and ("uuid" in document or "timestamp" in document)


class _Call:
    """One reply of the model: its lines are parts of one message, each with the same figures."""

    def __init__(self, line: dict[str, Any], agent: str | None, before: list[dict[str, Any]], start: int) -> None:
        self.line = line
        self.agent = agent
        self.before = before
        self.start = self.end = start
        self.content: list[Any] = []
        self.usage: dict[str, Any] = {}
        self.reason: Any = None


class _Session:
    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self.lines = lines
        self.calls: dict[Any, _Call] = {}
        self.results: dict[Any, tuple[dict[str, Any], dict[str, Any]]] = {}
        self.conversations: dict[Any, list[dict[str, Any]]] = {}
        self.last: dict[Any, int] = {}
        self.named: set[str] = set()
        """Subagents that are called the same in all files of the session: in newer versions each has one of its own."""
        self.chains: dict[Any, str] = {}
        """By line of a subagent whose it is, where older versions do not name it."""
        self.started: dict[str, dict[str, Any]] = {}
        """By subagent the call of a tool that started it."""
        self.tools: dict[Any, dict[str, Any]] = {}
        self.outcomes: dict[Any, str] = {}
        """By subagent how it ended, by its last line."""
        self.prompts: dict[str, dict[str, Any]] = {}
        """By what it asks a subagent to do the call of a tool."""

    def spans(self) -> Iterator[Fields | None]:
        times = [time for line in self.lines if (time := nanoseconds(line.get("timestamp"))) is not None]
        if not times:
            yield None
            return
        for line in self.lines:
            try:
                self._take(line)
            except DAMAGED:
                yield None
        first = next((line for line in self.lines if line.get("cwd") or line.get("version")), self.lines[0])
        session = str(self.lines[0]["sessionId"])
        resource = {"service.name": "claude-code", "service.version": first.get("version")}
        shared: dict[str, Any] = {"trace_id": session, "scope": "claude-code", "resource": resource}
        named = {semconv.SESSION_ID: session}
        prompt = next((message for message in self.conversations.get(None, ()) if message["role"] == "user"), None)
        root = f"{session} run"  # a file of a subagent alone does not hold it
        is_apart = all(line.get("isSidechain") for line in self.lines if line.get("type") in ("user", "assistant"))
        if not is_apart:
            run = span(
                **shared, span_id=root, name="invoke_agent Claude Code", start=min(times), end=max(times), kind="agent",
                attributes={**named, **self._cost(), semconv.AGENT_NAME: "Claude Code",
                            semconv.INPUT: None if prompt is None else chat_messages.json_text(prompt["parts"])},
            )  # fmt: skip
            yield run | {"outcome": self.outcomes.get(None, "ok")}
        for agent in sorted({call.agent for call in self.calls.values() if call.agent is not None}):
            of_it = [call for call in self.calls.values() if call.agent == agent]
            tool = self.started.get(agent, {})
            above = f"{session} {tool['id']}" if tool else root
            if agent in self.named and (tool or is_apart):
                above = _starting(session, agent)
            name = str((tool.get("input") or {}).get("subagent_type") or agent)
            run = span(
                **shared, span_id=f"{session} {agent}", parent_id=above,
                name=f"invoke_agent {name}", kind="agent",
                start=min(call.start for call in of_it), end=max(call.end for call in of_it),
                attributes={**named, semconv.AGENT_NAME: name, semconv.AGENT_ID: agent},
            )  # fmt: skip
            yield run | {"outcome": self.outcomes.get(agent, "ok")}
        for key, call in self.calls.items():
            above = f"{session} {call.agent}" if call.agent is not None else root
            of_call: list[Fields | None]
            try:
                of_call = [_model_call(key, call, above, shared, named), *self._tools(call, above, shared, named)]
            except DAMAGED:
                of_call = [None]
            yield from of_call

    def _cost(self) -> dict[str, Any]:
        """What Claude Code says that all of it has cost, where it knows all prices."""
        states = [line for line in self.lines if line.get("type") == "cost-state"]
        last = states[-1] if states else {}
        if not last.get("totalCostUSD") or last.get("hasUnknownModelCost"):
            return {}
        return {
            semconv.COST_AMOUNT: last["totalCostUSD"],
            semconv.COST_SOURCE: "totalCostUSD",
            semconv.COST_TOTAL: True,
        }

    def _agent(self, line: dict[str, Any]) -> str | None:
        """Which subagent a line is of; what started it is a tool that was asked the same."""
        if line.get("isSidechain") is False or not (line.get("isSidechain") or line.get("agentId")):
            return None
        before, content = self.chains.get(line.get("parentUuid")), (line.get("message") or {}).get("content")
        if line.get("agentId"):
            self.named.add(str(line["agentId"]))
        agent = str(line.get("agentId") or before or f"subagent {str(line.get('uuid'))[:8]}")
        self.chains[line.get("uuid")] = agent
        if isinstance(content, str) and content in self.prompts:
            self.started.setdefault(agent, self.prompts[content])
        return agent

    def _take(self, line: dict[str, Any]) -> None:
        message = line.get("message")
        agent = self._agent(line)
        if line.get("type") not in ("user", "assistant") or not isinstance(message, dict):
            return
        conversation = self.conversations.setdefault(agent, [])
        time = nanoseconds(line.get("timestamp")) or self.last.get(agent, 0)
        if line["type"] == "user":
            for part in message["content"] if isinstance(message.get("content"), list) else ():
                if isinstance(part, dict) and part.get("type") == "tool_result":
                    self.results[str(part.get("tool_use_id"))] = (part, line)
                    told = line.get("toolUseResult")
                    if isinstance(told, dict) and told.get("agentId") and (tool := self.tools.get(part["tool_use_id"])):
                        self.started[str(told["agentId"])] = tool
                        self.named.add(str(told["agentId"]))
            conversation.extend(chat_messages.messages(_of_tools(message), "user"))
        elif message.get("model") != _SYNTHETIC or line.get("isApiErrorMessage"):
            key = str(message.get("id") or line.get("uuid")), str(line.get("requestId"))
            call = self.calls.get(key)
            if call is None:
                call = self.calls[key] = _Call(line, agent, conversation[-_MOST_BEFORE:], self.last.get(agent, time))
            call.end = time
            content = message.get("content")
            call.content.extend(content if isinstance(content, list) else [content])
            self._remember(content)
            call.usage.update(message.get("usage") or {})
            call.reason = message.get("stop_reason") or call.reason
            conversation.extend(chat_messages.messages({"role": "assistant", "content": content}, "assistant"))
        self.last[agent] = time
        self.outcomes[agent] = _outcome_after(line, message, self.outcomes.get(agent, "ok"))

    def _remember(self, content: Any) -> None:
        for part in content if isinstance(content, list) else ():
            if isinstance(part, dict) and part.get("type") == "tool_use" and isinstance(part.get("input"), dict):
                self.tools[part.get("id")] = part
                if isinstance(prompt := part["input"].get("prompt"), str):
                    self.prompts[prompt] = part

    def _tools(self, call: _Call, above: str, shared: dict[str, Any], named: dict[str, Any]) -> Iterator[Fields]:
        agents = {tool["id"]: agent for agent, tool in self.started.items() if agent in self.named}
        for part in call.content:
            if not isinstance(part, dict) or part.get("type") not in ("tool_use", "server_tool_use"):
                continue
            result, line = self.results.get(str(part.get("id")), (None, {}))
            content = None if result is None else result.get("content")
            result_text = content if isinstance(content, str) or content is None else chat_messages.text_of(content)
            if isinstance(content, list):
                result_text = "\n".join(chat_messages.text_of(item) or "" for item in content)
            told = line.get("toolUseResult")
            left = told == _REFUSED or (isinstance(told, dict) and told.get("interrupted") is True)
            failed = result is not None and result.get("is_error") is True and not left
            session, agent = call.line.get("sessionId"), agents.get(part.get("id"))
            tool = span(
                **shared, parent_id=above,
                span_id=f"{session} {part.get('id')}" if agent is None else _starting(session, agent),
                name=f"execute_tool {part.get('name')}", kind="tool", start=call.end, end=line.get("timestamp"),
                attributes={**named, semconv.TOOL_NAME: part.get("name"), semconv.TOOL_CALL_ID: part.get("id"),
                            semconv.TOOL_CALL_ARGUMENTS: chat_messages.json_text(part.get("input")),
                            semconv.TOOL_CALL_RESULT: result_text},
                status="error" if failed else "unset", message=result_text if failed else None,
            )  # fmt: skip
            yield tool | {"outcome": "cancelled"} if left else tool


def _starting(session: Any, agent: str) -> str:
    """The id of the tool that started a subagent, whose own file does not tell what else it is called."""
    return f"{session} starts {agent}"


def _outcome_after(line: dict[str, Any], message: dict[str, Any], before: str) -> str:
    """How a conversation ended whose last line this is: what is the user's own, a command say, changes nothing."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    said = [part for part in parts if isinstance(part, dict)]
    kinds = {part.get("type") for part in said}
    if line["type"] == "user":
        if line.get("interruptedMessageId") or any(str(part.get("text")).startswith(_INTERRUPTED) for part in said):
            return "cancelled"
        return "unfinished" if "tool_result" in kinds else before
    if message.get("model") == _SYNTHETIC:
        return before
    return "unfinished" if "tool_use" in kinds else "ok"


def _of_tools(message: dict[str, Any]) -> dict[str, Any]:
    """A message of nothing but results is the tools', whoever sent it."""
    content = message.get("content")
    only = isinstance(content, list) and content and all(
        isinstance(part, dict) and part.get("type") == "tool_result" for part in content
    )  # fmt: skip
    return {"role": "tool" if only else "user", "content": content}


def _model_call(key: Any, call: _Call, above: str, shared: dict[str, Any], named: dict[str, Any]) -> Fields:
    message, usage = call.line["message"], call.usage
    failed = bool(call.line.get("isApiErrorMessage"))
    model = None if message.get("model") == _SYNTHETIC else message.get("model")
    read, wrote = usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0
    uncached = usage.get("input_tokens")
    reply = chat_messages.messages({"role": "assistant", "content": call.content}, "assistant")
    text = reply[0]["parts"][0].get("content") if failed and reply else None
    return span(
        **shared, span_id=f"{call.line.get('sessionId')} {key}", parent_id=above, name=f"chat {model or 'Claude'}",
        kind="llm", start=call.start, end=call.end, span_kind="CLIENT",
        attributes={
            **named,
            semconv.OPERATION_NAME: "chat",
            semconv.PROVIDER_NAME: "anthropic",
            semconv.REQUEST_MODEL: model,
            semconv.RESPONSE_MODEL: model,
            semconv.RESPONSE_ID: message.get("id"),
            semconv.RESPONSE_FINISH_REASONS: [call.reason] if call.reason else None,
            semconv.USAGE_INPUT_TOKENS: None if uncached is None or failed else uncached + read + wrote,
            semconv.USAGE_OUTPUT_TOKENS: None if failed else usage.get("output_tokens"),
            semconv.USAGE_CACHE_READ: read or None,
            semconv.USAGE_CACHE_CREATION: wrote or None,
            semconv.COST_AMOUNT: call.line.get("costUSD") or None,
            semconv.COST_SOURCE: "costUSD" if call.line.get("costUSD") else None,
            semconv.INPUT_MESSAGES: chat_messages.json_text(call.before) if call.before else None,
            semconv.OUTPUT_MESSAGES: chat_messages.json_text(reply) if reply else None,
        },
        status="error" if failed else "unset", message=text,
    )  # fmt: skip


def _spans(documents: Iterable[Any]) -> Iterator[Fields | None]:
    sessions: dict[Any, list[dict[str, Any]]] = {}
    seen: set[Any] = set()
    for line in documents:
        identity = str(line.get("uuid") or "")
        if not line.get("sessionId") or identity in seen:
            continue  # a session that was taken up again repeats what came before
        if identity:
            seen.add(identity)
        sessions.setdefault(str(line["sessionId"]), []).append(line)
    for lines in sessions.values():
        if any(line.get("type") in ("user", "assistant") for line in lines):
            yield from _Session(lines).spans()


READER = Reader(
    "Claude Code session", _is_one, _spans, together=True, written_by="Claude Code: ~/.claude/projects/*/*.jsonl"
)
