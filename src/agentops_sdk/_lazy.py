"""Public names that load their modules when they are used, not when somebody looks at them.

Importing this package must cost nothing, and there are programs that read every attribute of every module: test
tools that replace the clock, debuggers, reloaders. So a public name that is not loaded yet has a stand-in, a value
like any other. Calling it, or asking it for something, loads the module; so does ``from package import name``,
which gets the real thing. Once a module is loaded, its names are the real thing for everybody. Exceptions are
never lazy: nothing can stand in for one in an ``except`` clause.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inspect import Signature

_HOMES = "_homes"
_STAND_INS = "_stand_ins"
_RENAMED = "_renamed"


class StandIn:
    """A public function or class, until its module is loaded. It can be used as if it were the real one."""

    __slots__ = ("__name__", "_home", "_package", "_real")

    def __init__(self, package: str, home: str, name: str) -> None:
        self._package = package
        self._home = home
        self._real: Any = None
        self.__name__ = name

    def _load(self) -> Any:
        if self._real is None:
            self._real = getattr(_import(self._package, self._home), self.__name__)
        return self._real

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._load()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what tools probe values for; nothing that people ask for
            raise AttributeError(name)
        return getattr(self._load(), name)

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]  # a property, where a class has a text
        return str(self._load().__doc__)

    @property
    def __signature__(self) -> Signature:
        from inspect import signature

        return signature(self._load())

    def __repr__(self) -> str:
        return f"<{self._package}.{self.__name__}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _public, (self._package, self.__name__)

    # What else a class can do: be a base, be half of a union, tell its instances, validate a field.

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._load(),)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self._load())

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(subclass, self._load())

    def __or__(self, other: Any) -> Any:
        return self._load() | other

    def __ror__(self, other: Any) -> Any:
        return other | self._load()

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return handler(self._load())


class AppStandIn(StandIn):
    """An ASGI application, until its module is loaded: servers tell one by what its call takes and gives."""

    __slots__ = ()

    async def __call__(self, scope: Any, receive: Any, send: Any, **options: Any) -> None:
        await self._load()(scope, receive, send, **options)


def _public(package: str, name: str) -> Any:
    value = getattr(import_module(package), name)
    return value._load() if isinstance(value, StandIn) else value  # noqa: SLF001 - of this module


class LazyPackage(ModuleType):
    """A package whose public names come from the modules that ``_homes`` tells.

    Importing ``package.track`` makes Python set ``package.track`` to that module; where ``track`` is
    a public name of another kind (the decorator), that must not happen, whoever imports first.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        homes = vars(self)[_HOMES]
        if isinstance(value, ModuleType):
            for public in [public for public, home in homes.items() if home == name]:
                _put(self, public, value)
            if name in homes:
                return
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        own = vars(self)
        home = own[_HOMES].get(name)
        if home is None:
            now = own[_RENAMED].get(name)
            hint = f": it is called {now!r} now" if now is not None else ""
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}{hint}")
        importing = sys._getframe(1).f_code.co_name == "_handle_fromlist"  # noqa: SLF001 - nobody else says who asks
        module = _import(self.__name__, home) if importing else sys.modules.get(f"{self.__name__}.{home}")
        if module is not None:
            _put(self, name, module)
        return own.get(name, own[_STAND_INS][name])

    def __dir__(self) -> list[str]:
        return sorted(vars(self)["__all__"])


def make_lazy(
    package: str, homes: Mapping[str, str], *, apps: Collection[str] = (), renamed: Mapping[str, str] | None = None
) -> None:
    """Give ``package`` public names without loading them.

    Args:
        homes: for each module below the package, the names that it has, with blanks between them.
        apps: those of the names that are ASGI applications.
        renamed: names of before, each with the one of now: whoever asks for one is told.
    """
    module = sys.modules[package]
    own = vars(module)
    own[_RENAMED] = dict(renamed or {})
    own[_HOMES] = {name: home for home, names in homes.items() for name in names.split()}
    own[_STAND_INS] = {
        name: (AppStandIn if name in apps else StandIn)(package, home, name) for name, home in own[_HOMES].items()
    }
    module.__class__ = LazyPackage


def _import(package: str, home: str) -> ModuleType:
    try:
        return import_module(f"{package}.{home}")
    except ImportError as error:
        from agentops_sdk._interpreter import in_subinterpreter, told_plainly

        if not in_subinterpreter():
            raise
        plain = told_plainly(package, error)
    raise plain


def _put(package: ModuleType, name: str, module: ModuleType) -> None:
    """Make the real thing the package's own, unless the module is still being imported and has none yet."""
    own, value = vars(package), vars(module).get(name)
    if value is not None and isinstance(own.get(name), StandIn | None):
        own[name] = value
