"""The form each type takes in a snapshot, one level deep: data classes as objects, the rest as text.

No code of the user's runs here. Types are found by the identity of their bases, never by ``__class__``
or a virtual ``isinstance``; fields are read from instance dictionaries and slots through C descriptors.
"""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import enum
import ipaddress
import pathlib
import sys
import types
import uuid
import weakref
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk._snapshot.array_forms import array_form
from agentops_sdk._snapshot.data_fields import Form, fields_of, instance_dict, mro, type_name
from agentops_sdk._snapshot.text import CUT, CutText

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["form_of", "is_enum_type"]

_MOST: Final = 10_000
_CACHED_TYPES: Final = 4_096


def form_of(value: Any) -> Any:
    """What ``value`` is shown as: str, number, or a dict or list whose members are still the user's."""
    kind = type(value)
    known = _known.get(id(kind))
    if known is None or known[0]() is not kind:
        known = _learn(kind)
    return known[1](value)


def is_enum_type(kind: type) -> bool:
    """Whether ``kind`` is an enum class; asks nothing of its metaclass."""
    known = _known.get(id(kind))
    if known is None or known[0]() is not kind:
        known = _learn(kind)
    return known[1] is _enum


_known: dict[int, tuple[weakref.ref[type], Form]] = {}
"""Keyed by identity, because a metaclass may define ``__hash__``; weak, because classes may be many and short-lived."""


def _learn(kind: type) -> tuple[weakref.ref[type], Form]:
    if len(_known) >= _CACHED_TYPES:
        _known.clear()
    entry = (weakref.ref(kind), _find(kind))
    _known[id(kind)] = entry
    return entry


def _find(kind: type) -> Form:
    exact = _EXACT.get(id(kind))
    if exact is not None:
        return exact
    for (module, name), form in _SELDOM.items():
        if kind is _imported(module, name):
            return form
    bases = mro(kind)
    if any(base is enum.Enum for base in bases):
        return _enum
    fields = fields_of(bases)
    if fields is not None:
        return fields
    for base in bases:
        known = _BASES.get(id(base)) or array_form(base, kind)
        if known is not None:
            return known
    return _named(kind)


def _named(kind: type) -> Form:
    text = f"<{type_name(kind)}>"
    return lambda _: text


# --- single types -----------------------------------------------------------------------------


def _enum(value: Any) -> Any:
    getter = instance_dict(mro(type(value)))
    own = getter.__get__(value) if getter is not None else {}
    return own.get("_value_", f"<{type_name(type(value))}>")


def _exception(value: BaseException) -> dict[str, Any]:
    form: dict[str, Any] = {"exception": type_name(type(value))}
    form["args"] = BaseException.args.__get__(value)  # type: ignore[attr-defined]  # a getset descriptor
    return form


def _is_plain_zone(kind: type) -> bool:
    return kind is dt.timezone or kind is _imported("zoneinfo", "ZoneInfo")


def _imported(module: str, name: str) -> Any:
    """A type that can only be met once its module is imported; nothing is imported for it."""
    loaded = sys.modules.get(module)
    return types.ModuleType.__getattribute__(loaded, "__dict__").get(name) if type(loaded) is types.ModuleType else None


def _in_zone(value: Any, text: str, zone: Any) -> str:
    return text if zone is None or _is_plain_zone(type(zone)) else (
        f"{text} <{type_name(type(zone))}>"
    )  # fmt: skip


def _moment(value: dt.datetime) -> str:
    zone = dt.datetime.tzinfo.__get__(value)
    plain = value if zone is None or _is_plain_zone(type(zone)) else (
        dt.datetime.replace(value, tzinfo=None)
    )  # fmt: skip
    return _in_zone(value, dt.datetime.isoformat(plain), zone)


def _clock(value: dt.time) -> str:
    zone = dt.time.tzinfo.__get__(value)
    plain = value if zone is None or type(zone) is dt.timezone else dt.time.replace(value, tzinfo=None)
    return _in_zone(value, dt.time.isoformat(plain), None if plain is value else zone)


def _callable(value: Any) -> str:
    name = type(value).__dict__["__qualname__"].__get__(value)
    return f"<{type(value).__name__} {str.__str__(name)}>"


def _module(value: types.ModuleType) -> str:
    name = types.ModuleType.__getattribute__(value, "__dict__").get("__name__")
    return f"<module {name}>" if type(name) is str else "<module>"


def _partial_list(iterate: Callable[[Any], Any], length: Callable[[Any], int]) -> Form:
    def read(value: Any) -> list[Any]:
        members = list(islice(iterate(value), _MOST))
        return members if length(value) <= _MOST else [*members, _left_out(length(value))]

    return read


def _plain_dict(value: Any) -> dict[Any, Any]:
    if dict.__len__(value) <= _MOST:
        return dict(dict.items(value))
    kept = dict(islice(dict.items(value), _MOST))
    kept["…"] = _left_out(dict.__len__(value))
    return kept


def _left_out(count: int) -> CutText:
    return CutText(f"{CUT}{count - _MOST} items]")


_EXACT: Final[dict[int, Form]] = {
    id(kind): form
    for kind, form in (
        (dt.datetime, _moment),
        (dt.time, _clock),
        (dt.date, dt.date.isoformat),
        (dt.timedelta, dt.timedelta.total_seconds),
        (uuid.UUID, str),
        (pathlib.PurePosixPath, str),
        (pathlib.PureWindowsPath, str),
        (pathlib.PosixPath, str),
        (pathlib.WindowsPath, str),
        (ipaddress.IPv4Address, str),
        (ipaddress.IPv6Address, str),
        (range, range.__repr__),
        (type(Ellipsis), lambda _: "..."),
        (type(NotImplemented), lambda _: "NotImplemented"),
        (types.FunctionType, _callable),
        (types.BuiltinFunctionType, _callable),
        (types.GeneratorType, _callable),
        (types.CoroutineType, _callable),
        (types.AsyncGeneratorType, _callable),
        (type({}.keys()), _partial_list(type({}.keys()).__iter__, type({}.keys()).__len__)),
        (type({}.values()), _partial_list(type({}.values()).__iter__, type({}.values()).__len__)),
        (types.SimpleNamespace, lambda value: dict(types.SimpleNamespace.__getattribute__(value, "__dict__"))),
        (types.ModuleType, _module),
    )
}
"""Types that are read only when nothing is derived from them: their methods call others that may be overridden."""

_SELDOM: Final[dict[tuple[str, str], Form]] = {
    ("zoneinfo", "ZoneInfo"): lambda value: value.key or "<ZoneInfo>",
    ("fractions", "Fraction"): str,
}
"""The same, of modules that most programs do not import."""

_BASES: Final[dict[int, Form]] = {
    id(kind): form
    for kind, form in (
        (str, str.__str__),
        (bool, bool),
        (int, int.__int__),
        (float, float.__float__),
        (complex, complex.__repr__),
        (dict, _plain_dict),
        (list, _partial_list(list.__iter__, list.__len__)),
        (tuple, _partial_list(tuple.__iter__, tuple.__len__)),
        (set, _partial_list(set.__iter__, set.__len__)),
        (frozenset, _partial_list(frozenset.__iter__, frozenset.__len__)),
        (collections.deque, _partial_list(collections.deque.__iter__, collections.deque.__len__)),
        (bytes, lambda value: f"<bytes: {bytes.__len__(value)}>"),
        (bytearray, lambda value: f"<bytearray: {bytearray.__len__(value)}>"),
        (memoryview, lambda value: f"<memoryview: {memoryview.__dict__['nbytes'].__get__(value)}>"),
        (decimal.Decimal, decimal.Decimal.__str__),
        (BaseException, _exception),
        (type, lambda value: f"<class {type_name(value)}>"),
    )
}
"""Types whose C methods read what is theirs, whatever a subclass overrides."""
