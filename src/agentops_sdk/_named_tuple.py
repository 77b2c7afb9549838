"""``NamedTuple`` as in :mod:`typing`, made in a third of the time: every start of a program pays for some thirty.

The one of :mod:`typing` compiles the annotation of each field, to check it. Ours leaves them as they are written;
type checkers see typing's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["NamedTuple"]

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from collections import namedtuple

    class _Maker(type):
        def __new__(maker, name, bases, body):
            if not bases:
                return super().__new__(maker, name, bases, body)
            fields = body["__annotations__"]
            made = namedtuple(  # noqa: PYI024 - what makes it
                name, fields, defaults=[body[field] for field in fields if field in body], module=body["__module__"]
            )
            for own, value in body.items():
                if own not in fields:
                    setattr(made, own, value)
            return made

    class NamedTuple(metaclass=_Maker):
        """The base of rows: what stands in the class with an annotation is a field, the rest is kept as it is."""
