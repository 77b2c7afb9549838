"""The port at which an operation is asked about before its work begins: whoever begins work asks, limits answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from agentops_sdk._host.guard import guard

__all__ = ["Admission", "StreamMeter", "may_refuse", "refusal", "stream_meter"]

ask: Callable[[Any], Exception | None] | None = None
"""``ask(live)``: what to raise in place of the work, or ``None`` where it may begin.

``None`` until the first limit of the process is set: one look at it is all that asking costs until then.
"""


_asked: list[Callable[[Any], Exception | None]] = []


def add(asker: Callable[[Any], Exception | None], *, sets_aside: bool = False) -> None:
    """Have ``asker`` asked from now on: last, where it sets aside what others may then refuse to have used."""
    if asker not in _asked:
        _asked.insert(len(_asked) if sets_aside else 0, asker)
        _choose()


def remove(asker: Callable[[Any], Exception | None]) -> None:
    """No longer ask it."""
    if asker in _asked:
        _asked.remove(asker)
        _choose()


def _choose() -> None:
    global ask
    ask = None if not _asked else _asked[0] if len(_asked) == 1 else _ask_all


def _ask_all(live: Any) -> Exception | None:
    for asker in tuple(_asked):
        if (refused := asker(live)) is not None:
            return refused
    return None


def refusal(site: str, live: Any) -> Exception | None:
    """Why the work of ``live`` (a call, or what has one as its ``call``) must not begin; ``None`` where it may.

    What goes wrong while asking is ours, and stops nothing. A refusal is for the caller to raise, outside of any guard.
    """
    answer: Exception | None = None
    if ask is not None:
        with guard(site):
            answer = ask(live)
    return answer


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
