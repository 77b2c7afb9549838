"""Whether a call goes round: the same again, with the same result, and nothing new in between.

Equal are calls of one tool whose arguments say the same, however they are written, and requests to a model that are
the same. What counts is an unchanged result while nothing new has come to light: pages of a list are other arguments,
a status that changes is another result, an edit between two runs of the tests is news. A failure that is tried again
is a retry the first times, and who waits before asking again does not run away. What is recorded in part only (cut,
redacted, of a kind that has no text) may have been anything: such arguments are not compared, and such a result is
news, but for bytes, arrays and long texts of a function's own, which are compared as they are given.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import orjson

from agentops_sdk import _recorder_port, semconv
from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk._snapshot.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentops_sdk._capture.call import Call

__all__ = ["Repetition", "key_of", "key_of_attributes", "result_of"]

Key = tuple[str, str, int]

_RESULTS = {"tool": semconv.TOOL_CALL_RESULT, "llm": semconv.OUTPUT_MESSAGES, "agent": semconv.OUTPUT}
_KINDS = frozenset(_RESULTS)
_MOST_KEYS = 1_000
_RETRIES = 2
"""Failures of one kind that are tried again before they count."""
_SAID: Key = ("said", "", 0)
_UNKNOWN = 0
"""For a hash, of what is recorded in part only."""
_SPACE = lazy_pattern(r"\s+")
_IN_PART = lazy_pattern(r"(?s)<(?:[\w.]|<locals>)+[ :][^<>]*(?:<\w+>)?>|.*(?:…\[\+|\[redacted:).*")
"""Text that stands for something of which it does not tell all."""
_OPAQUE = lazy_pattern(r"<(?:[\w.]|<locals>)+>")
"""Text that tells a class alone: beside other arguments mostly the same thing each time, as a result maybe another."""
_HAS_OPAQUE = lazy_pattern(r'"<(?:[\w.]|<locals>)+>"')
_WAIT = 2.0
_BACKOFF, _FIRST_BACKOFF = 1.5, 0.1
"""Seconds between two equal calls in which nothing was under way, from which on, or by which factor more than before
and at least, the second is made by who waits."""


class Repetition:
    """What went round so far. Under the lock.

    Attributes:
        news: how many results came that were new.
        busy: seconds that calls of models and tools took so far.
    """

    __slots__ = ("_agents", "_rounds", "_said", "_seen", "busy", "news")

    def __init__(self) -> None:
        self._rounds: OrderedDict[Key, _Round] = OrderedDict()
        self._seen: OrderedDict[tuple[Key, int], None] = OrderedDict()
        self._agents: list[tuple[str, int]] = []
        self.news = 0
        self.busy = 0.0
        self._said = 0

    def count(self, key: Key, at: float) -> tuple[int, float]:
        """How many times the call was made already without anything new, and seconds that all but the first took.

        Args:
            at: seconds on the clock on which calls have ended.
        """
        kind, name, _ = key
        if kind == "agent":
            return self._swaps(name), 0.0
        round_ = self._rounds.get(key) if key[2] else None
        if round_ is None or round_.news != self.news or self._waits(round_, at):
            return 0, 0.0
        return max(0, round_.times - (_RETRIES if round_.failed else 0)), round_.wasted

    def begins(self, key: Key) -> None:
        """The call is made."""
        if key[0] == "agent":
            self._agents = [*self._agents[-_MOST_KEYS:], (key[1], self.news + self._said)]

    def ends(self, key: Key, result: int, *, failed: bool, seconds: float, at: float) -> None:
        """The call gave this result, as a hash, and has ended after ``seconds``, ``at`` some time."""
        kind = key[0]
        busy = self.busy
        if kind != "agent":
            self.busy += seconds
        what = _SAID if kind == "llm" else key
        if result == _UNKNOWN:
            self.news += kind != "llm"
            self._said += kind == "llm"
        elif (what, result) not in self._seen:
            if kind == "llm":
                self._said += 1  # news to the agent that it hands over to, and none to a tool
            else:
                self.news += 1
            self._seen[what, result] = None
            if len(self._seen) > _MOST_KEYS:
                self._seen.popitem(last=False)
        if kind == "agent" or result == _UNKNOWN:
            return
        round_ = self._rounds.pop(key, None)
        if round_ is None or (round_.result, round_.news) != (result, self.news):
            round_ = _Round(result, self.news, failed=failed)
        else:
            pause = at - seconds - round_.ended - (busy - round_.busy)
            if _is_wait(pause, round_.pause):
                round_.times, round_.wasted = 1, 0.0
            else:
                round_.times += 1
                round_.wasted += seconds
            round_.pause = pause
        round_.ended, round_.busy = at, self.busy
        self._rounds[key] = round_
        if len(self._rounds) > _MOST_KEYS:
            self._rounds.popitem(last=False)

    def _waits(self, round_: _Round, at: float) -> bool:
        return _is_wait(at - round_.ended - (self.busy - round_.busy), round_.pause)

    def _swaps(self, name: str) -> int:
        """How many times two agents have handed over to each other, where ``name`` is the next, and nothing was new."""
        names = [each for each, news in self._agents if news == self.news + self._said]
        if not names or names[-1] == name:
            return 0
        expected, times = [name, names[-1]], 0
        while len(names) > times and names[-1 - times] == expected[(times + 1) % 2]:
            times += 1
        return times // 2


def _is_wait(pause: float, before: float) -> bool:
    """Whether who made the call had waited: for long, or for longer each time."""
    return pause >= _WAIT or pause >= max(_FIRST_BACKOFF, _BACKOFF * before)


class _Round:
    __slots__ = ("busy", "ended", "failed", "news", "pause", "result", "times", "wasted")

    def __init__(self, result: int, news: int, *, failed: bool) -> None:
        self.result = result
        self.news = news
        self.failed = failed
        self.times = 1
        self.wasted = 0.0
        self.ended = self.busy = 0.0
        self.pause = math.inf


def key_of(call: Call, request: Any) -> Key | None:
    """What makes another call the same; ``None`` where content is not recorded. Caller's thread.

    Its last member is 0 where it is not known what is asked for.
    """
    kind = call.kind
    if kind not in _KINDS or not _recorder_port.active.settings.records_content or _RESULTS[kind] in call.withheld:
        return None
    asked = 0
    if kind == "tool" and semconv.TOOL_CALL_ARGUMENTS not in call.withheld:
        arguments = call.span.attributes.get(semconv.TOOL_CALL_ARGUMENTS)
        asked = _hashed(_asked_for(arguments if isinstance(arguments, str) else "{}")) or call.digest
    elif kind == "llm" and request is not None:
        asked = hash(request if type(request) in (bytes, str) else snapshot(request)) or 1
    return kind, call.name or "", asked


def key_of_attributes(kind: str, attributes: Mapping[str, Any]) -> Key | None:
    """The same of a call that has ended; ``None`` where content is not recorded."""
    name = {"tool": semconv.TOOL_CALL_ARGUMENTS, "llm": semconv.INPUT_MESSAGES}.get(kind)
    asked, has_result = attributes.get(name or ""), attributes.get(_RESULTS[kind]) is not None
    if asked is None and kind == "tool" and has_result and name not in (attributes.get(semconv.WITHHELD) or ()):
        asked = "{}"  # of a tool that takes none
    failed = attributes.get(semconv.OUTCOME) == "error"
    if not isinstance(asked, str) or not (has_result or failed):
        return None
    called = attributes.get(semconv.TOOL_NAME if kind == "tool" else semconv.REQUEST_MODEL)
    return kind, str(called), _hashed(_asked_for(asked) if kind == "tool" else _canonical(asked))


def result_of(kind: str, attributes: Mapping[str, Any]) -> tuple[int, bool]:
    """The hash of what an ended call gave, 0 where that is not known, and whether it failed."""
    failed = attributes.get(semconv.OUTCOME) == "error"
    result = attributes.get(semconv.ERROR_TYPE if failed else _RESULTS[kind])
    text = result if isinstance(result, str) else orjson.dumps(result, default=str).decode()
    return _hashed(_canonical(text, ids=kind != "llm", opaque=True)), failed


def _asked_for(text: str) -> str | None:
    """Arguments in one form; ``None`` where all that they tell is what they are."""
    form = _canonical(text)
    values = orjson.loads(form) if form is not None and _HAS_OPAQUE.search(form) is not None else None
    if isinstance(values, dict) and all(_HAS_OPAQUE.search(orjson.dumps(each).decode()) for each in values.values()):
        return None
    return form


def _hashed(text: str | None) -> int:
    return _UNKNOWN if text is None else hash(text) or 1


def _canonical(text: str, *, ids: bool = True, opaque: bool = False) -> str | None:
    """JSON text in one form: keys in order, no absent values, white space alike; of a model, no ids of its calls.

    ``None`` where it stands for something of which it does not tell all.
    """
    try:
        value = orjson.loads(text)
    except ValueError:
        value = text
    try:
        return orjson.dumps(_plain(value, ids, opaque), option=orjson.OPT_SORT_KEYS, default=str).decode()
    except _InPartError:
        return None


class _InPartError(Exception):
    """Something is recorded in part only."""


def _plain(value: Any, ids: bool, opaque: bool) -> Any:
    if isinstance(value, dict):
        return {
            name: _plain(member, ids, opaque)
            for name, member in value.items()
            if member is not None and (ids or name != "id")
        }
    if isinstance(value, list):
        return [_plain(member, ids, opaque) for member in value]
    if isinstance(value, float) and value.is_integer():
        return int(value) if abs(value) < 2**53 else value
    if not isinstance(value, str):
        return value
    if _IN_PART.fullmatch(value) or (opaque and _OPAQUE.fullmatch(value)):
        raise _InPartError
    text = value.strip()
    return text if "\n" in text else _SPACE.sub(" ", text)  # in code and lists it may be what matters
