"""``variant()``: which of several ways a user gets, the same one each time, recorded so that they can be compared."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from opentelemetry.context import attach, get_current, set_value

from agentops_sdk import _recorder_port, semconv
from agentops_sdk._capture.call import Call
from agentops_sdk._capture.current import current_call
from agentops_sdk._host.guard import guard
from agentops_sdk._propagation.context_keys import ATTRIBUTES_KEY, release
from agentops_sdk._snapshot.snapshot import text_of
from agentops_sdk.decision import decide
from agentops_sdk.errors import ConfigError

__all__ = ["Variant", "variant"]

_BITS = 53


class Variant(str):
    """The choice, a text. ``with variant(…) as choice:`` marks what runs inside, also where no span is around it."""

    __slots__ = ("_marks", "_token")

    _marks: dict[str, Any]
    _token: Any

    def __enter__(self) -> Self:
        with guard("variant.enter"):
            self._token = attach(set_value(ATTRIBUTES_KEY, _with(self._marks), get_current()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with guard("variant.exit"):
            if self._token is not None:
                release(self._token)
                self._token = None

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str.__str__(self),)


def variant(name: str, options: Mapping[str, float] | Iterable[str], *, by: Any = None) -> Variant:
    """Choose a variant, sticky: whoever ``by`` names gets the same one each time, in every process, on every machine.

    The current span and those below it carry ``agentops.variant``, a list of ``name=choice``, and the choice is
    recorded as a decision by code, once for each place. ``agentops stats --by variant`` and ``agentops compare
    variant=prompt=short variant=prompt=long`` tell them apart. It chooses as well where nothing is recorded.

    Args:
        name: of what is tried out.
        options: the choices, each with its share; equal shares where there are none. Shares are taken relative to
            their sum; 0 is never chosen. Where shares change, as few users as possible change sides.
        by: the user, session or whatever else gets one; the current user or session, else the current trace, when not
            given; by chance where there is none of them.

    Raises:
        ConfigError: there is no option, or a share is no number of at least 0.
    """
    shares = _shares(options)
    key = by if by is not None else _current_key()
    choice = _chosen(text_of(name), shares, key)
    result = Variant(choice)
    result._token = None  # noqa: SLF001 - of this module
    result._marks = {}  # noqa: SLF001 - the same
    with guard("variant.record"):
        result._marks = _record(text_of(name), choice, list(shares), key is not None)  # noqa: SLF001 - the same
    return result


def _shares(options: Any) -> dict[str, float]:
    if isinstance(options, str | bytes) or not isinstance(options, Iterable):
        raise ConfigError("options", options, 'choices with their shares, such as {"short": 0.5, "long": 0.5}')
    pairs = dict(options) if isinstance(options, Mapping) else dict.fromkeys(options, 1.0)
    shares: dict[str, float] = {}
    for choice, share in pairs.items():
        if not isinstance(choice, str):
            raise ConfigError("options", choice, "choices that are strings")
        if isinstance(share, bool) or not isinstance(share, int | float) or not (math.isfinite(share) and share >= 0):
            raise ConfigError(f"options[{choice!r}]", share, "a share, a number of at least 0")
        shares[choice] = float(share)
    if not shares or sum(shares.values()) <= 0:
        raise ConfigError("options", pairs, "at least one choice with a share above 0")
    return shares


def _chosen(name: str, shares: Mapping[str, float], key: Any) -> str:
    """The option whose own draw is best (weighted rendezvous hashing): a changed share moves as few as it can."""
    if key is None:
        return random.choices(list(shares), list(shares.values()))[0]
    best, best_draw = "", math.inf
    for choice, share in shares.items():
        if share <= 0:
            continue
        digest = hashlib.sha256("\0".join((name, choice, text_of(key))).encode("utf-8", "surrogatepass")).digest()
        fraction = (int.from_bytes(digest[:8]) >> (64 - _BITS)) + 0.5
        draw = -math.log(fraction / 2**_BITS) / share
        if draw < best_draw:
            best, best_draw = choice, draw
    return best


def _current_key() -> Any:
    """Whom the current work is for: the user, the session, else the trace."""
    with guard("variant.by"):
        around: Any = get_current().get(ATTRIBUTES_KEY) or {}
        for attribute in (semconv.USER_ID, semconv.SESSION_ID, semconv.CONVERSATION_ID):
            if around.get(attribute):
                return around[attribute]
        call = current_call()
        return call.trace_id if call is not None else None
    return None


def _record(name: str, choice: str, options: list[str], is_sticky: bool) -> dict[str, Any]:
    """Mark the current span, and what will run below it; returns the mark."""
    if not _recorder_port.active.enabled:
        return {}
    marks = {semconv.VARIANT: [f"{name}={choice}"]}
    merged = _with(marks)
    call = current_call()
    if isinstance(call, Call) and not call.ended:
        if f"{name}={choice}" in call.span.attributes.get(semconv.VARIANT, ()):
            return marks  # chosen before, here
        call.set(semconv.VARIANT, merged[semconv.VARIANT])
        if not call.hides_here:
            call.carry(ATTRIBUTES_KEY, merged)
        # The call that is current sets its own context back when it ends, and this one with it.
        attach(set_value(ATTRIBUTES_KEY, merged, get_current()))
    reason = "by a hash of who it is for" if is_sticky else "by chance"
    decide(f"variant {name}", choice, options=options, by="code", by_name="variant", reason=reason)
    return marks


def _with(marks: Mapping[str, Any]) -> dict[str, Any]:
    """What every span below carries already, and this variant beside the others."""
    around: Any = get_current().get(ATTRIBUTES_KEY) or {}
    known = around.get(semconv.VARIANT) or _of_process()
    own = marks.get(semconv.VARIANT, [])
    names = {each.partition("=")[0] for each in own}
    kept = [each for each in known if each.partition("=")[0] not in names or "=" not in each]
    return {**around, semconv.VARIANT: [*kept, *own]} if own else dict(around)


def _of_process() -> list[str]:
    own = _recorder_port.active.settings.variant
    return [own] if own else []
