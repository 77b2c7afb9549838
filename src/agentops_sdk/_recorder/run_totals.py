"""What the model calls of an agent or a workflow tell of it: its model, settings, tools, instructions and usage.

Spans end before what they are part of, and come here in that order. What is kept of a run that is still open is one
set of figures, however many calls it makes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import Any, Final

import orjson

from agentops_sdk import semconv
from agentops_sdk._recorder.ended_spans import EndedSpans

__all__ = ["RUNS", "RunTotals"]

RUNS: Final = frozenset(("agent", "workflow"))
_MOST_OPEN: Final = 10_000
_SETTINGS: Final = (
    semconv.REQUEST_MODEL,
    semconv.REQUEST_TEMPERATURE,
    semconv.REQUEST_TOP_P,
    semconv.REQUEST_MAX_TOKENS,
    semconv.REQUEST_CHOICE_COUNT,
    semconv.REQUEST_FREQUENCY_PENALTY,
    semconv.REQUEST_PRESENCE_PENALTY,
    semconv.REQUEST_SEED,
    semconv.REQUEST_STOP_SEQUENCES,
    semconv.OUTPUT_TYPE,
    semconv.SYSTEM_INSTRUCTIONS,
    semconv.TOOL_DEFINITIONS,
)
"""What a run is said to have where its calls agree on it."""
_STANDING: Final = (semconv.SYSTEM_INSTRUCTIONS, semconv.TOOL_DEFINITIONS)
"""What a run has also where a call leaves it out: one that may use no tool any more, say."""
_USAGE: Final = {
    semconv.USAGE_INPUT_TOKENS: semconv.RUN_INPUT_TOKENS,
    semconv.USAGE_OUTPUT_TOKENS: semconv.RUN_OUTPUT_TOKENS,
    semconv.USAGE_CACHE_READ: semconv.RUN_CACHE_READ,
    semconv.USAGE_CACHE_CREATION: semconv.RUN_CACHE_CREATION,
    semconv.USAGE_REASONING: semconv.RUN_REASONING,
}
_OF_AGENTS: Final = {
    "pin": (
        semconv.USAGE_INPUT_TOKENS, semconv.USAGE_OUTPUT_TOKENS, semconv.USAGE_CACHE_READ, semconv.USAGE_CACHE_CREATION,
    ),
    "main": (semconv.USAGE_INPUT_TOKENS, semconv.USAGE_OUTPUT_TOKENS),
}  # fmt: skip
"""By state of the conventions, the tokens that an agent itself has under their names.

Where no state is chosen it has none: backends add up all that they find there, and calls have told theirs.
"""
_INSTRUCTING: Final = ("system", "developer")
_INSTRUCTION_STARTS: Final = tuple(f'[{{"role":"{role}"' for role in _INSTRUCTING)


class _Below:
    """What has been told below one open span.

    Attributes:
        usage: tokens of every call, by their name on a run.
        work: ids of background work whose tokens are in ``usage``: several spans may read one.
        own: of the calls that no run further in has made: what they agree on; ``None`` before the first.
        every: the same of all calls, for a workflow, whose calls are its agents'.
        finish_reasons: of the last call.
        asked: the messages of the first call that no run further in has made.
        answered: those of the last one's reply.
    """

    __slots__ = ("answered", "asked", "every", "finish_reasons", "own", "usage", "work")

    def __init__(self) -> None:
        self.usage: dict[str, int] = {}
        self.work: set[str] = set()
        self.own: dict[str, Any] | None = None
        self.every: dict[str, Any] | None = None
        self.finish_reasons: Any = None
        self.asked: Any = None
        self.answered: Any = None


class RunTotals:
    """Collects from ended spans, and gives to the runs that they are part of. Any thread, one at a time."""

    def __init__(self) -> None:
        self.open: OrderedDict[int, _Below] = OrderedDict()
        """By the id of a span that is open: what has been told below it."""
        self._lock = threading.Lock()  # joined to a program's provider, spans end on its threads
        self._ended = EndedSpans()

    def forget_ended(self, still_open: Collection[int], consumed: int, waiting: int) -> None:
        """Let go of what was told of spans that had ended before: see :meth:`EndedSpans.among`."""
        with self._lock:
            for span_id in self._ended.among(self.open, still_open, consumed, waiting):
                del self.open[span_id]

    def settle(
        self, span_id: int, parent_id: int | None, attributes: dict[str, Any], *, content: bool, state: str = ""
    ) -> None:
        """A span has ended: tell it what is below it, and what is around it of both.

        Args:
            span_id: its id.
            parent_id: that of the span around it in this process; ``None`` where there is none.
            attributes: all it has; what is told is added.
            content: whether content is recorded of it: what is not shown there is not shown around it.
            state: of the conventions, where one is chosen.
        """
        kind = attributes.get(semconv.KIND)
        with self._lock:
            below = self.open.pop(span_id, None)
            if kind in RUNS:
                if below is not None:
                    _tell(attributes, below, below.own if kind == "agent" else below.every)
                    if kind == "agent" or semconv.FRAMEWORK in attributes:
                        _tell_messages(attributes, below)
                    below.own = None
                    if kind == "agent":
                        _tell_usage(attributes, below, state)
                        _answered_for(attributes, below, content)
            elif parent_id is None:
                return
            elif (kind == "llm" and semconv.MODEL_CALLS not in attributes) or semconv.USAGE_INPUT_TOKENS in attributes:
                below = below or _Below()
                _add_call(below, attributes, kind, content)
            if below is not None and parent_id is not None:
                around = self.open.get(parent_id)
                if around is None:
                    self.open[parent_id] = below
                    if len(self.open) > _MOST_OPEN:
                        self.open.popitem(last=False)
                else:
                    _merge(around, below)


def _tell(attributes: dict[str, Any], below: _Below, settings: Mapping[str, Any] | None) -> None:
    for name, value in {**(settings or {}), **below.usage}.items():
        attributes.setdefault(name, value)
    if below.finish_reasons is not None:
        attributes.setdefault(semconv.RESPONSE_FINISH_REASONS, below.finish_reasons)


def _tell_usage(attributes: dict[str, Any], below: _Below, state: str) -> None:
    for name in _OF_AGENTS.get(state, ()):
        if _USAGE[name] in below.usage:
            attributes.setdefault(name, below.usage[_USAGE[name]])


def _tell_messages(attributes: dict[str, Any], below: _Below) -> None:
    """A run that says nothing of what it was asked has asked its model first, and answers what that said last.

    What a framework, or the program, does not want shown of it is not shown by this either.
    """
    if semconv.WITHHELD in attributes:
        return
    if semconv.INPUT not in attributes and below.asked is not None:
        asked = _conversation(below.asked)
        if asked:
            attributes.setdefault(semconv.INPUT_MESSAGES, asked)
    gave_answer = attributes.get(semconv.OUTCOME, "ok") == "ok"  # what ended otherwise has said nothing at its end
    if gave_answer and semconv.OUTPUT not in attributes and below.answered is not None:
        attributes.setdefault(semconv.OUTPUT_MESSAGES, below.answered)


def _answered_for(attributes: Mapping[str, Any], below: _Below, content: bool) -> None:
    """Around an agent, its own messages stand for those of its calls."""
    if not content or semconv.PRIVATE in attributes:
        below.asked = below.answered = None
        return
    below.asked, below.answered = attributes.get(semconv.INPUT_MESSAGES), attributes.get(semconv.OUTPUT_MESSAGES)


def _add_call(below: _Below, attributes: Mapping[str, Any], kind: Any, content: bool) -> None:
    work = attributes.get(semconv.USAGE_OF)
    if work is None or work not in below.work:
        if not attributes.get(semconv.CACHED):
            for name, total in _USAGE.items():
                tokens = attributes.get(name)
                if type(tokens) is int:
                    below.usage[total] = below.usage.get(total, 0) + tokens
        if type(work) is str:
            below.work.add(work)
    if kind != "llm":
        return
    below.own = _agreed(below.own, settings := _settings(attributes, content))
    below.every = _agreed(below.every, settings)
    below.finish_reasons = attributes.get(semconv.RESPONSE_FINISH_REASONS, below.finish_reasons)
    if content and semconv.PRIVATE not in attributes:
        if below.asked is None:
            below.asked = attributes.get(semconv.INPUT_MESSAGES)
        below.answered = attributes.get(semconv.OUTPUT_MESSAGES, below.answered)


def _settings(attributes: Mapping[str, Any], content: bool) -> dict[str, Any]:
    if semconv.PRIVATE in attributes:
        return {name: attributes[name] for name in (semconv.REQUEST_MODEL,) if name in attributes}
    settings = {name: attributes[name] for name in _SETTINGS if attributes.get(name) is not None}
    instructions = settings.pop(semconv.SYSTEM_INSTRUCTIONS, None)
    if content and (instructions or (instructions := _instructions(attributes.get(semconv.INPUT_MESSAGES)))):
        settings[semconv.SYSTEM_INSTRUCTIONS] = instructions
    return settings


def _merge(around: _Below, below: _Below) -> None:
    if around.work & below.work:  # some of it has been counted, and nobody knows how much
        below.usage = {}
    for name, tokens in below.usage.items():
        around.usage[name] = around.usage.get(name, 0) + tokens
    around.work |= below.work
    around.own = _agreed(around.own, below.own)
    around.every = _agreed(around.every, below.every)
    around.finish_reasons = below.finish_reasons or around.finish_reasons
    around.asked = below.asked if around.asked is None else around.asked
    around.answered = around.answered if below.answered is None else below.answered


def _agreed(before: dict[str, Any] | None, more: dict[str, Any] | None) -> dict[str, Any] | None:
    if before is None or more is None:
        return more if before is None else before
    agreed = {name: value for name, value in before.items() if name in more and more[name] == value}
    for name in _STANDING:
        if (name in before) != (name in more):
            agreed[name] = before.get(name, more.get(name))
    return agreed


def _conversation(messages: Any) -> Any:
    """A conversation without the instructions that it begins with."""
    if isinstance(messages, str) and messages.startswith(_INSTRUCTION_STARTS):
        try:
            messages = orjson.loads(messages)
        except orjson.JSONDecodeError:
            return messages
    if not isinstance(messages, list):
        return messages
    return [one for one in messages if not (isinstance(one, dict) and one.get("role") in _INSTRUCTING)]


def _instructions(messages: Any) -> Any:
    """What a conversation begins with, where that is an instruction and not the user's word."""
    if isinstance(messages, str):
        if not messages.startswith(_INSTRUCTION_STARTS):
            return None
        try:
            messages = orjson.loads(messages)
        except orjson.JSONDecodeError:
            return None
    first = messages[0] if isinstance(messages, list) and messages else None
    return first.get("parts") if isinstance(first, dict) and first.get("role") in _INSTRUCTING else None
