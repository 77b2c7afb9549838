"""What a program gave and cannot be: kept as it was, marked on the span, told once in the log; never raised.

A model that says it is 1.05 sure, a tag that is a number, a kind that does not exist: data, and no reason
to stop the program it came from.
"""

from __future__ import annotations

import enum
import logging
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import _recorder_port, semconv
from agentops_sdk._host.guard import guard
from agentops_sdk._snapshot.data_fields import derives, lookup, mro, one_of, type_name
from agentops_sdk._snapshot.snapshot import text_of
from agentops_sdk._snapshot.text import clip
from agentops_sdk._snapshot.type_forms import form_of

if TYPE_CHECKING:
    from agentops_sdk._capture.call import Call, NullCall

__all__ = ["Check", "is_text", "list_of", "number_of", "pairs_of", "tell_once"]

logger = logging.getLogger("agentops_sdk")

_MOST_MEMBERS: Final = 10_000
_MOST_BYTES: Final = 256
_NUMBERS: Final = (float, int, bool, Decimal)
_NO_LISTS: Final = (str, bytes, bytearray, memoryview)
_warned: set[tuple[str, str]] = set()


class Check:
    """The arguments of one call at ``site``: which of them were not what they are documented to be.

    Attributes:
        attributes: the marks, for the span that the call writes: ``agentops.invalid`` lists the arguments,
            ``agentops.invalid.<argument>`` holds what has no attribute of its own.
    """

    __slots__ = ("attributes", "site")

    def __init__(self, site: str) -> None:
        self.site = site
        self.attributes: dict[str, Any] = {}

    def note(self, argument: str, value: Any, expected: str, *, keep: bool = False) -> None:
        """``value`` is not ``expected``; ``keep`` puts it beside the mark, where nothing else would show it."""
        self.attributes[semconv.INVALID] = sorted({*self.attributes.get(semconv.INVALID, ()), argument})
        if keep:
            content = _recorder_port.active.settings.records_content
            kept = clip(text_of(value), _MOST_BYTES) if content else f"<{type_name(type(value))}>"
            self.attributes[f"{semconv.INVALID}.{argument}"] = kept
        tell_once(self.site, argument, value, expected, "It was recorded as it is, and marked")

    def mark(self, call: Call | NullCall) -> None:
        """Put the marks on ``call``, beside those that it has."""
        if self.attributes and call.recording:
            known = call.span.attributes.get(semconv.INVALID, ())  # type: ignore[union-attr]  # it is recording
            call.update({**self.attributes, semconv.INVALID: sorted({*known, *self.attributes[semconv.INVALID]})})

    def text(self, argument: str, value: Any) -> str | None:
        """``value`` as text; ``None`` stays so. Anything but a text or a member of a text enum is noted."""
        if value is None:
            return None
        if not is_text(value):
            self.note(argument, value, "a text")
        return text_of(value)

    def name(self, argument: str, value: Any) -> str:
        """``value`` as a name, a string that is not empty; what is none is noted, and shown where it can be."""
        text = self.text(argument, value)
        if not text:
            self.note(argument, value, "a string that is not empty")
        return str.__str__(text) if text else "unnamed"

    def number(self, argument: str, value: Any, least: float, most: float) -> float | str | None:
        """``value`` as a float where it is a number, else as text; noted unless it lies between the bounds."""
        if value is None:
            return None
        amount = number_of(value)
        if amount is None or type(value) is bool or not least <= amount <= most:
            self.note(argument, value, f"a number from {least:g} to {most:g}")
        return text_of(value) if amount is None else amount

    def pairs(self, argument: str, value: Any) -> list[tuple[str, Any]]:
        """The members of a mapping, their names as text; of anything else none, and it is noted."""
        if value is None:
            return []
        pairs = pairs_of(value)
        if pairs is None:
            self.note(argument, value, "a mapping of names to values", keep=True)
            return []
        named: list[tuple[str, Any]] = []
        for name, member in pairs:
            if not is_text(name):
                self.note(argument, name, "a mapping whose keys are strings")
            named.append((str.__str__(text_of(name)), member))
        return named

    def texts(self, argument: str, value: Any) -> list[str]:
        """A list of texts; a single value is a list of one, and like a member that is no text it is noted."""
        if value is None:
            return []
        members = list_of(value)
        if members is None:
            self.note(argument, value, "a list of strings")
            members = [value]
        for member in members:
            if not is_text(member):
                self.note(argument, member, "a list of strings")
        return [text_of(member) for member in members]


def tell_once(site: str, argument: str, value: Any, expected: str, consequence: str) -> None:
    """One warning for each argument of each ``site`` and each thing that is wrong with it."""
    reason = (site, f"{argument}: {expected}")
    if reason not in _warned:
        _warned.add(reason)
        logger.warning(
            "%s: %s is %s, expected %s. %s; this is logged once.", site, argument, _shown(value), expected, consequence
        )


def list_of(value: Any, most: int = _MOST_MEMBERS) -> list[Any] | None:
    """The first members of an iterable; ``None`` where it is a text, bytes, a mapping or no iterable at all."""
    kind = type(value)
    if kind is list or kind is tuple:
        return list(value[:most])
    form = form_of(value)
    if type(form) is list or type(form) is tuple:
        return list(form[:most])
    if type(form) is dict or any(derives(kind, base) for base in _NO_LISTS) or lookup(mro(kind), "__iter__") is None:
        return None
    members: list[Any] | None = None
    with guard("invalid.members"):  # a generator, an enum class, a collection of the program's own: its code runs
        members = list(islice(iter(value), most))
    return members


def pairs_of(value: Any) -> list[tuple[Any, Any]] | None:
    """The first members of a mapping; ``None`` where it is none."""
    kind = type(value)
    if derives(kind, dict):
        return list(islice(dict.items(value), _MOST_MEMBERS))
    bases = mro(kind)
    if lookup(bases, "items") is None or lookup(bases, "__getitem__") is None:
        return None
    pairs: list[tuple[Any, Any]] | None = None
    with guard("invalid.pairs"):  # a mapping of the program's own: its code runs
        pairs = [(name, member) for name, member in islice(value.items(), _MOST_MEMBERS)]
    return pairs


def is_text(value: Any) -> bool:
    """Whether ``value`` is a text, or shows as one: a member of a text enum, a text of a class of its own."""
    if type(value) is str:
        return True
    kind = type(value)
    return derives(kind, str) or (derives(kind, enum.Enum) and type(form_of(value)) is str)


def number_of(value: Any) -> float | None:
    """A number of any kind as a float; ``None`` where it is none, or one that has no float."""
    form = value if one_of(type(value), _NUMBERS) else form_of(value)
    if not one_of(type(form), _NUMBERS):
        return None
    try:
        return float(form)
    except (OverflowError, ValueError):  # too large; a signalling NaN
        return None


def _shown(value: Any) -> str:
    """What the log may say of a value: a number or truth value itself, of anything else its type."""
    if value is None or one_of(type(value), (bool, float, int)):
        return text_of(value)
    return f"a value of type {type_name(type(value))}"
