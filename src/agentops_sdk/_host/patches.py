"""The one way to patch: wrappers around attributes, now and at later imports, all undone together."""

from __future__ import annotations

import functools
from collections.abc import Callable
from inspect import unwrap
from types import ModuleType
from typing import Any

from agentops_sdk._host import import_hooks
from agentops_sdk._host.guard import guard
from agentops_sdk._named_tuple import NamedTuple

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
        self._waits: list[import_hooks.Entry] = []

    @property
    def alive(self) -> bool:
        """False once everything was undone; for hooks of the library's own that cannot be taken out."""
        return self._alive

    def wrap(self, owner: Any, name: str, wrapper: Wrapper) -> None:
        """Wrap ``owner.name``; the undo puts the very same object back.

        If somebody else has wrapped the attribute since, the undo leaves theirs in place and our wrapper goes dormant:
        it calls straight through.
        """
        self._put(owner, name, wrapper, _wrapt)

    def wrap_function(self, owner: Any, name: str, wrapper: Wrapper) -> None:
        """The same with a function around the function, for the standard library's and OpenTelemetry's own.

        A module's, or a class's for its instances; not one that is asynchronous. It does without wrapt, which takes as
        long to load as the rest of ``init()``, and is less of the original than wrapt's: no ``__code__``, say.
        """
        self._put(owner, name, wrapper, _function)

    def _put(self, owner: Any, name: str, wrapper: Wrapper, around: _Around) -> None:
        if not hasattr(owner, name):
            self.missing.append(f"{getattr(owner, '__name__', type(owner).__name__)}.{name}")
            return
        self._undos.append(_wrap(owner, name, wrapper, around))
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

    def each_subclass(self, base: type[Any], visit: Callable[[type[Any]], Any]) -> None:
        """Run ``visit(cls)`` for each class below ``base``, those that are made later too; guarded.

        For a class that libraries and programs implement: what they call is a method of theirs.
        """
        for cls in subclasses(base):
            visit(cls)

        def init_subclass(cls: Any, /, **kwargs: Any) -> None:
            super(base, cls).__init_subclass__(**kwargs)
            if self._alive:
                with guard(f"{self._site}.subclass"):
                    visit(cls)

        if "__init_subclass__" in vars(base):
            self.missing.append(f"{base.__name__}.__init_subclass__")
            return
        owner: Any = base
        ours = owner.__init_subclass__ = classmethod(init_subclass)

        def undo() -> None:
            if vars(owner).get("__init_subclass__") is ours:
                del owner.__init_subclass__

        self._undos.append(undo)

    def when_imported(self, module: str, hook: Hook) -> None:
        """Run ``hook(module)`` once ``module`` has been imported: at once where it has been. Guarded, on its own."""
        self._waits.append(import_hooks.when_imported(module, lambda imported: self._imported(imported, hook)))

    def on_undo(self, undo: Callable[[], Any]) -> None:
        """Have ``undo()`` called, guarded, together with the others; what was added last is undone first."""
        self._undos.append(undo)

    def undo(self) -> bool:
        """Undo everything, whatever fails; returns whether every original is back in place."""
        self._alive = False
        _patched.discard(self._site)
        for entry in self._waits:
            import_hooks.forget(entry)
        self._waits.clear()
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


_Around = Callable[[Any, Wrapper, Any, "type[Any] | None"], Any]
"""``around(target, wrapper, is_alive, owner)``: the owner is a class whose method the target is, or ``None``."""


def _wrapt(target: Any, wrapper: Wrapper, is_alive: Any, owner: type[Any] | None) -> Any:
    import wrapt

    from agentops_sdk._host.method_wrapper import MethodWrapper

    if owner is not None:
        return MethodWrapper(target, wrapper, is_alive, owner)
    return wrapt.FunctionWrapper(target, wrapper, is_alive)


def _function(target: Any, wrapper: Wrapper, is_alive: Any, owner: type[Any] | None) -> Any:
    @functools.wraps(target)
    def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        bound = target.__get__(self, type(self))  # it may be somebody else's wrapper, that wants to know its instance
        return wrapper(bound, self, args, kwargs) if is_alive() else bound(*args, **kwargs)

    @functools.wraps(target)
    def function(*args: Any, **kwargs: Any) -> Any:
        return wrapper(target, None, args, kwargs) if is_alive() else target(*args, **kwargs)

    return function if owner is None else method


def _wrap(owner: Any, name: str, wrapper: Wrapper, around: _Around) -> Callable[[], bool]:
    original = _without_dormant(vars(owner).get(name, _MISSING))
    if original is _MISSING and name in vars(owner):
        delattr(owner, name)
    alive = [True]
    is_alive: Any = alive.__len__  # wrapt asks before each call; this answers without a frame
    is_method = isinstance(owner, type) and not isinstance(original, staticmethod | classmethod)
    target = getattr(owner, name) if original is _MISSING else original
    ours = around(target, wrapper, is_alive, owner if is_method else None)
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
