"""The one way to patch: wrappers around attributes, now and at later imports, all undone together."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from inspect import unwrap
from types import ModuleType
from typing import Any, NamedTuple

from agentops_sdk._host.guard import guard

__all__ = ["Patches", "Wrapper", "dormant", "is_ours", "is_recorded", "subclasses"]

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""wrapt's form: ``wrapper(wrapped, instance, args, kwargs)``."""

Hook = Callable[[ModuleType], Any]

_MISSING = object()

_patched: set[str] = set()
"""Where something is patched now, by what stands before the errors of that place."""

dormant: list[str] = []
"""Patches that could not be taken out because somebody patched on top of them, for ``status()``."""


class Patches:
    """What one integration has patched. Whoever makes it keeps it: what a failed install did is undone as well.

    Attributes:
        missing: names of attributes that this version of a library lacks, as ``Class.name``, and of modules whose hook
            failed. They are told by ``status()``, never raised.
    """

    def __init__(self, site: str) -> None:
        self.missing: list[str] = []
        self._site = site
        self._alive = True
        self._undos: list[Callable[[], Any]] = []

    @property
    def alive(self) -> bool:
        """False once everything was undone; for hooks of the library's own that cannot be taken out."""
        return self._alive

    def wrap(self, owner: Any, name: str, wrapper: Wrapper) -> None:
        """Wrap ``owner.name``; the undo puts the very same object back.

        If somebody else has wrapped the attribute since, the undo leaves theirs in place and our wrapper goes dormant:
        it calls straight through.
        """
        if not hasattr(owner, name):
            self.missing.append(f"{getattr(owner, '__name__', type(owner).__name__)}.{name}")
            return
        self._undos.append(_wrap(owner, name, wrapper))
        _patched.add(self._site)

    def wrap_below(self, owner: type[Any], name: str, wrapper: Wrapper) -> None:
        """Wrap a method of ``owner``, and what other SDKs have put around it on its subclasses.

        One that wrapped a method where it is inherited left its wrapper there, around the method as it was: calls of
        that subclass never pass ``owner``. A method that a subclass overrides is another one, and is left alone.
        """
        self.wrap(owner, name, wrapper)
        if name not in vars(owner):
            return
        method = unwrap(vars(owner)[name])
        for below in subclasses(owner):
            theirs = vars(below).get(name)
            # Another SDK that wrapped a class on top of us and has left since put a dormant wrapper of ours there.
            if getattr(theirs, "_self_agentops", False):
                delattr(below, name)
            elif theirs is not None and unwrap(theirs) is method:
                self.wrap(below, name, wrapper)

    def when_imported(self, module: str, hook: Hook) -> None:
        """Run ``hook(module)`` once ``module`` has been imported: at once where it has been. Guarded, on its own."""
        _when_imported(module, self, hook)

    def on_undo(self, undo: Callable[[], Any]) -> None:
        """Have ``undo()`` called, guarded, together with the others; what was added last is undone first."""
        self._undos.append(undo)

    def undo(self) -> bool:
        """Undo everything, whatever fails; returns whether every original is back in place."""
        self._alive = False
        _patched.discard(self._site)
        _forget(self)
        undos, self._undos = self._undos, []
        return self._run(undos)

    def _run(self, undos: list[Callable[[], Any]]) -> bool:
        complete = True
        for undo in reversed(undos):
            restored: Any = False
            with guard(f"{self._site}.undo"):
                restored = undo()
            complete = complete and restored is not False
        return complete

    def _imported(self, module: ModuleType, hook: Hook) -> None:
        if not self._alive:
            return
        before = len(self._undos)
        with guard(f"{self._site}.install"):
            try:
                hook(module)
            except Exception as error:
                # Half a hook would see operations begin that it does not see end.
                undos, self._undos[before:] = self._undos[before:], []
                self._run(undos)
                self.missing.append(f"{module.__name__} ({type(error).__name__})")
                raise


def subclasses(cls: type[Any]) -> list[type[Any]]:
    """The classes below ``cls``, however far."""
    children: list[type[Any]] = cls.__subclasses__()
    return [below for child in children for below in (child, *subclasses(child))]


def _wrap(owner: Any, name: str, wrapper: Wrapper) -> Callable[[], bool]:
    import wrapt

    from agentops_sdk._host.method_wrapper import MethodWrapper

    original = _without_dormant(vars(owner).get(name, _MISSING))
    if original is _MISSING and name in vars(owner):
        delattr(owner, name)
    alive = [True]
    is_alive: Any = alive.__len__  # wrapt asks before each call; this answers without a frame
    is_method = isinstance(owner, type) and not isinstance(original, staticmethod | classmethod)
    target = getattr(owner, name) if original is _MISSING else original
    ours: Any = (
        MethodWrapper(target, wrapper, is_alive, owner)
        if is_method
        else wrapt.FunctionWrapper(target, wrapper, is_alive)
    )
    # So that one left behind somewhere else can be known again.
    ours._self_agentops = _Ours(id(ours), original, is_alive)  # noqa: SLF001 - wrapt keeps such names to itself
    setattr(owner, name, ours)

    def undo() -> bool:
        alive.clear()
        if vars(owner).get(name) is not ours:
            dormant.append(f"{getattr(owner, '__name__', type(owner).__name__)}.{name}")
            return False
        if original is _MISSING:
            delattr(owner, name)
        else:
            setattr(owner, name, original)
        return True

    return undo


class _Ours(NamedTuple):
    """What a wrapper of ours says of itself. Another wrapper around it passes it on, so it names its own."""

    wrapper: int
    original: Any
    is_alive: Callable[[], Any]


def is_recorded(integration: str) -> bool:
    """Whether an integration, by its name, records its library now: a framework above it need not tell of its calls."""
    return f"integration.{integration}" in _patched


def is_ours(value: Any) -> bool:
    """Whether ``value`` is a wrapper of ours, alive or dormant."""
    return _ours(value) is not None


def _ours(value: Any) -> _Ours | None:
    ours: _Ours | None = getattr(value, "_self_agentops", None)
    return ours if ours is not None and ours.wrapper == id(value) else None


def _without_dormant(value: Any) -> Any:
    """An attribute without those wrappers of ours that another SDK has put back there after we had left."""
    while (ours := _ours(value)) is not None and not ours.is_alive():
        value = ours.original
    return value


# --- hooks that wait for an import ----------------------------------------------------------------
# An import hook cannot be unregistered. One for each module is registered, whatever waits for it, so that nothing grows
# with the number of starts. No lock: each step is one operation on a list or set, so that a fork leaves nothing held.

_waiting: list[tuple[str, Patches, Hook]] = []
_registered: set[str] = set()


def _when_imported(module: str, patches: Patches, hook: Hook) -> None:
    import wrapt

    _waiting.append((module, patches, hook))  # first: whoever runs the hooks meanwhile finds it
    if module not in _registered:
        _registered.add(module)
        _wait_for_import(module)
        wrapt.register_post_import_hook(_run_waiting, module)


def _wait_for_import(name: str) -> None:
    """Where another thread is importing the module: wrapt would hand over the half of it that is there."""
    module = sys.modules.get(name)
    if getattr(getattr(module, "__spec__", None), "_initializing", False):
        with guard("patches.import"):
            importlib.import_module(name)


def _run_waiting(module: ModuleType) -> None:
    """Called by wrapt once, immediately where the module has been imported already."""
    _registered.discard(module.__name__)
    for entry in [entry for entry in _waiting if entry[0] == module.__name__]:
        if _take(entry):
            _, patches, hook = entry
            patches._imported(module, hook)  # noqa: SLF001 - the other half of the class


def _forget(patches: Patches) -> None:
    for entry in [entry for entry in _waiting if entry[1] is patches]:
        _take(entry)


def _take(entry: tuple[str, Patches, Hook]) -> bool:
    try:
        _waiting.remove(entry)
    except ValueError:  # another thread was first
        return False
    return True
