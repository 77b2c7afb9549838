"""A large value of plain types is measured in C: with the same cuts, and nothing of the user's code runs."""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable
from typing import Any

import pytest

from agentops_sdk._snapshot import snapshot as module
from agentops_sdk._snapshot.plain_values import is_plain
from agentops_sdk._snapshot.snapshot import Limits, snapshot

CHAT = [{"role": "user", "content": f"message {number}: " + "word " * 20} for number in range(200)]


class Colour(enum.Enum):
    RED = 1


class Text(str):
    __slots__ = ()

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise AssertionError("the user's code ran")


def shared() -> list[Any]:
    inner: list[Any] = [1]
    for _ in range(40):
        inner = [inner] * 4
    return inner


def cyclic() -> list[Any]:
    outer: list[Any] = [*CHAT]
    outer.append(outer)
    return outer


VALUES: list[Callable[[], Any]] = [
    lambda: CHAT,
    lambda: {"messages": CHAT, "n": [1.5, None, True, -3]},
    lambda: CHAT * 10,
    lambda: list(range(9_999)),
    lambda: list(range(10_000)),
    lambda: [[1]] * 4_999,
    lambda: [[1]] * 5_000,
    lambda: [","] * 9_000,
    lambda: [*CHAT, Colour.RED],
    lambda: [*CHAT, Text("x")],
    lambda: [*CHAT, {1: 2}],
    lambda: [*CHAT, {1, 2}, b"x"],
    lambda: [*CHAT, 2**70, "\ud800"],
    lambda: [[]] * 200,
    shared,
    cyclic,
]


@pytest.mark.parametrize("limits", [Limits(), Limits(bytes=5_000), Limits(bytes=1_000_000), Limits(items=300)])
def test_the_cuts_are_the_same(monkeypatch: pytest.MonkeyPatch, limits: Limits) -> None:
    in_c = [snapshot(make(), limits=limits) for make in VALUES]
    monkeypatch.setattr(module, "is_plain", lambda value, most: False)
    in_python = [snapshot(make(), limits=limits) for make in VALUES]
    assert [(type(one), one) for one in in_c] == [(type(one), one) for one in in_python]


def test_only_plain_values_pass() -> None:
    assert is_plain(CHAT, 100_000)
    assert not is_plain(CHAT, 10_000)
    assert not any(is_plain([*CHAT, item], 100_000) for item in (Colour.RED, Text("x"), object(), len, shared()))
    assert not is_plain(cyclic(), 100_000)


def test_a_large_value_costs_no_call_for_each_member() -> None:
    snapshot(CHAT)  # the first imports what it needs
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    snapshot(CHAT)
    sys.setprofile(None)
    assert 5 < calls <= 28
