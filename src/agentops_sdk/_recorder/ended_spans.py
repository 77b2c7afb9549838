"""Which spans have ended of those that something is known of until they do, and nobody tells that any more."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Final

__all__ = ["EndedSpans"]

_ON_ITS_WAY: Final = 1.0
"""Seconds that a span may take at most from its end until it is counted among those that wait."""


class EndedSpans:
    """Looks for them once a second at most: what a call tells of a run that it outlived would stay. Consumer thread."""

    def __init__(self) -> None:
        self._ended: set[int] = set()
        self._not_before, self._consumed = 0.0, 0

    def among(self, known: Collection[int], still_open: Collection[int], consumed: int, waiting: int) -> set[int]:
        """Those of which nothing will be told any more.

        A span that is not open may still wait to be consumed. It is done with where it was not open the last time
        either, and all that waited then has been consumed.

        Args:
            known: ids of spans.
            still_open: ids of the spans that have not ended.
            consumed: how many ended spans have been consumed so far.
            waiting: how many wait.
        """
        if not known or consumed < self._consumed or (now := time.monotonic()) < self._not_before:
            return set()
        ended = {span_id for span_id in known if span_id not in still_open}
        found = ended & self._ended
        self._ended = ended - found
        self._not_before, self._consumed = now + _ON_ITS_WAY, consumed + waiting
        return found
