"""Makes a package's public names load on first use, also where a submodule has a public name's own name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

_HOMES = "_homes"


class LazyPackage(ModuleType):
    """A package whose public names come from the modules that ``_homes`` tells.

    Importing ``package.track`` makes Python set ``package.track`` to that module; where ``track`` is
    a public name of another kind (the decorator), that must not happen, whoever imports first.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and vars(self)[_HOMES].get(name):
            return
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        home = vars(self)[_HOMES].get(name)
        if home is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if home == "":
            return importlib.import_module(f"{self.__name__}.{name}")
        value = getattr(importlib.import_module(f"{self.__name__}.{home}"), name)
        vars(self)[name] = value
        return value

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *vars(self)[_HOMES]})


def make_lazy(package: str, homes: Mapping[str, str]) -> None:
    """Give ``package`` the public names in ``homes``: name to module, ``""`` for a module of that name."""
    module = sys.modules[package]
    vars(module)[_HOMES] = dict(homes)
    module.__class__ = LazyPackage
