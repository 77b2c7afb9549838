"""Calls back once a module has been imported, whoever imports it; nothing is imported for it.

A finder in front of the others lets them find what is waited for, and puts a loader around theirs that runs the module
and then calls back. Only modules that are waited for pass it; where none is any more, it is taken out. No lock: each
step is one operation on a list or set, so that a fork leaves nothing held, and whoever takes an entry off the list
runs it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from operator import is_
from types import ModuleType
from typing import Any, Final

from agentops_sdk._host.guard import guard

__all__ = ["Entry", "forget", "waiting", "when_imported"]


class Entry:
    """What waits for a module."""

    __slots__ = ("hook", "name")

    def __init__(self, name: str, hook: Callable[[ModuleType], Any]) -> None:
        self.name, self.hook = name, hook


waiting: Final[list[Entry]] = []
_TRIES: Final = 10
_names: Final[set[str]] = set()
"""Names that are waited for, and perhaps some that were: asked at every import."""


def when_imported(name: str, hook: Callable[[ModuleType], Any]) -> Entry:
    """Call ``hook(module)`` once the module has been imported: at once where it has been. ``hook`` must not raise."""
    entry = Entry(name, hook)
    waiting.append(entry)  # first: whoever runs the hooks meanwhile finds it
    _names.add(name)
    with guard("import_hooks.stand"):
        _stand()
    module = sys.modules.get(name)
    if module is not None:
        if getattr(getattr(module, "__spec__", None), "_initializing", False):
            with guard("import_hooks.wait"):
                importlib.import_module(name)  # another thread is at it: half of it is there
        _run(name, module)
    return entry


def forget(entry: Entry) -> bool:
    """Have it not called any more; ``False`` if it has been, or another thread is about to."""
    try:
        waiting.remove(entry)
    except ValueError:
        return False
    if not waiting:
        with guard("import_hooks.leave"):
            _leave()
    return True


def _stand() -> None:
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def _leave() -> None:
    """Take the finder out, by a list without it in place of the one that has it.

    Other threads may be going through that one to import something: where an entry vanished before the one that they
    are at, they would pass over the next, and not find what it knows.
    """
    for _ in range(_TRIES):
        theirs = sys.meta_path
        before = list(theirs)
        sys.meta_path = [finder for finder in before if finder is not _finder]
        if len(before) == len(theirs) and all(map(is_, before, theirs)):
            break
        sys.meta_path = theirs  # another thread has put a finder of its own there meanwhile, or taken it out
    if waiting:  # so has one that waits, which saw ours still there
        _stand()


def _run(name: str, module: ModuleType) -> None:
    _names.discard(name)
    for entry in [entry for entry in waiting if entry.name == name]:
        if forget(entry):
            entry.hook(module)


class _Finder:
    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in _names:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None) if finder is not self else None
            spec: ModuleSpec | None = find(name, path, target) if find is not None else None
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader)  # type: ignore[assignment]  # for whoever asks, it is theirs
                return spec
        return None


class _Loader:
    """Somebody else's loader, for whoever asks; what it has loaded is told."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    @property  # type: ignore[misc]  # for isinstance()
    def __class__(self) -> Any:
        return type(self._loader)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        create = getattr(self._loader, "create_module", None)
        return create(spec) if create is not None else None

    def exec_module(self, module: ModuleType) -> None:
        spec: Any = module.__spec__
        if spec is not None and spec.loader is self:
            spec.loader = self._loader
        if module.__loader__ is self:
            module.__loader__ = self._loader
        self._loader.exec_module(module)
        _run(module.__name__, sys.modules.get(module.__name__, module))


_finder: Final = _Finder()
