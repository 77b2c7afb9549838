"""The form of numpy, pandas and torch values in a snapshot: shape and dtype, never data."""

from __future__ import annotations

import sys
import types
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk._snapshot.data_fields import Form, mro, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["array_form"]


def array_form(base: type, kind: type) -> Form | None:
    """The form of a numpy, pandas or torch type, if that library is loaded and ``base`` is really its class."""
    name = type_name(base)
    reader = _ARRAYS.get(name)
    if reader is None:
        return None
    module, form, exact = reader
    loaded = sys.modules.get(module)
    if type(loaded) is not types.ModuleType or vars(loaded).get(name) is not base or (exact and base is not kind):
        return None
    return form(base)


def _ndarray(base: Any) -> Form:
    shape, dtype = base.shape.__get__, base.dtype.__get__
    return lambda value: f"<{type_name(type(value))} {dtype(value)} {list(shape(value))}>"


def _scalar(base: Any) -> Form:
    item: Form = base.item
    return item


def _dtype(kind: Any) -> str:
    """The text of a dtype of numpy's; the class of any other, whose text is foreign code."""
    loaded = sys.modules.get("numpy")
    own = vars(loaded).get("dtype") if type(loaded) is types.ModuleType else None
    return str(kind) if any(base is own for base in mro(type(kind))) else type_name(type(kind))


def _frame(base: Any) -> Form:
    def read(value: Any) -> str:
        columns = [
            f"{name}: {_dtype(kind)}" for name, kind in islice(base.dtypes.fget(value).items(), 20) if type(name) is str
        ]
        return f"<DataFrame {list(base.shape.fget(value))} {', '.join(columns)}>"

    return read


def _series(base: Any) -> Form:
    return lambda value: f"<Series {_dtype(value.dtype)} [{len(value)}]>"


def _tensor(base: Any) -> Form:
    return lambda value: f"<Tensor {str(value.dtype).removeprefix('torch.')} {list(value.shape)}>"


_ARRAYS: Final[dict[str, tuple[str, Callable[[Any], Form], bool]]] = {
    "ndarray": ("numpy", _ndarray, False),
    "generic": ("numpy", _scalar, False),
    "DataFrame": ("pandas", _frame, True),
    "Series": ("pandas", _series, True),
    "Tensor": ("torch", _tensor, True),
}
