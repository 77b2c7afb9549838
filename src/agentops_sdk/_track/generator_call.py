"""One run of a tracked generator: a live call, and what it has yielded so far, bounded."""

from __future__ import annotations

from typing import Any

import orjson
from opentelemetry.context import Context

from agentops_sdk import _recorder_port, semconv
from agentops_sdk._capture.call import NULL_CALL, Call, NullCall
from agentops_sdk._host.guard import UserFunction, guard
from agentops_sdk._snapshot.snapshot import limits
from agentops_sdk._snapshot.text import CUT, CutBytes
from agentops_sdk._track.function_call import Tracked

_MOST_ITEMS = 10_000
_FIGURES = frozenset((int, float, bool, type(None)))
_SHORT = 256
"""Characters of a text that is kept as it is until the generator ends."""


class Yielded:
    """Implements :class:`~agentops_sdk._propagation.generators.Steps` for a tracked generator function."""

    __slots__ = ("_call", "_count", "_kept", "_live", "_most", "_room", "_tracked", "context", "live")
    stops = False

    def __init__(self, tracked: Tracked, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._tracked = tracked
        self._call: Call | NullCall = NULL_CALL
        self.context: Context | None = None
        self.live: Call | None = None
        self._count = 0
        self._kept: list[Any] = []
        """Items as they are where nobody can change them, encoded at once where somebody can."""
        # A hook wants the items themselves; they stay alive until the generator ends.
        self._live: list[Any] | None = [] if tracked.options.process_output is not None else None
        self._most = self._room = 0
        if _recorder_port.active.enabled:
            with guard("track.begin"):
                call = tracked.start(args, kwargs)
                if isinstance(call, Call):
                    self._call = self.live = call
                    self.context = call.context
                    if tracked.options.capture_output and _recorder_port.active.settings.records_content:
                        self._most = self._room = limits().bytes

    def cut_off(self) -> Exception | None:
        """No limit ends a function of the program's."""

    def item(self, value: Any) -> None:
        # What is most often yielded cannot change: it is encoded with all others when the generator ends.
        if self._room > 0 and self._live is None and type(value) in _FIGURES:
            self._count += 1
            self._room -= 2
            self._kept.append(value)
        elif self._room > 0 and self._live is None and type(value) is str and (size := len(value)) <= _SHORT:
            self._count += 1
            self._room -= size + 3
            self._kept.append(value)
        else:
            self._item(value)

    def _item(self, value: Any) -> None:
        if not self._call.recording:
            return
        self._count += 1
        if self._room <= 0:
            return
        with guard("track.item"):
            if self._live is not None:
                if len(self._live) < _MOST_ITEMS:
                    self._live.append(value)
                return
            encoded = self._tracked.encode(value)
            self._room -= len(encoded) + 1
            self._kept.append(encoded)

    def end(self, result: Any) -> None:
        if self._call.recording:
            with guard("track.end"):
                if self._tracked.options.cost is not None:
                    self._tracked.charge(self._call, result)
                self._record(result)
            self._call.finish()

    def abandon(self) -> None:
        if self._call.recording:
            with guard("track.abandon"):
                self._record(None)
            self._call.finish("abandoned")

    def fail(self, error: BaseException) -> None:
        if self._call.recording:
            with guard("track.fail"):
                self._record(None)
            self._call.fail(error)

    def _record(self, result: Any) -> None:
        self._call.set(semconv.STREAM_CHUNKS, self._count)
        options = self._tracked.options
        if not options.capture_output or not _recorder_port.active.settings.records_content:
            return
        if self._live is not None:
            live, self._live = self._live, []
            processed: Any = "<process_output failed>"
            with guard("track.process_output"), UserFunction("process_output"):
                processed = options.process_output(live) if options.process_output is not None else live
            self._tracked.record_output(self._call, self._tracked.encode(processed))
            return
        items = self._items()
        cut = type(items) is CutBytes
        if result is not None:
            returned = self._tracked.encode(result)
            cut = cut or type(returned) is CutBytes
            items = b'{"yielded":' + items + b',"returned":' + returned + b"}"
        self._tracked.record_output(self._call, CutBytes(items) if cut else items)

    def _items(self) -> bytes:
        """What was yielded as a list in JSON, as far as there is room for it."""
        kept, self._kept = self._kept, []
        if self._count == len(kept):
            try:
                items = orjson.dumps(kept)  # takes no bytes: of what is encoded already each is looked at
            except TypeError:
                pass
            else:
                if len(items) <= self._most:
                    return items
        room, parts = self._most, []
        for item in kept:
            encoded = item if isinstance(item, bytes) else self._tracked.encode(item)
            room -= len(encoded) + 1
            if room <= 0:
                break
            parts.append(encoded)
        missing = self._count - len(parts)
        if missing:
            parts.append(f'"{CUT}{missing} items]"'.encode())
        items = b"[" + b",".join(parts) + b"]"
        return CutBytes(items) if missing or any(type(part) is CutBytes for part in parts) else items
