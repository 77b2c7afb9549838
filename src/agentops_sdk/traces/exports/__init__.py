"""Traces in other forms, for other programs and for people: a file here is a form, ``NAME_file.py``.

A form's module has a first sentence, ``SUFFIX`` and ``write(traces, file)``, which writes bytes to a file.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from agentops_sdk.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentops_sdk.traces.trace import Trace

__all__ = ["Form", "form", "name_of_ending", "names"]


class Form(Protocol):
    """What a module of this folder is."""

    SUFFIX: str
    """With which the names of its files end."""

    def write(self, traces: Iterable[Trace], file: BinaryIO, /) -> None:
        """Write traces, one at a time.

        Raises:
            AgentOpsError: they cannot be written in this form, or a library is missing.
        """
        ...


def names() -> list[str]:
    """The forms there are."""
    return sorted(module.name.removesuffix("_file") for module in iter_modules(__path__))


def name_of_ending(file_name: str) -> str | None:
    """The form whose files end as this name does; of several the one with the longest ending."""
    endings = {form(name).SUFFIX: name for name in names()}
    return next((endings[end] for end in sorted(endings, key=len, reverse=True) if file_name.endswith(end)), None)


def form(name: str) -> Form:
    """The form with this name.

    Raises:
        ConfigError: there is none.
    """
    if name not in names():
        raise ConfigError("form", name, f"one of {', '.join(names())}")
    return cast("Form", import_module(f"{__name__}.{name}_file"))
