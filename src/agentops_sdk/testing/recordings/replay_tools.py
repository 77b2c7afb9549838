"""Results of tracked tools, recorded and replayed: the tool itself does not run again."""

from __future__ import annotations

import builtins
import inspect
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from agentops_sdk import _recorder_port
from agentops_sdk._snapshot.snapshot import snapshot
from agentops_sdk.testing.recordings.cassette import scrubbed
from agentops_sdk.testing.recordings.json_diff import differences


class ReplayedToolError(Exception):
    """A recorded tool failed with an exception that is not one of Python's own; this one has its text."""


class ToolResults:
    """What tools returned or raised, by name and arguments. Results that JSON cannot hold exactly are not kept."""

    def __init__(
        self, rows: list[dict[str, Any]], *, record: bool, lenient: bool, problem: Callable[[str], BaseException]
    ) -> None:
        self.rows = rows
        self.deviations: list[str] = []
        self._used: set[int] = set()
        self._record = record
        self._lenient = lenient
        self._problem = problem
        self._lock = threading.Lock()

    @contextmanager
    def standing_in(self) -> Iterator[None]:
        """Tracked tools are answered for inside the block."""
        before, _recorder_port.stand_in = _recorder_port.stand_in, self._choose
        elsewhere, _recorder_port.tool_answer = _recorder_port.tool_answer, self.answer_elsewhere
        try:
            yield
        finally:
            _recorder_port.stand_in, _recorder_port.tool_answer = before, elsewhere

    def answer_elsewhere(self, name: str, arguments: Any) -> Mapping[str, Any] | None:
        """What a tool that runs on a server answered; ``None`` has it run."""
        return None

    @property
    def answered(self) -> frozenset[int]:
        """Which results tools were answered with, by their place in ``rows``."""
        return frozenset(self._used)

    def left(self) -> tuple[int, int]:
        """How many recorded results nobody asked for, and how many there are."""
        kept = [index for index, row in enumerate(self.rows) if _kept(row)]
        return sum(1 for index in kept if index not in self._used), len(kept)

    def _choose(
        self, kind: str, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Callable[..., Any]:
        if kind != "tool":
            return function
        asked = {"tool": name, "arguments": _arguments(function, args, kwargs)}
        if not self._record:
            row = self._find(asked)
            return _answering(function, row) if _kept(row) else function
        return self._noting(function, asked)

    def _noting(self, function: Callable[..., Any], asked: dict[str, Any]) -> Callable[..., Any]:
        def failed(error: BaseException) -> None:
            self._note({**asked, "error": {"type": type(error).__name__, "args": [str(item) for item in error.args]}})

        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                result = function(*args, **kwargs)
            except Exception as error:
                failed(error)
                raise
            self._note(_with_result(asked, result))
            return result

        async def run_async(*args: Any, **kwargs: Any) -> Any:
            try:
                result = await function(*args, **kwargs)
            except Exception as error:
                failed(error)
                raise
            self._note(_with_result(asked, result))
            return result

        return run_async if inspect.iscoroutinefunction(function) else run

    def _note(self, row: dict[str, Any]) -> None:
        with self._lock:
            self.rows.append(scrubbed(row))

    def _find(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["tool"]
        with self._lock:
            free = [(at, row) for at, row in enumerate(self.rows) if at not in self._used and row["tool"] == name]
            match = next(((at, row) for at, row in free if row["arguments"] == asked["arguments"]), None)
            if match is None and free:
                match = min(free, key=lambda each: len(_told(each[1], asked)))
                listed = "\n".join(f"  {line}" for line in _told(match[1], asked))
                if not self._lenient:
                    raise self._problem(f"call of tool {name} differs from every one that is left in {{file}}, "
                                        f"the nearest is:\n{listed}")  # fmt: skip
                self.deviations.append(f"call of tool {name} differs from the recorded one:\n{listed}")
            if match is None:
                raise self._problem(f"tool {name} was called more often than in {{file}}")
            self._used.add(match[0])
            return match[1]


def _told(row: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    return list(differences(row["arguments"], asked["arguments"]))


def _kept(row: dict[str, Any]) -> bool:
    return "result" in row or "error" in row


def _with_result(asked: dict[str, Any], result: Any) -> dict[str, Any]:
    try:
        same = json.loads(json.dumps(result))
    except (TypeError, ValueError):
        return asked
    return {**asked, "result": same} if _exact(same, result) else asked


def _exact(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_exact(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_exact, one, other))
    return bool(one == other)


def _arguments(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    try:
        bound = dict(inspect.signature(function).bind(*args, **kwargs).arguments)
    except (TypeError, ValueError):
        bound = {"args": list(args), **kwargs}
    bound.pop("self", None)
    bound.pop("cls", None)
    # As a span shows them: any value has a form that JSON holds, and secrets are replaced.
    return scrubbed(json.loads(snapshot(bound)))


def _answering(function: Callable[..., Any], row: dict[str, Any]) -> Callable[..., Any]:
    def answer(*_: Any, **__: Any) -> Any:
        if "error" in row:
            raise _error(row["error"])
        return json.loads(json.dumps(row["result"]))  # the caller may change what it gets

    async def answer_async(*_: Any, **__: Any) -> Any:
        return answer()

    return answer_async if inspect.iscoroutinefunction(function) else answer


def _error(recorded: dict[str, Any]) -> Exception:
    kind = getattr(builtins, recorded["type"], None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            return kind(*recorded["args"])
        except TypeError:
            pass
    return ReplayedToolError(f"{recorded['type']}: {', '.join(recorded['args'])}")
