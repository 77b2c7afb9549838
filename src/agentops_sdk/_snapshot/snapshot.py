"""Snapshot a value of the user's as JSON bytes, at once and without running a line of the user's code.

Called on the user's thread, once per captured argument or result. Values made of plain types and data
classes go through orjson in C; a pre-scan bounds the work first. Whatever is too large, too deep, cyclic
or otherwise refused goes through the bounded :mod:`walker <agentops_sdk._snapshot.walker>`. The forms
that values take are listed in ``docs/content.md``. Long because the short ways of the usual
values stand beside the one that takes every value, and must cut alike.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import orjson

from agentops_sdk import _recorder_port, semconv
from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk._snapshot.data_fields import one_of
from agentops_sdk._snapshot.plain_values import is_plain
from agentops_sdk._snapshot.text import CUT, CutBytes, CutText, clip
from agentops_sdk._snapshot.type_forms import form_of, is_enum_type
from agentops_sdk._snapshot.walker import Walker, number_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "CUT",
    "DEFAULT_LIMITS",
    "Limits",
    "Source",
    "Uncounted",
    "count_members",
    "counts_few",
    "limits",
    "mark_cut",
    "snapshot",
    "snapshot_source",
    "text_of",
]

_OPTIONS: Final = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_ATTEMPTS: Final = 8
_FEW: Final = 64
"""Values that are looked at before cycles are looked for: most arguments have fewer."""
_UNREADABLE: Final = b'"<unreadable>"'
_CONTAINERS: Final = (dict, list, tuple)
_PLAIN: Final = (str, int, float, bool, type(None), *_CONTAINERS)


class Limits(NamedTuple):
    """How much of one value is kept. Work, and so time, is bounded by ``items`` and ``bytes``.

    Attributes:
        bytes: the longest result, in bytes of JSON.
        items: how many values, counting every member of every container, are looked at.
        depth: how deep containers may nest before the walker cuts them.
    """

    bytes: int = 65_536
    items: int = 10_000
    depth: int = 64


DEFAULT_LIMITS: Final = Limits()


_now = DEFAULT_LIMITS


def limits() -> Limits:
    """The limits of one captured value, by the settings of now."""
    global _now
    most = _recorder_port.active.settings.max_value_bytes
    if _now.bytes != most:
        _now = Limits(bytes=most)
    return _now


def snapshot(  # noqa: C901 - what most values are takes no further call
    value: Any, *, limits: Limits | None = None, counted: bool = True
) -> bytes:
    """``value`` as valid JSON of at most ``limits.bytes`` bytes; never raises, never runs user code.

    Nothing of ``value`` stays referenced. Generators, files, iterators, locks and lazies are named,
    never touched. Cost: about a microsecond for a few short arguments, below ten milliseconds for anything.

    Args:
        value: anything.
        limits: the setting ``max_value_bytes`` when not given.
        counted: ``False`` where whoever calls has the members of an :class:`Uncounted` result counted later.

    Returns:
        the JSON text. Where something was left out it decodes to a text of a class of its own, by which the
        attribute that it becomes is listed as cut; to parse it, take :func:`snapshot_source`.
    """
    try:
        if limits is None:
            most = _recorder_port.active.settings.max_value_bytes
            limits = _now if _now.bytes == most else _limits()
        kind = type(value)
        if kind is str:
            if len(value) < limits.bytes // 8:  # a character takes at most six bytes
                try:
                    return orjson.dumps(value)
                except TypeError:
                    pass  # a lone surrogate
            return _text(value, limits)
        is_long = (kind is list or kind is tuple) and _FEW < len(value) <= limits.items
        if kind is dict and len(value) <= _FEW:
            # What most arguments are: a few short texts and figures under their names.
            size = 0
            for name, item in value.items():
                kind = type(item)
                if kind is str:
                    size += len(item)
                elif not (kind is int or kind is float or kind is bool or item is None):
                    is_long = kind is list and _FEW < len(item) <= limits.items
                    break
                if type(name) is not str or size > limits.bytes:
                    break
            else:
                try:
                    encoded = orjson.dumps(value, option=_OPTIONS)
                    if len(encoded) <= limits.bytes:
                        return encoded
                except TypeError:
                    pass  # a lone surrogate, 65 bits: the walker knows
        return _encode(value, limits, counted, is_long)
    except (RuntimeError, RecursionError, MemoryError, TypeError, ValueError):
        # Changed by another thread while being read, or called close to the recursion limit.
        return _UNREADABLE


class Uncounted(bytes):
    """A snapshot that may hold more members than are kept: :func:`count_members` is to be called of it later."""

    __slots__ = ()


def count_members(name: str, text: str, most: int, attributes: dict[str, Any]) -> None:
    """Cut attribute ``name`` where it is still ``text``, and has too many members. Consumer thread.

    Args:
        name: of the attribute.
        text: an :class:`Uncounted` snapshot.
        most: ``max_value_bytes`` as it was made.
        attributes: changed in place.
    """
    limits = Limits(bytes=most)
    if attributes.get(name) is text and not _has_few(text, limits.items):
        attributes[name] = snapshot(orjson.loads(text), limits=limits).decode()


def counts_few(works: Iterable[Any], attributes: Mapping[str, Any]) -> bool:
    """Whether all of this work is :func:`count_members`, would cut nothing, and need not be done. Consumer thread.

    A function often returns what it was given: a text that stands in one that was counted has no more members than it.
    """
    counted = ""
    for work in works:
        if type(work) is not partial or work.func is not count_members:
            return False
        name, text, most = work.args
        is_told = attributes.get(name) is text
        if is_told and text != counted[-1 - len(text) : -1]:  # behind the name of an argument
            if not _has_few(text, Limits(bytes=most).items):
                return False
            counted = text
    return True


class Source(NamedTuple):
    """A copy that attributes are made from later."""

    data: bytes
    """JSON."""
    cut: bool
    """Whether something was left out: list what is made from it by :func:`mark_cut`."""


def snapshot_source(value: Any) -> Source:
    """A snapshot of a structure that attributes are made from later, each of them bounded then.

    At least 64 KB are kept of it: a small ``max_value_bytes`` must not cost the token counts beside a long text.
    """
    most = max(DEFAULT_LIMITS.bytes, _limits().bytes)
    data = snapshot(value, limits=DEFAULT_LIMITS if most == DEFAULT_LIMITS.bytes else Limits(bytes=most))
    return Source(bytes(data), type(data) is CutBytes)


def mark_cut(attributes: dict[str, Any], name: str, source: Source) -> None:
    """List ``name`` as cut where ``source``, which its value is made from, was."""
    if source.cut:
        known = attributes.get(semconv.TRUNCATED)
        attributes[semconv.TRUNCATED] = sorted({*(known if type(known) is list else ()), name})


def text_of(value: Any) -> str:
    """``value`` as one text: a text, date, path or enum member by itself, a collection as JSON. Runs no user code."""
    kind = type(value)
    form = value if one_of(kind, _PLAIN) or kind is CutText else form_of(value)
    kind = type(form)
    if kind is str or kind is CutText:
        return clip(form, limits().bytes)
    if form is None or kind is bool or kind is float:
        return str(form)
    return str(number_form(form)) if kind is int else snapshot(value).decode()


_limits = limits  # snapshot() has an argument of that name


def _text(value: str, limits: Limits) -> bytes:
    length = len(value)
    if length <= limits.bytes:
        try:
            encoded = orjson.dumps(value)
        except TypeError:
            pass  # a lone surrogate
        else:
            if length < limits.bytes // 8 or len(encoded) <= limits.bytes:  # a character takes at most six bytes
                return encoded
    return _walk(value, limits)


def _encode(value: Any, limits: Limits, counted: bool, is_long: bool) -> bytes:
    forms: dict[int, tuple[Any, Any]] = {}
    try:
        fits: bool | None = None
        if not (is_long and is_plain(value, 2 * limits.bytes)):
            fits = _fits(value, limits, forms, knows_plain=not is_long)
        if fits is None:
            encoded = orjson.dumps(value, option=_OPTIONS)
            length = len(encoded)
            if length <= limits.bytes:
                if length > 2 * limits.items and not counted:
                    return Uncounted(encoded)
                if _has_few(encoded, limits.items):
                    return encoded
            fits = _fits(value, limits, forms, knows_plain=False)
        if fits:
            encoded = orjson.dumps(value, default=_Known(forms) if forms else None, option=_OPTIONS)
            if len(encoded) <= limits.bytes:
                return encoded
    except (TypeError, RuntimeError):
        pass  # a key that is not a string, a cycle, a lone surrogate, 65 bits, changed meanwhile: the walker knows
    return _walk(value, limits)


def _has_few(text: str | bytes, most: int) -> bool:
    """Whether a JSON text holds at most ``most`` values for sure: before each stands a comma, or what opens."""
    if len(text) <= 2 * most:
        return True
    data = text if isinstance(text, bytes) else text.encode()
    # Taken out, they are looked for as the processor can; "count" looks at one byte after the other.
    return sum(len(data) - len(data.replace(mark, b"")) for mark in (b",", b"[", b"{")) < most


def _fits(  # noqa: C901 - one hot loop
    value: Any, limits: Limits, forms: dict[int, tuple[Any, Any]], *, knows_plain: bool = True
) -> bool | None:
    """Whether orjson may take ``value`` whole: few enough members, short enough, no type it would query, no cycle.

    ``None`` where nothing but the number of its members can speak against it, which the result tells.
    """
    most_items, most_bytes = limits.items, limits.bytes
    size = 0
    seen = [value]
    extend = seen.extend
    owners: set[int] = set()
    acyclic = False
    for item in seen:
        kind = type(item)
        if kind is str:
            size += len(item)
            if size > most_bytes:
                return False
        elif kind is dict or kind is list or kind is tuple:
            count = len(seen) + len(item)
            if count > most_items:
                return False
            if count > _FEW and knows_plain:
                if not forms and is_plain(value, 2 * most_bytes):
                    return None
                knows_plain = False
            if count > _FEW and not acyclic:
                # What is met again is shared, or contains itself and would be unrolled up to the limit.
                if id(item) in owners:
                    if _is_cyclic(value, most_items):
                        return False
                    acyclic = True
                owners.add(id(item))
            if kind is dict:
                # Joining is the cheapest way to measure keys in C; a key that is not a string raises TypeError.
                size += len("".join(item))
                extend(item.values())
            else:
                extend(item)
        elif kind is int or kind is float or kind is bool or item is None:
            pass
        elif (known := forms.get(id(item))) is not None:
            if len(seen) > _FEW and not acyclic:
                if _is_cyclic(value, most_items):
                    return False
                acyclic = True
            seen.append(known[1])
        else:
            if kind is CutText or is_enum_type(kind):
                return False  # orjson would read its ``value``, which may be the user's code
            form = form_of(item)
            forms[id(item)] = (item, form)
            seen.append(form)
    return True


def _is_cyclic(value: Any, most: int) -> bool:
    """Whether a container among the first ``most`` values of ``value`` contains itself."""
    above: set[int] = set()
    below: set[int] = set()
    visited = 0
    path: list[tuple[int, Iterator[Any]]] = []
    waiting: Iterator[Any] = iter((value,))
    while True:
        for item in waiting:
            kind = type(item)
            form = item if one_of(kind, _PLAIN) else form_of(item)
            if not one_of(type(form), _CONTAINERS) or id(item) in below:
                continue
            if id(item) in above:
                return True
            visited += len(form)
            if visited > most:
                return False
            above.add(id(item))
            path.append((id(item), waiting))
            waiting = iter(list(form.values() if type(form) is dict else form))
            break
        else:
            owner, waiting = path.pop() if path else (0, waiting)
            if not owner:
                return False
            above.discard(owner)
            below.add(owner)


class _Known:
    """The forms worked out by the scan, for orjson to ask back; lives as long as one snapshot."""

    __slots__ = ("forms",)

    def __init__(self, forms: dict[int, tuple[Any, Any]]) -> None:
        self.forms = forms

    def __call__(self, item: Any) -> Any:
        known = self.forms.get(id(item))
        if known is None:
            raise TypeError  # came in after the scan, so unmeasured
        return known[1]


def _walk(value: Any, limits: Limits) -> bytes:
    """``value`` cut to ``limits``: members first come first kept, long strings shortened alike."""
    items, longest = min(limits.items, limits.bytes // 16), limits.bytes
    for _ in range(_ATTEMPTS):
        walker = Walker(items=items, depth=limits.depth, longest=longest)
        plain = walker.read(value)
        kept = sum(min(length, longest) for length in walker.lengths)
        if kept <= limits.bytes:
            encoded = orjson.dumps(plain)
            if len(encoded) <= limits.bytes:
                return CutBytes(encoded) if walker.cut else encoded
            shrink = 0.9 * limits.bytes / len(encoded)
            if kept < limits.bytes // 2:
                items = max(8, int(min(items, walker.visited) * shrink))
            longest = max(16, int(min(longest, max(walker.lengths, default=longest)) * shrink))
        else:
            # Room for the quotes, commas and cut marks around the strings comes off first.
            room = max(limits.bytes // 2, int(limits.bytes * 0.95) - 24 * len(walker.lengths))
            longest = _level(walker.lengths, room)
    return CutBytes(orjson.dumps(CUT + "more than fits]"))


def _level(lengths: list[int], room: int) -> int:
    """The greatest length such that strings cut to it take ``room`` characters together: short ones stay whole."""
    left = len(lengths)
    for length in sorted(lengths):
        if length * left > room:
            return max(16, room // left)
        room -= length
        left -= 1
    return max(lengths, default=room)
