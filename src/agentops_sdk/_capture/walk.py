"""Read any object graph into plain, bounded values: cycles, depth, members and long strings are cut visibly."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from agentops_sdk._capture.forms import form_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Walker"]

_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_LARGEST_TEXT_BITS = 2_048


class Walker:
    """One reading of one value. Runs no user code; its work is bounded by ``items``.

    Attributes:
        visited: values looked at so far.
        lengths: the full length of every string met, in characters.
    """

    def __init__(self, *, items: int, depth: int, longest: int) -> None:
        self.visited = 0
        self.lengths: list[int] = []
        self._items = items
        self._depth = depth
        self._longest = longest
        self._above: set[int] = set()

    def read(self, value: Any) -> Any:
        """``value`` as str, int, float, bool, None, list and dict that orjson accepts."""
        self.visited += 1
        kind = type(value)
        if kind is str:
            return self._text(value)
        if value is None or kind is bool or kind is float:
            return value
        if kind is int:
            return _number(value)
        if kind is dict or kind is list or kind is tuple:
            return self._container(value, value)
        form = form_of(value)
        kind = type(form)
        if kind is dict or kind is list or kind is tuple:
            return self._container(value, form)
        return _number(form) if kind is int else self._text(form) if kind is str else form

    def _container(self, owner: Any, form: Any) -> Any:
        if id(owner) in self._above:
            return "<cycle>"
        if len(self._above) >= self._depth:
            return f"…[+{len(form)} items, nested deeper]" if form else form
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
            read.append(f"…[+{total - len(read)} items]")
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
            read["…"] = f"…[+{len(members) - count} items]"
        return read

    def _key(self, key: Any) -> str:
        if key is None or type(key) is bool:
            return {None: "null", True: "true", False: "false"}[key]
        if type(key) is int:
            return str(_number(key))
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
        if length > self._longest:
            text = f"{text[: self._longest]}…[+{length - self._longest} chars]"
        if not text.isascii():
            # A lone surrogate has no UTF-8; it shows as the escape it would have in source code.
            text = text.encode("utf-8", "backslashreplace").decode("utf-8")
        return text


def _number(value: int) -> int | str:
    if _SMALLEST <= value <= _LARGEST:
        return value
    bits = value.bit_length()
    # Writing an int in decimal takes quadratic time.
    return str(value) if bits <= _LARGEST_TEXT_BITS else f"<int of {bits} bits>"
