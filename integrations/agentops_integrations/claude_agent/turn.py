"""One turn of a conversation: what a question sets off, until its result. Each message says a part of it.

A model call is planned where the next one is due (with a question, a tool's result, a delegation), so that limits are
asked before it is made; the message that tells of it makes it a span. Long because both see the same calls.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.context import Context, attach, get_current

from agentops_sdk.integration import Call, PlannedCall, guard, may_refuse, outcome_of, refusal, release, semconv

if TYPE_CHECKING:
    from agentops_sdk.integration.frameworks import Run

_AGENT = "claude"
_DELEGATION = ("Agent", "Task")
"""The tool that runs another agent, by its names."""
_COST = semconv.METADATA_PREFIX + "claude.total_cost_usd"
_OUTPUT_TOKENS = semconv.METADATA_PREFIX + "claude.output_tokens"
_FINISH_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "tool_use": "tool_calls", "max_tokens": "length"}
_LIMITS = "claude_agent.limits"
_VENDOR = {semconv.PROVIDER_NAME: "anthropic"}


class Permission(NamedTuple):
    """What the program said of a tool before it ran: the attributes of that decision, and whether it was a no."""

    attributes: dict[str, Any]
    is_refused: bool


class Turn:
    """What one question sets off, until its result; then the next one of the same connection.

    Args:
        runs: those of the integration.
        answers: what the program answered when it was asked for permissions, by the tool's call.
        told: the model that any connection told last, of the agent itself (``False``) and of those below it (``True``).
            Until this one tells its own, it is expected to be the same.

    Attributes:
        is_hooked: limits are asked by hooks, before a tool runs.
    """

    def __init__(self, runs: Any, answers: Any, told: dict[bool, str]) -> None:
        self._runs = runs
        self._answers = answers
        self._told = told
        self._models: dict[bool, str] = {}
        self.is_hooked = False
        self._here: Context = get_current()
        self._planned: dict[Any, PlannedCall] = {}
        self._agents: dict[str, Any] = {}
        self._expects = False
        self._is_interrupted = False
        self._stopped_by: Exception | None = None
        self._is_left = False
        self._refused: Exception | None = None
        self._key = object()
        self._waiting: list[Any] = []
        self._session: str | None = None
        self._last_ns: dict[Any, int] = {}
        self._model: dict[Any, tuple[Any, Run]] = {}
        self._ended: dict[Any, Any] = {}
        self._tools: dict[str, Any] = {}
        """The place of each that is open: the call that its agent runs in, ``None`` for the agent that was asked."""
        self._done: set[str] = set()

    def is_over(self) -> bool:
        """Whether it has had its result, or will have none."""
        return self._runs.get(self._key) is None

    def begin(self, prompt: Any, model: Any) -> None:
        """A question is about to be asked, of ``model`` where the program says which."""
        self._begin(prompt)
        self._ask_question(model)

    def expect(self) -> None:
        """Questions come by themselves, whenever the program has one: each begins as it is taken up."""
        self._expects = True

    def wait(self, prompt: Any) -> Exception | None:
        """A question waits until the one before it is answered; but for one that must not be asked."""
        refused = self._ask_model(None)
        if refused is None:
            self._waiting.append(prompt)
        return refused

    def interrupt(self) -> None:
        """The program asks for its end: whatever ends now is what it wanted, unless limits did before."""
        self._is_interrupted = self._stopped_by is None

    def leave(self) -> None:
        """It was to stop and has not in time: what it says later, up to its result, is nobody's."""
        self._is_left = True

    def _begin(self, prompt: Any) -> None:
        from agentops_sdk.integration.frameworks import content

        self._is_interrupted = False
        self._stopped_by = self._refused = None
        self._ended.clear()
        self._done.clear()
        run = self._runs.begin("agent", _AGENT, self._key, attributes=self._conversation())
        run.call.update(content(semconv.INPUT, prompt if isinstance(prompt, str) else None))
        self._tick(None)

    # --- limits ---------------------------------------------------------------------------------------

    def refused(self) -> Exception | None:
        """What is to be raised in place of the next message; said once."""
        refused, self._refused = self._refused, None
        return refused

    def _stop(self, refused: Exception | None) -> Exception | None:
        if refused is not None and self._stopped_by is None:
            self._stopped_by = self._refused = refused
        return refused

    @property
    def _asks(self) -> bool:
        return may_refuse() and self._stopped_by is None

    def _ask_question(self, model: Any) -> None:
        if not self._asks:
            return
        if isinstance(model, str) and model.startswith("claude-"):  # "sonnet" is one of several
            self._knows(model, is_below=False)
        run = self._runs.get(self._key)
        refused = refusal(_LIMITS, run.call)
        if refused is None and self._expected(None) is not None:  # else the first message says which
            refused = self._ask_model(None)
        self._stop(refused)

    def _ask_model(self, place: Any) -> Exception | None:
        """The next model call at this place is due."""
        if not self._asks or place in self._planned:
            return None
        planned = self._plan(place, self._expected(place))
        refused = planned.refusal(_LIMITS)
        if refused is None:
            self._planned[place] = planned
            return None
        if not self._models and not _is_reached(refused):  # another model may be allowed: the first message says which
            return None
        run = self._begin_model(planned.call.name or "", place)
        planned.becomes(run.call)
        self._runs.fail(run.key, refused)
        return refused

    def _expected(self, place: Any) -> str | None:
        """The model that will be asked: this connection's, else that of the one that told last."""
        is_below = place is not None
        own, told = self._models, self._told
        return own.get(is_below) or own.get(False) or told.get(is_below) or told.get(False)

    def _knows(self, model: str, *, is_below: bool) -> None:
        self._models[is_below] = self._told[is_below] = model

    def _plan(self, place: Any, model: str | None) -> PlannedCall:
        return PlannedCall("llm", model, self._runs.get(self._parent(place)).context, _VENDOR)

    def ask_tool(self, told: Any) -> Exception | None:
        """A tool is about to run, by the hook that tells of it: before or after the message that asks for it."""
        if self.is_over() or not self._asks:
            return self._stopped_by
        token = attach(self._here)
        try:
            ident, name = told["tool_use_id"], told["tool_name"]
            place = self._tools[ident] if ident in self._tools else self._place_of(told)
            if told.get("agent_id"):
                self._agents[told["agent_id"]] = place
            run = self._tool(ident, name, told["tool_input"], place)
            refused = refusal(_LIMITS, run.call)
            if refused is None and (agent := self._runs.get(("agent", ident))) is not None:
                refused = refusal(_LIMITS, agent.call)
                refused = self._ask_model(ident) if refused is None else refused
            if refused is not None:
                self._refuse_tool(ident, refused)
            return refused
        finally:
            release(token)

    def _refuse_tool(self, ident: str, refused: Exception) -> None:
        self._runs.fail(("agent", ident), refused)
        self._runs.fail(ident, refused)
        self._tools.pop(ident, None)
        self._done.add(ident)
        self._stop(refused)

    def _place_of(self, told: Any) -> Any:
        """Where a tool runs of which no message has told yet: the only agent of that name that is open."""
        ident = told.get("agent_id")
        if ident is None or ident in self._agents:
            return self._agents.get(ident)
        open_agents = [
            place
            for place in self._tools
            if (run := self._runs.get(("agent", place))) is not None and run.name == told.get("agent_type")
        ]
        return open_agents[0] if len(open_agents) == 1 else None

    def ask_after_tool(self, told: Any) -> Exception | None:
        """A tool has run: once all have that its model asked for, the model is asked again."""
        ident = told["tool_use_id"]
        if self._stopped_by is not None or ident not in self._tools or self.is_over():
            return self._stopped_by
        self._done.add(ident)
        token = attach(self._here)
        try:
            return self._ask_next(self._tools[ident])
        finally:
            release(token)

    def _ask_next(self, place: Any) -> Exception | None:
        is_waiting = any(where == place and ident not in self._done for ident, where in self._tools.items())
        is_due = not is_waiting and self._runs.get(self._parent(place)) is not None
        return self._stop(self._ask_model(place)) if is_due else None

    # --- messages -------------------------------------------------------------------------------------

    def _conversation(self) -> dict[str, Any]:
        """What goes on every span: by the time that a message tells of it, the agent has long begun."""
        return {semconv.CONVERSATION_ID: self._session}

    def _told_session(self, session: Any) -> None:
        if isinstance(session, str) and session != self._session:
            self._session = session
            if not self.is_over():
                self._runs.get(self._key).call.update(self._conversation())

    def take(self, message: Any) -> None:
        self._here = get_current()
        kind = type(message).__name__
        is_first = kind == "SystemMessage" and message.subtype == "init"
        self._told_session(message.data.get("session_id") if is_first else getattr(message, "session_id", None))
        if self._is_left:
            self._is_left = not is_first and kind != "ResultMessage"
            if not is_first:
                return
        if self.is_over():
            is_due = is_first and bool(self._waiting or self._expects)
            if not is_due and kind not in ("AssistantMessage", "StreamEvent"):
                return
            prompt = self._waiting.pop(0) if self._waiting else None
            self.begin(prompt, message.data.get("model")) if is_due else self._begin(prompt)
        if kind == "AssistantMessage":
            self._assistant(message)
        elif kind == "StreamEvent":
            self._piece(message.event, message.parent_tool_use_id)
        elif kind == "UserMessage" and isinstance(message.content, list):
            results = [block for block in message.content if type(block).__name__ == "ToolResultBlock"]
            for block in results:
                self._result(block)
            self._tick(message.parent_tool_use_id)
            if results:
                self._ask_next(message.parent_tool_use_id)
        elif is_first:
            self._told_model(message.data.get("model"))
        elif kind == "ResultMessage":
            self._over(message)

    def _told_model(self, model: Any) -> None:
        if isinstance(model, str) and model:
            self._knows(model, is_below=False)
            if not self._model and not self._ended:
                planned = self._planned.get(None)
                if planned is not None and planned.call.name != model:  # what was expected is another one
                    del self._planned[None]
                    planned.withdraw()
                self._stop(self._ask_model(None))

    def fail(self, error: BaseException) -> None:
        with guard("claude_agent.fail"):
            outcome = outcome_of(error)
            self._end_open("interrupted" if outcome == "error" else outcome)
            self._runs.fail(self._key, self._stopped_by or error)

    def finish(self, outcome: str) -> None:
        with guard("claude_agent.finish"):
            self._end_open(outcome)
            self._runs.finish(self._key, outcome)

    def _tick(self, place: Any) -> None:
        self._last_ns[place] = time.time_ns()

    def _assistant(self, message: Any) -> None:
        """One reply of a model comes in several messages, one for each block, that repeat its id and its usage."""
        place = message.parent_tool_use_id
        if message.message_id is None or message.message_id != self._ended.get(place):
            self._model_message(message, place)
        for block in message.content:
            if type(block).__name__ == "ToolUseBlock":
                self._tool_use(block, place)

    def _model_message(self, message: Any, place: Any) -> None:
        run = self._reply(message.message_id, message.model, place)
        run.notes["error"] = message.error
        run.notes["usage"] = {**(message.usage or {}), **(run.notes["usage"] or {})} or None
        run.notes["stopped"] = run.notes["stopped"] or message.stop_reason
        for block in message.content:
            kind = type(block).__name__
            if kind == "TextBlock":
                run.notes["texts"].append(block.text)
            elif kind == "ToolUseBlock":
                run.notes["calls"].append(block)
        if not run.chunks and (message.stop_reason or run.notes["calls"]):
            self._end_model(place)

    def _reply(self, identity: Any, model: Any, place: Any) -> Run:
        """The reply of a model with this id, which begins where it is another one than before."""
        before, run = self._model.get(place, (None, None))
        if run is None or identity != before or identity is None:
            self._end_model(place)
            run = self._begin_model(model, place)
            run.notes.update(id=identity, model=model, texts=[], calls=[], usage=None, stopped=None, error=None)
            self._knows(model, is_below=place is not None)
            planned = self._planned.pop(place, None)
            if planned is None and may_refuse():
                planned = self._plan(place, model)
                planned.count(_LIMITS)
            if planned is not None:
                planned.becomes(run.call)
            self._model[place] = (identity, run)
        return run

    def _begin_model(self, model: str, place: Any) -> Run:
        run: Run = self._runs.begin(
            "llm", model, ("model", object()), self._parent(place),
            start_ns=self._last_ns.get(place), attributes={**_VENDOR, **self._conversation()},
        )  # fmt: skip
        return run

    def _piece(self, event: Any, place: Any) -> None:
        """A reply that the program is given in pieces: only these tell all that it used."""
        kind, told = event.get("type"), event.get("message") or event
        if kind == "message_start":
            self._reply(told.get("id"), told.get("model"), place)
        _, run = self._model.get(place, (None, None))
        if run is None or kind == "ping":
            return
        run.chunk()
        if isinstance(told.get("usage"), dict):
            run.notes["usage"] = {**(run.notes["usage"] or {}), **told["usage"]}
        if kind == "message_delta":
            run.notes["stopped"] = (event.get("delta") or {}).get("stop_reason")
        elif kind == "message_stop":
            self._end_model(place, "ok" if run.notes["stopped"] else self._cut_off("ok"))

    def _end_model(self, place: Any, outcome: str = "ok") -> None:
        from agentops_sdk.integration.frameworks import model_reply

        _, run = self._model.pop(place, (None, None))
        if run is None:
            return
        self._ended[place] = run.notes["id"]
        calls = [
            {"id": each.id, "type": "function", "function": {"name": each.name, "arguments": each.input}}
            for each in run.notes["calls"]
        ]
        reply = {"role": "assistant", "content": "".join(run.notes["texts"]) or None}
        usage, stopped = run.notes["usage"], run.notes["stopped"]
        if usage is not None and stopped is None:
            usage = {name: value for name, value in usage.items() if name != "output_tokens"}  # as it had begun
        model_reply(
            run.call, reply={**reply, "tool_calls": calls} if calls else reply, usage=usage,
            usage_shape="anthropic.messages", finish_reason=_FINISH_REASONS.get(stopped, stopped),
        )  # fmt: skip
        streamed = {semconv.REQUEST_STREAM: stopped is None or None, **run.streamed()}
        error = run.notes["error"]
        told = {semconv.ERROR_TYPE: error} if isinstance(error, str) else {semconv.RESPONSE_MODEL: run.notes["model"]}
        run.call.update({semconv.RESPONSE_ID: run.notes["id"], **told, **streamed})
        self._runs.finish(run.key, "error" if run.notes["error"] else outcome)
        self._tick(place)

    def _cut_off(self, otherwise: str) -> str:
        """How what has not come to its own end has ended."""
        if self._stopped_by is not None:
            return "interrupted"
        return "cancelled" if self._is_interrupted else otherwise

    def _parent(self, place: Any) -> Any:
        for key in (("agent", place), place):
            if place is not None and self._runs.get(key) is not None:
                return key
        return self._key

    def _tool_use(self, block: Any, place: Any) -> None:
        """A model asks for a tool."""
        if block.id in self._done:
            return
        run = self._tool(block.id, block.name, block.input, place)
        if self.is_hooked or not self._asks or (refused := refusal(_LIMITS, run.call)) is None:
            return
        if isinstance(run.call, Call) and semconv.LIMIT_ACTION in run.call.span.attributes:  # a pause is none
            run.call.set(semconv.LIMIT_ACTION, "cut")  # it may run already
        self._refuse_tool(block.id, refused)

    def _tool(self, ident: str, name: str, arguments: Any, place: Any) -> Run:
        from agentops_sdk.integration.frameworks import content

        run: Run | None = self._runs.get(ident)
        if run is not None:  # the hook has told of it, or the message
            return run
        run = self._runs.begin("tool", name, ident, self._parent(place), attributes=self._conversation())
        run.call.set(semconv.TOOL_CALL_ID, ident)
        run.call.update(content(semconv.TOOL_CALL_ARGUMENTS, arguments))
        self._tools[ident] = place
        if name in _DELEGATION:
            agent = arguments.get("subagent_type")
            agent = agent if isinstance(agent, str) else "subagent"
            self._runs.begin("agent", agent, ("agent", ident), ident, attributes=self._conversation())
            self._tick(ident)
        return run

    def _result(self, block: Any) -> None:
        from agentops_sdk.integration.frameworks import content

        run = self._runs.get(block.tool_use_id)
        if run is None:
            return
        permission: Permission | None = self._answers.pop(block.tool_use_id, None)
        is_refused = permission is not None and permission.is_refused  # it has not failed: it did not run
        outcome = self._cut_off("cancelled" if is_refused else "error") if block.is_error else "ok"
        self._end_model(block.tool_use_id)
        self._runs.finish(("agent", block.tool_use_id), outcome)
        run.call.update(content(semconv.TOOL_CALL_RESULT, block.content))
        run.call.update(permission.attributes if permission is not None else {})
        self._runs.finish(block.tool_use_id, outcome)
        self._tools.pop(block.tool_use_id, None)
        if (planned := self._planned.pop(block.tool_use_id, None)) is not None:  # of the agent that it ran
            planned.withdraw() if outcome in ("ok", "error") else planned.lose()

    def _end_open(self, outcome: str) -> None:
        for place in list(self._model):
            self._end_model(place, outcome)
        for key in list(self._tools):
            self._runs.finish(("agent", key), outcome)
            self._runs.finish(key, outcome)
        self._tools.clear()
        while self._planned:
            self._planned.popitem()[1].lose()

    def _over(self, message: Any) -> None:
        from agentops_sdk.integration.frameworks import content, error_text

        call = self._runs.get(self._key).call
        call.update(content(semconv.OUTPUT, message.result))
        if type(message.total_cost_usd) in (int, float):
            call.set(_COST, message.total_cost_usd)
        if str(message.terminal_reason) != "aborted_streaming":  # there, a call was under way
            while self._planned:
                self._planned.popitem()[1].withdraw()
        if self._stopped_by is not None:
            self._end_open("interrupted")
            self._runs.fail(self._key, self._stopped_by)
            return
        if self._is_interrupted or str(message.terminal_reason).startswith("aborted"):
            self.finish("cancelled")
            return
        output = (message.usage or {}).get("output_tokens")
        call.set(_OUTPUT_TOKENS, output if type(output) is int else None)
        if message.is_error:
            error_text(call, "; ".join(message.errors or ()), message.subtype)
        for place in list(self._model):
            self._end_model(place)
        self._end_open("abandoned")
        self._runs.finish(self._key, "error" if message.is_error else "ok")


def _is_reached(refused: Any) -> bool:
    """Whether a limit refuses it whichever model would be asked: not by a price, a size or a breaker of one."""
    spent = getattr(refused, "spent", None)
    return spent is not None and (refused.limit not in ("cost", "tokens") or spent >= refused.most)
