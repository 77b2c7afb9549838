"""Patches: what is wrapped comes back, whatever happens in between."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agentops_sdk._host import import_hooks
from agentops_sdk._host.patches import Patches


class Library:
    def method(self) -> str:
        return "theirs"


def straight(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    return wrapped(*args, **kwargs)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that can be imported and has not been."""
    (tmp_path / "a_library_of_the_tests.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "a_library_of_the_tests", raising=False)
    return "a_library_of_the_tests"


def test_undo_goes_on_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    original = vars(Library)["method"]
    patches = Patches("test")
    patches.wrap(Library, "method", straight)
    assert vars(Library)["method"] is not original
    order: list[int] = []
    patches.on_undo(lambda: order.append(1))
    patches.on_undo(lambda: order.append(2))
    assert patches.undo()
    assert order == [2, 1]
    assert vars(Library)["method"] is original
    assert not patches.alive


@pytest.mark.guard_swallows
def test_an_undo_that_raises_takes_no_other_along() -> None:
    original = vars(Library)["method"]
    patches = Patches("test")
    patches.wrap(Library, "method", straight)
    patches.on_undo(lambda: 1 // 0)
    assert not patches.undo()
    assert vars(Library)["method"] is original


def test_hooks_run_at_the_import_and_not_after_an_undo(library: str) -> None:
    ran: list[str] = []
    first, second, third = Patches("test"), Patches("test"), Patches("test")
    first.when_imported(library, lambda _: ran.append("first"))
    second.when_imported(library, lambda _: ran.append("second"))
    second.undo()
    __import__(library)
    third.when_imported(library, lambda _: ran.append("third"))
    assert ran == ["first", "third"]


@pytest.mark.guard_swallows
def test_a_hook_that_fails_is_told_and_the_others_run(library: str) -> None:
    ran: list[str] = []
    patches = Patches("test")
    patches.when_imported(library, lambda found: found.no_such_name)
    patches.when_imported(library, lambda _: ran.append("other"))
    __import__(library)
    assert ran == ["other"]
    assert patches.missing == [f"{library} (AttributeError)"]


@pytest.mark.guard_swallows
def test_a_hook_that_fails_half_way_leaves_nothing_of_its_own(library: str) -> None:
    original = vars(Library)["method"]

    def half(found: Any) -> None:
        patches.wrap(Library, "method", straight)
        raise LookupError("the other half looks different")

    patches = Patches("test")
    patches.when_imported(library, half)
    __import__(library)
    assert vars(Library)["method"] is original
    assert patches.missing == [f"{library} (LookupError)"]
    assert patches.alive


@pytest.mark.parametrize("kind", ["method", "inherited", "class_method", "static_method"])
def test_a_function_around_our_wrapper_changes_nothing_for_it(kind: str) -> None:
    """A plain function around ours calls it with the instance as its first argument, not as a bound method."""

    class Base:
        def inherited(self, number: int) -> Any:
            return self, number

    class Owner(Base):
        def method(self, number: int) -> Any:
            return self, number

        @classmethod
        def class_method(cls, number: int) -> Any:
            return cls, number

        @staticmethod
        def static_method(number: Any) -> Any:
            return None, number

    seen: list[Any] = []

    def ours(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        seen.append((instance, args, kwargs))
        return wrapped(*args, **kwargs)

    patches = Patches("test")
    patches.wrap(Owner, kind, ours)
    owner = Owner()
    expected = getattr(owner, kind)(3)
    if kind in ("method", "inherited"):
        around = vars(Owner)[kind]
        setattr(Owner, kind, lambda *args, **kwargs: around(*args, **kwargs))
        assert getattr(owner, kind)(3) == expected == (owner, 3)
    assert seen == [seen[0]] * len(seen)
    assert seen[0][1:] == ((3,), {})


def test_a_wrapper_of_ours_that_another_sdk_put_back_is_not_wrapped_again() -> None:
    original = vars(Library)["method"]
    for _ in range(3):
        patches = Patches("test")
        patches.wrap(Library, "method", straight)
        ours = vars(Library)["method"]
        assert ours.__wrapped__ is original
        Library.method = lambda self, ours=ours: ours(self)  # type: ignore[method-assign]  # patching is the test
        assert not patches.undo()
        Library.method = ours  # type: ignore[method-assign]  # patching is the test
        assert Library().method() == "theirs"
    patches = Patches("test")
    patches.wrap(Library, "method", straight)
    assert patches.undo()
    assert vars(Library)["method"] is original


def test_nothing_grows_with_the_number_of_starts(library: str) -> None:
    waiting, finders = len(import_hooks.waiting), list(sys.meta_path)
    for _ in range(100):
        patches = Patches("test")
        patches.when_imported(library, lambda _: None)
        patches.undo()
    assert len(import_hooks.waiting) == waiting
    assert sys.meta_path == finders


class Finder:
    """Stands behind ours, and alone knows a module."""

    def __init__(self, knows: str = "", before: Callable[[], object] = bool) -> None:
        self.knows, self.before = knows, before

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        self.before()
        return ModuleSpec(name, self) if name == self.knows else None  # type: ignore[arg-type]  # a loader by shape

    def create_module(self, spec: ModuleSpec) -> None: ...

    def exec_module(self, module: ModuleType) -> None: ...


def test_who_imports_while_another_thread_undoes_the_last_patch_passes_over_no_finder(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patches = Patches("test")

    def undo() -> None:
        other = threading.Thread(target=patches.undo)
        other.start()
        other.join()

    finders = [Finder(before=undo), Finder("known_to_one_finder"), *sys.meta_path]
    monkeypatch.setattr(sys, "meta_path", list(finders))
    monkeypatch.delitem(sys.modules, "known_to_one_finder", raising=False)
    patches.when_imported(library, lambda _: None)
    assert len(sys.meta_path) == len(finders) + 1
    assert importlib.import_module("known_to_one_finder").__name__ == "known_to_one_finder"
    assert sys.meta_path == finders
    monkeypatch.delitem(sys.modules, "known_to_one_finder")


def test_a_finder_that_another_tool_adds_meanwhile_stays(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    patches, theirs = Patches("test"), Finder()
    patches.when_imported(library, lambda _: None)
    sys.meta_path.insert(0, theirs)  # type: ignore[arg-type]  # a finder by shape
    before = [finder for finder in sys.meta_path if finder is not sys.meta_path[1]]
    patches.undo()
    assert sys.meta_path == before
    assert sys.meta_path[0] is theirs
