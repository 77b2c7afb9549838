"""The fields of classes that hold data, read from instance dictionaries and slots by C descriptors only."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, Final

__all__ = ["Form", "derives", "fields_of", "instance_dict", "lookup", "mro", "one_of", "type_name"]

Form = Callable[[Any], Any]
"""Turns a value into what it is shown as."""

mro: Final[Callable[[type], tuple[type, ...]]] = type.__dict__["__mro__"].__get__
"""The bases of a class, whatever its metaclass says."""

_namespace: Final = type.__dict__["__dict__"].__get__
_qualname: Final = type.__dict__["__qualname__"].__get__
_HIDDEN: Final = "<hidden>"


def one_of(kind: type, kinds: tuple[type, ...]) -> bool:
    """Whether ``kind`` is one of ``kinds``; by identity, because a metaclass may define ``__eq__``."""
    return any(kind is each for each in kinds)


def derives(kind: type, base: type) -> bool:
    """Whether ``base`` is among the bases of ``kind``; asks no metaclass."""
    return any(each is base for each in mro(kind))


def lookup(bases: tuple[type, ...], name: str) -> Any:
    """What the first of ``bases`` that has ``name`` holds under it; asks no metaclass."""
    for base in bases:
        space = _namespace(base)
        if name in space:
            return space[name]
    return None


def type_name(kind: type) -> str:
    name = _qualname(kind)
    return name if type(name) is str else "object"


def fields_of(bases: tuple[type, ...]) -> Form | None:
    """A reader of the fields of a pydantic model, dataclass, attrs class, msgspec struct or named tuple."""
    if "__pydantic_fields__" in _namespace(bases[0]) or lookup(bases, "__pydantic_complete__") is not None:
        return _pydantic(bases)
    declared = lookup(bases, "__dataclass_fields__")
    if type(declared) is dict:
        hidden = {name for name, about in declared.items() if _slot(about, "repr") is False}
        return _object(bases, [name for name in declared if type(name) is str], hidden)
    attributes = lookup(bases, "__attrs_attrs__")
    if attributes is not None and any(base is tuple for base in mro(type(attributes))):
        pairs = [(_slot(about, "name"), _slot(about, "repr")) for about in tuple.__iter__(attributes)]
        names = [name for name, _ in pairs if type(name) is str]
        return _object(bases, names, {name for name, shown in pairs if shown is False and type(name) is str})
    structure = lookup(bases, "__struct_fields__")
    if type(structure) is tuple and all(type(name) is str for name in structure):
        return _object(bases, list(structure), set())
    names_ = lookup(bases, "_fields")
    if any(base is tuple for base in bases) and type(names_) is tuple and all(type(name) is str for name in names_):
        return lambda value: dict(zip(names_, tuple.__iter__(value), strict=False))
    return None


def _slot(owner: Any, name: str) -> Any:
    member = lookup(mro(type(owner)), name)
    if type(member) is types.MemberDescriptorType:
        try:
            return member.__get__(owner)
        except AttributeError:
            return None
    return None


def instance_dict(bases: tuple[type, ...]) -> Any:
    """The C getter of the instance dictionary, or None where instances have none."""
    for base in bases:
        getter = _namespace(base).get("__dict__")
        if type(getter) is types.GetSetDescriptorType:
            return getter
    return None


def _object(bases: tuple[type, ...], names: list[str], hidden: set[str]) -> Form:
    slots = {name: slot for name in names if type(slot := lookup(bases, name)) is types.MemberDescriptorType}
    getter = instance_dict(bases)

    def read(value: Any) -> dict[str, Any]:
        own = getter.__get__(value) if getter is not None else {}
        fields: dict[str, Any] = {}
        for name in names:
            if name in hidden:
                fields[name] = _HIDDEN
            elif name in own:
                fields[name] = own[name]
            elif name in slots:
                try:
                    fields[name] = slots[name].__get__(value)
                except AttributeError:
                    continue  # not set yet
        return fields

    return read


def _pydantic(bases: tuple[type, ...]) -> Form:
    getter = instance_dict(bases)
    extra = lookup(bases, "__pydantic_extra__")
    declared = lookup(bases, "__pydantic_fields__")
    hidden = [name for name, about in declared.items() if _slot(about, "repr") is False] if type(declared) is dict \
        else []  # fmt: skip

    def read(value: Any) -> dict[str, Any]:
        own = getter.__get__(value)
        fields = dict(own) if type(own) is dict else {}
        if type(extra) is types.MemberDescriptorType:
            try:
                more = extra.__get__(value)
            except AttributeError:
                more = None
            if type(more) is dict:
                fields.update(more)
        for name in hidden:
            if name in fields:
                fields[name] = _HIDDEN
        return fields

    return read
