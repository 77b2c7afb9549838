"""Work that goes on in the background and is read later, once or often: one piece of work, its tokens once.

A background reply, a batch or a run is begun by one request; others read how it goes, maybe in another process, until
one is told its end and its tokens. Spans of the same work carry its id (``agentops.usage.of``); a reply that came at
once and is read again has told its tokens already, and is known by ``gen_ai.response.id``.
"""

from __future__ import annotations

from array import array
from dataclasses import astuple, dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, Literal

from agentops_sdk import semconv
from agentops_sdk.traces.formats.json_values import as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from agentops_sdk.traces.record import SpanRecord

_NOT_STARTED: Final = frozenset(("queued", "validating", "validating_files"))
_GIVEN_UP: Final = frozenset(("failed", "cancelled", "canceled", "expired"))
_REPORTED: Final = ("reported", "injected", None)
_FIGURES: Final = (
    semconv.USAGE_INPUT_TOKENS, semconv.USAGE_OUTPUT_TOKENS, semconv.USAGE_TRAINED, semconv.COST_AMOUNT,
)  # fmt: skip

Role = Literal["repeats", "begins", "unused", "open"]
"""What a span is to its work, where it does not count for itself: it ``repeats`` what another has told, ``begins`` what
another tells the end of, tells that nothing was used (``unused``), or leaves it ``open``: nobody knows."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """One span of some work, and what it was told of it."""

    start_ns: int
    span_id: str
    begins: bool
    lasts: bool
    figures: bool
    status: str


class BackgroundWork:
    """What the spans of one trace, or of many, tell of work in the background."""

    def __init__(self) -> None:
        self._work: dict[str, dict[str, _Seen]] = {}
        self._replies = array("q")  # numbers in place of ids of replies that told their tokens: there may be a million
        self._roles: dict[str, Role] | None = None

    @classmethod
    def of(cls, spans: Iterable[SpanRecord]) -> BackgroundWork:
        """That of these spans."""
        work = cls()
        for span in spans:
            work.add(span.attributes, span.span_id, span.start_ns)
        return work

    def add(self, attributes: Mapping[str, Any], span_id: str, start_ns: int) -> None:
        """Take note of a span, if it has to do with such work."""
        ident, lasts = attributes.get(semconv.USAGE_OF), True
        if ident is None:
            ident, lasts = attributes.get(semconv.RESPONSE_ID), False
            if ident is None:
                return
        operation = attributes.get(semconv.OPERATION_NAME)
        if type(operation) is not str or type(ident) is not str:
            operation, ident = as_text(operation), as_text(ident)
        if not lasts and operation not in semconv.KIND_OF_OPERATION:
            return
        figures = _has_figures(attributes)
        if not lasts and operation != "fetch_response":
            if figures:
                self._replies.append(_number(ident))
                return
            if attributes.get(semconv.OPENAI_API_TYPE) != "responses":
                return  # left early, and nobody can read it later
        status = as_text(attributes.get(semconv.RESPONSE_STATUS) or attributes.get(semconv.WORK_STATUS) or "")
        if operation == "fetch_response" and not status and attributes.get(semconv.OUTCOME) == "error":
            return  # it was not to be had, which says nothing of the work
        seen = _Seen(
            start_ns,
            span_id,
            begins=operation == "chat" or operation.endswith(".create"),
            lasts=lasts,
            figures=figures,
            status=status,
        )
        self._work.setdefault(ident, {})[span_id] = seen
        self._roles = None

    def told(self) -> dict[str, list[tuple[Any, ...]]]:
        """The spans of work that lasts, by its id, as plain data."""
        return {ident: list(map(astuple, spans.values())) for ident, spans in self._work.items()}

    @property
    def replies(self) -> array[int]:
        """Numbers that the ids of replies stand for which told their tokens at once; not to be changed."""
        return self._replies

    def merge(self, told: Mapping[str, Iterable[Sequence[Any]]], replies: array[int]) -> None:
        """Take note of what others have :meth:`told`, and of their :attr:`replies`."""
        self._replies.extend(replies)
        for ident, spans in told.items():
            self._work.setdefault(ident, {}).update((seen.span_id, seen) for seen in (_Seen(*span) for span in spans))
        self._roles = None

    def roles(self) -> Mapping[str, Role]:
        """By span id what spans are to their work, without those that count for themselves, as nearly all do."""
        if self._roles is None:
            replies = set(self._replies) if self._work else set()
            self._roles = {}
            for ident, spans in self._work.items():
                ordered = sorted(spans.values(), key=lambda seen: (seen.start_ns, seen.span_id))
                for piece in _pieces(ordered):
                    self._roles.update(_roles(piece, counted_at_once=_number(ident) in replies))
        return self._roles


def _number(ident: str) -> int:
    """The same in every process, and different for different ids."""
    return int.from_bytes(blake2b(ident.encode(errors="surrogatepass"), digest_size=8).digest(), "little", signed=True)


def _pieces(spans: list[_Seen]) -> Iterator[list[_Seen]]:
    """The spans of one id by piece of work: a server that uses an id again begins another."""
    piece: list[_Seen] = []
    for seen in spans:
        if seen.begins and piece:
            yield piece
            piece = []
        piece.append(seen)
    yield piece


def _roles(spans: list[_Seen], *, counted_at_once: bool) -> Iterator[tuple[str, Role]]:
    first = spans[0]
    if counted_at_once and not first.begins:
        yield from ((seen.span_id, "repeats") for seen in spans)
        return
    teller = next((seen for seen in spans if seen.figures), None)
    if teller is None:
        teller = next((seen for seen in spans if seen.status and seen.status not in semconv.PENDING_STATUSES), None)
    if teller is None:
        if first.begins and first.lasts:
            yield first.span_id, "open"
        return
    yield from ((seen.span_id, "repeats") for seen in spans[spans.index(teller) + 1 :])
    before = spans[: spans.index(teller)]
    if first.begins and before:
        yield first.span_id, "begins"
    if not teller.figures and (before or teller.lasts):
        idle = all(seen.status in _NOT_STARTED for seen in before)
        unused = teller.status == "failed" or (teller.status in _GIVEN_UP and bool(before) and idle)
        yield teller.span_id, "unused" if unused else "open"


def _has_figures(attributes: Mapping[str, Any]) -> bool:
    """Whether the provider has told what was used, or what it cost."""
    status = attributes.get(semconv.RESPONSE_STATUS) or attributes.get(semconv.WORK_STATUS)
    if status in semconv.PENDING_STATUSES or attributes.get(semconv.USAGE_SOURCE) not in _REPORTED:
        return False
    for name in _FIGURES:  # noqa: SIM110 - of each line of a file; a generator takes three times as long
        if name in attributes:
            return True
    return False
