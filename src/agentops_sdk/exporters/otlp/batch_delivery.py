"""One batch on its way: which of its spans are at fault, or whether the backend takes nothing at present.

A refusal alone does not tell. Spans are at fault only if the same backend has taken others of the same
batch; as long as it has not, it is asked a few times more, ever more seldom, and the batch stays whole.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Final

from agentops_sdk.exporters.otlp.compression import size_of
from agentops_sdk.exporters.otlp.request_halves import halves, joined
from agentops_sdk.exporters.otlp.segment import Piece

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentops_sdk.exporters.otlp.answer import Reply
    from agentops_sdk.exporters.otlp.spool import Batch

__all__ = ["Delivery", "NotNowError", "Tally"]

_BATCH_BYTES: Final = 900_000
"""Uncompressed; backends with a limit of 1 MB a request exist."""
_LEAST_BYTES: Final = 16_384
_REFUSALS: Final = 40  # of one batch; what is refused after so many is not halved any more
_IN_DOUBT, _AGAIN, _KNOWN = 7, 3, 16  # refusals that make it doubtful: at first, at the next try, of what was set aside
_TRIES: Final = 4
_POISON_500: Final = 8


class NotNowError(Exception):
    """The batch cannot be delivered now."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply


class Tally:
    """What became of a batch: ``exported``, ``dropped`` and the spans in ``refused`` are all its spans."""

    def __init__(self) -> None:
        self.exported = 0
        self.dropped: Counter[str] = Counter()
        self.refused: list[tuple[Piece, str]] = []
        self.remarks: list[str] = []

    @property
    def taken(self) -> bool:
        """Whether the backend has taken a request of the batch."""
        return bool(self.exported or self.dropped)


class Delivery:
    """Remembers what one answer does not tell: how much a request may hold, whether an empty one is taken.

    Args:
        post: sends one serialized request.
        signal: what the requests hold.
    """

    def __init__(self, post: Callable[[bytes], Reply], signal: str = "traces") -> None:
        self._signal = signal
        self.batch_bytes = _BATCH_BYTES
        self._post = post
        self._set_aside = 0  # batches without one span that was taken, since the backend last took one
        self._refused_empty = False
        self._takes_empty = True
        self._unfinished: tuple[Batch, deque[list[Piece]], Tally] | None = None

    @property
    def unfinished(self) -> Batch | None:
        """A batch of which the backend has taken a part."""
        return self._unfinished[0] if self._unfinished is not None else None

    def deliver(self, batch: Batch, failures: int, *, alone: bool) -> Tally:
        """Send a batch, in parts where that is needed.

        Args:
            batch: after a :class:`NotNowError` the same one again goes on where it was.
            failures: how often in a row nothing could be delivered.
            alone: nothing waits behind it, so that it can wait as well.

        Raises:
            NotNowError: the backend cannot be reached, or takes nothing.
        """
        parts, tally = deque([batch.pieces]), Tally()
        if self._unfinished is not None and self._unfinished[0] is batch:
            _, parts, tally = self._unfinished
        self._unfinished = None
        try:
            self._deliver(parts, tally, batch, failures, patience=_TRIES if not alone else None)
        except NotNowError:
            if tally.taken:
                self._unfinished = batch, parts, tally  # what has been taken is not sent again
            raise
        if tally.taken:
            self._set_aside = 0
            self._learn_about_empty_requests()
        else:
            self._set_aside += not batch.segment.tried
            tally.refused = [(joined(batch.pieces), tally.refused[0][1])]
        return tally

    def _deliver(
        self, parts: deque[list[Piece]], tally: Tally, batch: Batch, failures: int, patience: int | None
    ) -> None:
        refusals = 0
        too_large = False
        while parts:
            part = parts[0]
            if too_large and tally.taken and _size(part) > self.batch_bytes and _halve(parts, self._signal, first=True):
                continue  # no need to ask
            reply = self._post(part[0].payload if len(part) == 1 else joined(part).payload)
            if reply.verdict == "accepted":
                parts.popleft()
                self._take(part, reply, tally, too_large)
                continue
            if reply.verdict not in ("refused", "too_large"):
                if not (reply.status == 500 and failures >= _POISON_500 and self._post(b"").verdict == "accepted"):
                    raise NotNowError(reply)
                tally.refused.append((joined(parts.popleft()), reply.reason))
                continue
            too_large = too_large or reply.verdict == "too_large"
            if reply.verdict == "refused" and not tally.taken:
                whole = not _single_out(parts, self._signal)
            else:
                whole = refusals >= _REFUSALS or not _halve(parts, self._signal, first=reply.verdict == "too_large")
            if whole:
                tally.refused.append((joined(parts.popleft()), reply.reason))
            refusals += whole or reply.verdict == "refused"
            if not tally.taken and self._doubtful(refusals, batch, failures, over=not parts):
                if not batch.segment.tried and (patience is None or failures < patience):
                    raise NotNowError(reply)
                parts.clear()
                tally.refused = [(joined(batch.pieces), reply.reason)]

    def _doubtful(self, refusals: int, batch: Batch, failures: int, *, over: bool) -> bool:
        """Whether the backend takes nothing at present: of this batch it has not, in whatever parts."""
        if batch.segment.tried:  # set aside before, and the backend took others
            return refusals >= _KNOWN
        if refusals == 1 and self._takes_empty and self._post(b"").verdict != "accepted":
            self._refused_empty = True
            return True  # an empty request is valid OTLP
        return refusals >= (_AGAIN if failures else _IN_DOUBT) or (over and self._set_aside > 0)

    def _take(self, part: list[Piece], reply: Reply, tally: Tally, too_large: bool) -> None:
        spans = sum(piece.spans for piece in part)
        rejected = min(reply.rejected, spans)
        tally.exported += spans - rejected
        if rejected:
            tally.dropped["rejected_by_backend"] += rejected
        if reply.reason:
            tally.remarks.append(f"partial success: {reply.reason}")
        if too_large:
            self.batch_bytes = max(_LEAST_BYTES, min(self.batch_bytes, _size(part)))

    def _learn_about_empty_requests(self) -> None:
        """Some backends refuse them always: of these an empty request tells nothing."""
        if self._refused_empty:
            self._refused_empty = False
            self._takes_empty = self._post(b"").verdict == "accepted"


def _size(part: list[Piece]) -> int:
    return sum(size_of(piece.payload) for piece in part)


def _halve(parts: deque[list[Piece]], signal: str, *, first: bool) -> bool:
    """Put halves in the place of the first part, or behind all others; ``False`` if it is a single span."""
    one, other = halves(parts[0], signal)
    if not other:
        return False
    parts.popleft()
    if first:
        parts.extendleft((other, one))
    else:
        parts.extend((one, other))
    return True


def _single_out(parts: deque[list[Piece]], signal: str) -> bool:
    """Divide the first part into one span, which is asked about next, and the rest, largest first."""
    one, other = halves(parts[0], signal)
    if not other:
        return False
    parts.popleft()
    rest = []
    while other:
        rest.append(other)
        one, other = halves(one)
    parts.extend(rest)
    parts.appendleft(one)
    return True
