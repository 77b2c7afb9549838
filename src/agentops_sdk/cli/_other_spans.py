"""Spans of files that hold no lines of ours: packed ones, OTLP as JSON, what other recorders wrote."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from agentops_sdk.errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

__all__ = ["OtherSpans"]

_MOST_KNOWN = 1_000_000


class OtherSpans:
    """Reads such a file when it is new and again when it has changed, and tells each span once."""

    def __init__(self) -> None:
        self._states: dict[Path, tuple[int, int]] = {}
        self._known: OrderedDict[str, None] = OrderedDict()

    def files(self, place: Path, read: Collection[str], lines: Collection[Path]) -> list[Path]:
        """The files of a place that are to be read here.

        Args:
            place: a directory or a file.
            read: the lines of which files have been read: when they are packed, that is nothing new.
            lines: files of lines that are none of ours.
        """
        from agentops_sdk.traces.places import trace_files

        paths = trace_files(place) if place.is_dir() else [place]
        return [
            path
            for path in paths
            if path in lines or (path.suffix not in (".jsonl", ".open") and str(path.with_suffix("")) not in read)
        ]

    def new(self, path: Path) -> Iterator[dict[str, Any]]:
        """The spans of a file that have not been told."""
        from agentops_sdk.traces.places import load

        try:
            facts = path.stat()
            state = facts.st_size, facts.st_mtime_ns
            if self._states.get(path) == state:
                return
            traces = load(path)
        except (OSError, TraceError):
            return
        self._states[path] = state
        for trace in traces:
            for record in trace.spans:
                if record.span_id not in self._known:
                    self._known[record.span_id] = None
                    yield record.model_dump(mode="python")
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
