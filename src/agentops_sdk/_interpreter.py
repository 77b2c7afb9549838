"""Which interpreter of the process this is, and what to say where it is one that we cannot run in."""

from __future__ import annotations

from importlib import import_module

__all__ = ["in_subinterpreter", "told_plainly"]


def in_subinterpreter() -> bool:
    """Whether this is not the process's main interpreter."""
    for name in ("_interpreters", "_xxsubinterpreters"):  # since Python 3.13, and before
        try:
            current = import_module(name).get_current()
        except (ImportError, AttributeError):
            continue
        return int(current[0] if isinstance(current, tuple) else current) != 0
    return False


def told_plainly(package: str, error: ImportError) -> ImportError:
    """The error to raise for one that a subinterpreter has caused."""
    return ImportError(
        f"{package} cannot be used in a subinterpreter: {error}. It is built on pydantic-core and orjson, which load "
        "in the main interpreter only. Call it there, or run this work in a thread or a process of its own.",
        name=package,
    )
