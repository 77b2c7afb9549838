"""Other SDKs on the methods of a client: who records beside us, for ``status()``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from agentops_sdk._host.patches import is_ours

_OWN = "agentops_sdk"
_TRANSPARENT = ("wrapt", "functools", "_wrappers")


Places = tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]
"""Modules, their classes, and the methods of these."""


def other_wrappers(library: str, places: Places) -> list[str]:
    """``"package on Class.method"`` for each method that somebody else has wrapped, in a stable order.

    ``library`` is the client's own top-level package: what it wraps by itself is nobody else's.
    """
    owners = {
        f"{owner} on {name}.{method}"
        for name, method, value in _methods(places)
        if (owner := _owner(value, (*_TRANSPARENT, library))) not in (None, _OWN)
    }
    return sorted(owners)


def _methods(places: Places) -> Iterator[tuple[str, str, Any]]:
    for module_name, classes, methods in places:
        for class_name in classes:
            cls = _class(module_name, class_name)
            for method in methods:
                value = vars(cls).get(method) if isinstance(cls, type) else None
                if value is not None:
                    yield class_name, method, value


def _class(module_name: str, class_name: str) -> Any:
    """A class out of a module, or of one in it, as far as they are imported: looking it up may import it."""
    module = sys.modules.get(module_name)
    if module is None:
        return None
    if class_name in vars(module):
        return vars(module)[class_name]
    inside = [sys.modules.get(f"{module_name}.{name}") for name in list(vars(module))]  # loaded are thousands
    return next(
        (vars(each)[class_name] for each in inside if isinstance(each, ModuleType) and class_name in vars(each)), None
    )


def _owner(value: Any, transparent: tuple[str, ...]) -> str | None:
    """The top-level package of the outermost wrapper that is not the client's own; ``None`` where there is none."""
    for _ in range(20):
        wrapper = getattr(value, "_self_wrapper", None)
        package = _OWN if is_ours(value) else _package(wrapper if wrapper is not None else value)
        if package is not None and package not in transparent and package != _OWN:
            return package
        value = getattr(value, "__wrapped__", None)
        if value is None:
            return None
    return None


def _package(function: Any) -> str | None:
    scope = getattr(function, "__globals__", None)  # wraps() copies __module__, never the globals
    name = scope.get("__name__") if isinstance(scope, dict) else getattr(type(function), "__module__", None)
    name = name if isinstance(name, str) else None
    if name is None or name == "builtins":
        return None
    top, _, rest = name.partition(".")
    return f"{top}.{rest.partition('.')[0]}" if top in ("opentelemetry", "openinference") and rest else top
