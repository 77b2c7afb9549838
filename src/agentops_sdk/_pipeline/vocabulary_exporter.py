"""An exporter that gets its spans with the names of further vocabularies on them; all else it is asked is its own."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentops_sdk._vocabularies import added, repeated

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["WithVocabulary"]


class WithVocabulary:
    """Exports copies: other sinks get the spans as they were.

    Args:
        exporter: whom they go to.
        chosen: names of vocabularies.
    """

    lean = False

    def __init__(self, exporter: Any, chosen: Sequence[str]) -> None:
        self._exporter = exporter
        self._chosen = tuple(chosen)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("_exporter", "_chosen"):  # while it is copied, or asked what it is
            raise AttributeError(name)
        return getattr(self._exporter, name)

    def export(self, spans: Sequence[ReadableSpan]) -> Any:
        return self._exporter.export([self._renamed(span) for span in spans])

    def _renamed(self, span: ReadableSpan) -> ReadableSpan:
        attributes = dict(span.attributes or {})
        more = added(attributes, self._chosen)
        if not more:
            return span
        other = copy.copy(span)
        for name in repeated(attributes):
            del attributes[name]
        other._attributes = {**attributes, **more}  # noqa: SLF001 - it has no setter
        return other
