"""What an integration patches, found by watching it; and a library's attributes, found by walking its modules."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest
from tests.integrations.driver import Driver

from agentops_sdk.integration import Patches

_NONE = object()
_OF_THE_INTERPRETER = ("__annotations__",)  # made when somebody looks


@dataclass(frozen=True)
class Seam:
    """One attribute that an integration wraps."""

    owner: Any = field(hash=False)
    name: str

    def __str__(self) -> str:
        """As ``status()`` calls it."""
        return f"{getattr(self.owner, '__name__', type(self.owner).__name__)}.{self.name}"

    def now(self) -> Any:
        return vars(self.owner).get(self.name, _NONE)

    def layers(self) -> int:
        """How many wrappers there are on it."""
        value, count = self.now(), 0
        while (below := getattr(value, "__wrapped__", None)) is not None:
            value, count = below, count + 1
        return count


def load(driver: Driver) -> None:
    """Import the library, whole."""
    for name in (*driver.packages, *driver.modules):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:  # of another version
            if error.name is None or not name.startswith(error.name):
                raise


@contextmanager
def watched(integration: str) -> Iterator[list[Seam]]:
    """The seams that the integration wraps in here, in order, as far as the library has them."""
    seams: list[Seam] = []
    wrap = Patches.wrap

    def watching(self: Patches, owner: Any, name: str, wrapper: Any) -> None:
        seam = Seam(owner, name)
        if is_of(self, integration) and hasattr(owner, name) and str(seam) not in map(str, seams):
            seams.append(seam)
        wrap(self, owner, name, wrapper)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Patches, "wrap", watching)
        yield seams


def is_of(patches: Patches, integration: str) -> bool:
    """Whether these are an integration's patches, and not those of the SDK itself."""
    return patches._site == f"integration.{integration}"


@contextmanager
def missing(seam: Seam) -> Iterator[None]:
    """The library as a version without the attribute is."""
    owners = [owner for owner in getattr(seam.owner, "__mro__", [seam.owner]) if seam.name in vars(owner)]
    owners = [one for one in owners if getattr(one, "__module__", "") != "builtins"]  # nothing lacks what these have
    originals = [vars(owner)[seam.name] for owner in owners]
    for owner in owners:
        delattr(owner, seam.name)
    try:
        yield
    finally:
        for owner, original in zip(owners, originals, strict=True):
            setattr(owner, seam.name, original)


# --- another SDK ------------------------------------------------------------------------------------


class OtherSDK:
    """Wraps the same attributes as we do, and takes its wrappers out again, in the way of its kind.

    Args:
        kind: ``wrapt``, with wrapt's wrappers, or ``function``, with functions around functions.
    """

    def __init__(self, kind: str) -> None:
        self._wrapper: Callable[..., Any] = {"wrapt": self._by_wrapt, "function": self._by_function}[kind]
        self._replaced: list[tuple[Seam, Any, Any]] = []
        self.calls = 0

    def install(self, seams: list[Seam]) -> None:
        for seam in seams:
            original = seam.now()
            target = getattr(seam.owner, seam.name) if original is _NONE else original
            wrapper = self._wrapper(target)
            setattr(seam.owner, seam.name, wrapper)
            self._replaced.append((seam, original, wrapper))

    def remove(self) -> None:
        """Put back what was there before, whatever stands there now, as most of them do."""
        for seam, original, _ in reversed(self._replaced):
            if original is _NONE:
                delattr(seam.owner, seam.name)
            else:
                setattr(seam.owner, seam.name, original)
        self._replaced.clear()

    def _by_wrapt(self, target: Any) -> Any:
        import wrapt

        def wrapper(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            self.calls += 1
            return wrapped(*args, **kwargs)

        return wrapt.FunctionWrapper(target, wrapper)

    def _by_function(self, target: Any) -> Any:
        @functools.wraps(target)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            return target(*args, **kwargs)

        return wrapper


# --- every attribute of a library -------------------------------------------------------------------


def attributes(packages: tuple[str, ...]) -> dict[tuple[str, str], Any]:
    """Every attribute of every module and class of some packages, as far as they are imported. Lists are copied."""
    found: dict[tuple[str, str], Any] = {}
    for module in list(sys.modules.values()):
        if not isinstance(module, ModuleType) or not _is_in(module.__name__, packages):
            continue
        found |= _attributes_of(module.__name__, module)
        for value in list(vars(module).values()):
            # isinstance() would have a library's own lazy proxies import what they stand for.
            if issubclass(type(value), type) and _is_in(getattr(value, "__module__", ""), packages):
                found |= _attributes_of(f"{value.__module__}.{value.__qualname__}#{id(value)}", value)
    return found


def _attributes_of(label: str, owner: Any) -> dict[tuple[str, str], Any]:
    return {(label, name): list(value) if type(value) is list else value for name, value in list(vars(owner).items())}


def changed(before: dict[tuple[str, str], Any], after: dict[tuple[str, str], Any]) -> set[tuple[str, str]]:
    """What is another object than before, or is new. Submodules that were imported meanwhile are no change."""
    known = {label for label, _ in before}
    news = {
        key
        for key in after.keys() - before.keys()
        if key[0] in known and key[1] not in _OF_THE_INTERPRETER and not isinstance(after[key], ModuleType)
    }
    return news | {key for key in before if key not in after or not _same(before[key], after[key])}


def _same(before: Any, after: Any) -> bool:
    if type(before) is list and type(after) is list:
        return len(before) == len(after) and all(map(_same, before, after))
    return before is after


def _is_in(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)
