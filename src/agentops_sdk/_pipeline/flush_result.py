"""What a flush or a shutdown achieved."""

from __future__ import annotations

from agentops_sdk._named_tuple import NamedTuple


class FlushResult(NamedTuple):
    """What :func:`agentops_sdk.flush` achieved. Truthy when nothing remains and nothing was lost.

    Attributes:
        exported: spans that have reached every sink since ``init()`` (the least of the sinks' counts).
        remaining: spans that have ended and wait for at least one sink.
        lost: spans that will not reach some sink any more, since ``init()``.
        by_sink: the same three figures for each sink.
    """

    exported: int
    remaining: int
    lost: int
    by_sink: dict[str, dict[str, int]]

    def __bool__(self) -> bool:
        return not self.remaining and not self.lost
