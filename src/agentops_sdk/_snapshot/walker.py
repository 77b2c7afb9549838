"""Read any object graph into plain, bounded values: cycles, depth, members and long strings are cut visibly."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from agentops_sdk._snapshot.text import CUT, CutText, encodable
from agentops_sdk._snapshot.type_forms import form_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Walker", "number_form"]

_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_LARGEST_TEXT_BITS = 2_048


class Walker:
    """One reading of one value. Runs no user code; its work is bounded by ``items``.

    Attributes:
        visited: values looked at so far.
        lengths: the full length of every string met, in characters.
        cut: whether anything was left out.
    """

    def __init__(self, *, items: int, depth: int, longest: int) -> None:
        self.visited = 0
        self.cut = False
        self.lengths: list[int] = []
        self._items = items
        self._depth = depth
        self._longest = longest
        self._above: set[int] = set()

    def read(self, value: Any) -> Any:
        """``value`` as str, int, float, bool, None, list and dict that orjson accepts."""
        self.visited += 1
        kind = type(value)
        if kind is str or kind is CutText:
            return self._text(value)
        if value is None or kind is bool or kind is float:
            return value
        if kind is int:
            return number_form(value)
        if kind is dict or kind is list or kind is tuple:
            return self._container(value, value)
        form = form_of(value)
        kind = type(form)
        if kind is dict or kind is list or kind is tuple:
            return self._container(value, form)
        return number_form(form) if kind is int else self._text(form) if kind in (str, CutText) else form

    def _container(self, owner: Any, form: Any) -> Any:
        if id(owner) in self._above:
            return "<cycle>"
        if len(self._above) >= self._depth:
            return self._left_out(f"{len(form)} items, nested deeper") if form else form
        self._above.add(id(owner))
        try:
            return self._members(form) if type(form) is dict else self._list(form)
        finally:
            self._above.discard(id(owner))

    def _list(self, items: Iterable[Any]) -> list[Any]:
        read: list[Any] = []
        total = len(items)  # type: ignore[arg-type]  # a list or tuple of exactly that type
        for item in islice(items, self._items):
            if self.visited >= self._items:
                break
            read.append(self.read(item))
        if len(read) < total:
            read.append(self._left_out(f"{total - len(read)} items"))
        return read

    def _members(self, members: dict[Any, Any]) -> dict[str, Any]:
        read: dict[str, Any] = {}
        count = 0
        for key, item in list(islice(members.items(), self._items)):
            if self.visited >= self._items:
                break
            name = self._text(key) if type(key) is str else self._key(key)
            while name in read:
                name += "'"  # 1 and "1" are two keys in Python
            read[name] = self.read(item)
            count += 1
        if count < len(members):
            read["…"] = self._left_out(f"{len(members) - count} items")
        return read

    def _key(self, key: Any) -> str:
        if key is None or type(key) is bool:
            return {None: "null", True: "true", False: "false"}[key]
        if type(key) is int:
            return str(number_form(key))
        if type(key) is float:
            return float.__repr__(key)
        plain = self.read(key)
        if type(plain) is str:
            return plain
        if type(plain) is list:
            return "(" + ", ".join(item if type(item) is str else "…" if type(item) in (list, dict) else str(item)
                                   for item in plain) + ")"  # fmt: skip
        return str(plain) if type(plain) is not dict else f"<{type(key).__name__}>"

    def _text(self, text: str) -> str:
        length = len(text)
        self.lengths.append(length)
        if type(text) is CutText:  # by its form: a collection of more members than are looked at
            self.cut = True
            text = str.__str__(text)
        if length > self._longest:
            text = text[: self._longest] + self._left_out(f"{length - self._longest} chars")
        return encodable(text)

    def _left_out(self, what: str) -> str:
        self.cut = True
        return f"{CUT}{what}]"


def number_form(value: int) -> int | str:
    """``value``, or its digits as text where JSON and OTLP have no room for it."""
    if _SMALLEST <= value <= _LARGEST:
        return value
    bits = value.bit_length()
    # Writing an int in decimal takes quadratic time.
    return str(value) if bits <= _LARGEST_TEXT_BITS else f"<int of {bits} bits>"
