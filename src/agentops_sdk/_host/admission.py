"""The port at which an operation is asked about before its work begins: whoever begins work asks, limits answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any, Protocol

from agentops_sdk._host.arrival import Arrival
from agentops_sdk._host.guard import guard

__all__ = [
    "Admission", "Answer", "StreamMeter", "Waits", "answered", "awaited", "insist", "insist_async", "may_refuse",
    "refusal", "refusal_async", "stream_meter",
]  # fmt: skip

Waits = Generator[Arrival, None, Exception | None]
"""What is to be waited for, one after the other, until it is known whether work may begin.

Whoever no longer waits closes it: what was set aside for the work is given back.
"""
Answer = Exception | Waits | None
"""What to raise in place of the work, what is to be waited for first, or ``None`` where the work may begin."""
Asker = Callable[[Any], Answer]
Fail = Callable[[BaseException], Any]

digest: Callable[[Any], int] | None = None
"""What tells arguments apart whose text does not: a hash, 0 for none. ``None`` until a limit looks for repeated calls.
"""
ask: Asker | None = None
"""``ask(live)``: whether the work of ``live`` may begin.

``None`` until the first limit of the process is set: one look at it is all that asking costs until then.
"""


_asked: list[Asker] = []


def add(asker: Asker, *, sets_aside: bool = False) -> None:
    """Have ``asker`` asked from now on: last, where it sets aside what others may then refuse to have used."""
    if asker not in _asked:
        _asked.insert(len(_asked) if sets_aside else 0, asker)
        _choose()


def remove(asker: Asker) -> None:
    """No longer ask it."""
    if asker in _asked:
        _asked.remove(asker)
        _choose()


def _choose() -> None:
    global ask
    ask = None if not _asked else _asked[0] if len(_asked) == 1 else _ask_all


def _ask_all(live: Any) -> Answer:
    for asker in tuple(_asked):
        if (refused := asker(live)) is not None:
            return refused
    return None


def refusal(site: str, live: Any) -> Exception | None:
    """Why the work of ``live`` (a call, or what has one as its ``call``) must not begin; ``None`` where it may.

    The thread waits where it has to: on an event loop's, everything else does. What goes wrong while asking is ours,
    and stops nothing. A refusal is for the caller to raise, outside of any guard.
    """
    answer = answered(site, live)
    return answer if answer is None or isinstance(answer, Exception) else _waited(site, answer)


async def refusal_async(site: str, live: Any) -> Exception | None:
    """The same, awaited where something has to be waited for: the event loop goes on meanwhile."""
    answer = answered(site, live)
    return answer if answer is None or isinstance(answer, Exception) else await awaited(site, answer)


def answered(site: str, live: Any) -> Answer:
    """The same, and nothing is waited for."""
    answer: Answer = None
    if ask is not None:
        with guard(site):
            answer = ask(live)
    return answer


class _Insisting:
    """What is raised inside ends what has begun."""

    def __init__(self, fail: Fail) -> None:
        self._fail = fail

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self._fail(error)


def insist(site: str, answer: Exception | Waits, fail: Fail) -> None:
    """Wait where that has to be; returns where the work may begin.

    Args:
        site: what errors of ours are counted under.
        answer: of :data:`ask`.
        fail: ends what has begun, by the error that is about to be raised.

    Raises:
        LimitExceeded: or what else somebody refuses the work by.
    """
    with _Insisting(fail):
        refused = answer if isinstance(answer, Exception) else _waited(site, answer)
        if refused is not None:
            raise refused


async def insist_async(site: str, answer: Exception | Waits, fail: Fail) -> None:
    """The same, awaited: the event loop goes on meanwhile."""
    with _Insisting(fail):
        refused = answer if isinstance(answer, Exception) else await awaited(site, answer)
        if refused is not None:
            raise refused


def _waited(site: str, waits: Waits) -> Exception | None:
    refused: list[Exception | None] = []
    try:
        while (arrival := _next(site, waits, refused)) is not None:
            arrival.wait()
    finally:
        with guard(site):
            waits.close()
    return refused[0] if refused else None


async def awaited(site: str, waits: Waits) -> Exception | None:
    """Why the work must not begin, once that is known; ``None`` where it may.

    What is raised where it is awaited comes from the program, that cancels it, and passes.
    """
    refused: list[Exception | None] = []
    try:
        while (arrival := _next(site, waits, refused)) is not None:
            future: Awaitable[object] | None = None
            with guard(site):
                future = arrival.awaited()
            if future is not None:
                await future
            else:
                arrival.wait()
    finally:
        with guard(site):
            waits.close()
    return refused[0] if refused else None


def _next(site: str, waits: Waits, refused: list[Exception | None]) -> Arrival | None:
    """What is to be waited for next; ``None`` at the end, which tells why the work is refused."""
    with guard(site):
        try:
            return next(waits)
        except StopIteration as end:
            refused.append(end.value)
    return None


def stream_meter(call: Any, request: Any) -> StreamMeter | None:
    """What tells whether the stream that answers ``call`` passes a limit that ends it; ``None`` where none does."""
    admission: Admission | None = call.admission
    return admission.meter(call, request) if admission is not None and admission.is_cut else None


def may_refuse() -> bool:
    """Whether there is anybody to ask: a limit has been set in this process, or something is paused."""
    return ask is not None


class StreamMeter(Protocol):
    """What limits want to know of a stream that is being read."""

    charge: Any
    """The limit that it has passed; ``None`` so far."""

    def feed(self, data: bytes) -> None:
        """This came."""
        ...

    def heard(self, tokens: float) -> None:
        """Sound of about so many tokens came."""
        ...

    def cut(self) -> Exception | None:
        """The stream ends here; what its caller gets to see of that, ``None`` for a plain end."""
        ...


class Admission(Protocol):
    """What limits have set down for an operation that they let begin."""

    def gives(self, result: Any) -> None:
        """It gives this result."""
        ...

    def end(self) -> None:
        """It is over; what it used is worked out from now on."""
        ...

    is_cut: bool
    """Whether a stream that answers it ends where it passes a limit."""

    def meter(self, call: Any, request: Any) -> StreamMeter | None:
        """What tells, while that stream is read, whether it has."""
        ...

    def withdraw(self) -> None:
        """It was no call of a model after all, but made such calls itself."""
        ...

    def move(self, call: Any) -> None:
        """What was only planned has become this call."""
        ...

    def settle(self, attributes: Mapping[str, Any]) -> None:
        """What it used is known, or that nobody knows."""
        ...

    def forgo(self) -> None:
        """It is not made after all, and uses nothing."""
        ...
