"""The snapshotter under any object graph: valid JSON, bounded, no exception, no side effect, no user code."""

from __future__ import annotations

import dataclasses
import enum
import json
import sys
import threading
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from pathlib import Path
from typing import Any

import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentops_sdk._snapshot.snapshot import CUT, DEFAULT_LIMITS, Limits, snapshot

RAN: list[str] = []


def _hostile(name: str) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        RAN.append(name)
        raise RuntimeError(name)

    return method


METHODS = ["__repr__", "__str__", "__len__", "__iter__", "__getattr__", "__getattribute__", "__eq__", "__hash__",
           "__bool__", "__contains__", "__getitem__", "__index__", "__int__", "__float__", "__format__", "__dir__",
           "__reduce__", "__reduce_ex__", "__sizeof__", "__bytes__", "__next__", "keys", "items", "values", "get",
           "model_dump", "dict", "json", "isoformat", "__json__", "tolist", "__array__", "__length_hint__",
           "__instancecheck__", "__subclasscheck__"]  # fmt: skip


class Hostile:
    """Every way in is mined, and ``__class__`` lies."""

    secret = property(_hostile("property"))
    __class__ = property(_hostile("__class__"))  # type: ignore[assignment]  # hostile on purpose


for _name in METHODS:
    if _name != "__getattribute__":
        setattr(Hostile, _name, _hostile(_name))
Hostile.__getattribute__ = _hostile("__getattribute__")  # type: ignore[method-assign]  # hostile on purpose


def hostile_kind(base: type) -> type:
    """A subclass of a builtin that mines what it can override."""
    own = {name: _hostile(name) for name in METHODS if name not in ("__getattribute__", "__hash__", "__eq__")}
    return type(f"Hostile_{base.__name__}", (base,), own)


HostileStr, HostileInt, HostileFloat = hostile_kind(str), hostile_kind(int), hostile_kind(float)
HostileDict, HostileList, HostileTuple = hostile_kind(dict), hostile_kind(list), hostile_kind(tuple)
HostileSet, HostileDeque, HostileError = hostile_kind(set), hostile_kind(deque), hostile_kind(ValueError)


class HostileModel(pydantic.BaseModel):
    x: Any = None

    def model_dump(self, **_: Any) -> Any:
        RAN.append("model_dump")
        raise RuntimeError

    @pydantic.model_serializer
    def serialize(self) -> Any:
        RAN.append("serializer")
        raise RuntimeError

    @pydantic.computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated property
    @property
    def computed(self) -> int:
        RAN.append("computed")
        raise RuntimeError


class HostileEnum(enum.Enum):
    ONE = 1

    @property
    def value(self) -> Any:  # type: ignore[override]  # hostile on purpose
        RAN.append("value")
        raise RuntimeError


class Meta(type):
    def __hash__(cls) -> int:
        RAN.append("metaclass hash")
        raise RuntimeError

    def __eq__(cls, other: object) -> bool:
        RAN.append("metaclass eq")
        raise RuntimeError

    def __getattribute__(cls, name: str) -> Any:
        RAN.append(f"metaclass {name}")
        raise RuntimeError


class OfMeta(metaclass=Meta):
    pass


@dataclasses.dataclass
class Data:
    x: Any

    def __getattribute__(self, name: str) -> Any:
        RAN.append(f"dataclass {name}")
        raise RuntimeError


def make_data(value: Any) -> Any:
    found = object.__new__(Data)
    object.__setattr__(found, "x", value)
    return found


def side_effect() -> Any:
    RAN.append("generator")
    yield 1


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(min_value=2**60, max_value=2**80), st.floats(),
    st.text(), st.text(st.characters()), st.sampled_from(["\udc80", "\x00", "…", "a" * 50_000]), st.binary(),
    st.dates(), st.datetimes(), st.times(), st.timedeltas(), st.uuids(), st.decimals(), st.fractions(),
    st.complex_numbers(),
    st.builds(lambda: Hostile()), st.builds(lambda: HostileStr("text")), st.builds(lambda: HostileInt(7)),
    st.builds(lambda: HostileFloat(1.5)), st.builds(lambda: HostileError("m", 1)), st.just(HostileEnum.ONE),
    st.builds(object), st.builds(threading.Lock), st.builds(side_effect), st.just(len), st.builds(lambda: Hostile),
)  # fmt: skip

keys = st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.none(), st.floats(), st.binary(max_size=3),
                 st.tuples(st.integers(), st.text(max_size=3)))  # fmt: skip

graphs = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6), st.lists(inner, max_size=6).map(tuple),
        st.dictionaries(keys, inner, max_size=6),
        st.lists(inner, max_size=4).map(lambda items: HostileList(items)),
        st.lists(inner, max_size=4).map(lambda items: HostileTuple(items)),
        st.lists(inner, max_size=4).map(lambda items: HostileDeque(items)),
        st.dictionaries(st.text(max_size=4), inner, max_size=4).map(lambda items: HostileDict(items)),
        st.dictionaries(st.text(max_size=4), inner, max_size=4).map(OrderedDict),
        st.dictionaries(st.text(max_size=4), inner, max_size=4).map(lambda items: defaultdict(list, items)),
        inner.map(lambda item: HostileModel.model_construct(x=item)),
        inner.map(make_data), inner.map(lambda item: ValueError(item)),
    ),
    max_leaves=40,
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(graphs, st.sampled_from([DEFAULT_LIMITS, Limits(bytes=300, items=20, depth=3), Limits(bytes=4_096)]))
def test_any_object_graph(value: Any, limits: Limits) -> None:
    RAN.clear()
    encoded = snapshot(value, limits=limits)
    assert RAN == []
    json.loads(encoded)
    assert len(encoded) <= limits.bytes


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.recursive(st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(
    st.characters(exclude_categories=("Cs",)), max_size=20)), lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), max_size=5), inner, max_size=5))))  # fmt: skip  # noqa: E501 - one strategy on one line
def test_plain_values_come_back_whole(value: Any) -> None:
    assert json.loads(snapshot(value)) == value


def cycle() -> Any:
    loop: list[Any] = [1]
    loop.append({"back": loop})
    return loop


def deep(levels: int, make: Any = list) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"in": value} if make is dict else [value]
    return value


def doubling(levels: int) -> Any:
    value: Any = ["x"]
    for _ in range(levels):
        value = [value, value]
    return value


HUGE = {
    "text of 100 MB": lambda: "x" * 100_000_000,
    "text of 100 MB in a list": lambda: [{"role": "user", "content": "x" * 100_000_000}, "short"],
    "key of 10 MB": lambda: {"k" * 10_000_000: 1},
    "bytes of 100 MB": lambda: b"x" * 100_000_000,
    "million numbers": lambda: list(range(1_000_000)),
    "million texts in a set": lambda: {str(number) for number in range(1_000_000)},
    "million keys": lambda: dict.fromkeys(range(1_000_000)),
    "matrix": lambda: [[1.5] * 1_000] * 1_000,
    "shared a million million times": lambda: doubling(40),
    "cycle": cycle,
    "10,000 levels of lists": lambda: deep(10_000),
    "10,000 levels of mappings": lambda: deep(10_000, dict),
    "million digits": lambda: 10**300_000,
    "control characters": lambda: "\x01" * 60_000,
    "wide characters": lambda: "日" * 60_000,
    "emoji": lambda: ["🙂" * 1_000] * 100,
    "many short texts": lambda: ["abcdef"] * 9_999,
    "long keys": lambda: {f"{number}" * 2_000: number for number in range(40)},
}


@pytest.mark.parametrize("name", HUGE)
def test_huge_values_are_bounded(name: str) -> None:
    value = HUGE[name]()
    for limits in (DEFAULT_LIMITS, Limits(bytes=1_000, items=100, depth=10)):
        encoded = snapshot(value, limits=limits)
        json.loads(encoded)
        assert len(encoded) <= limits.bytes
        assert CUT in encoded.decode() or "<" in encoded.decode()
        if name.startswith("text of 100 MB"):
            assert len(encoded) > limits.bytes // 2  # cut, not thrown away


def lines(value: Any) -> int:
    """How many lines of ours run for a snapshot of ``value``: counted, not timed."""
    count = 0

    def tracer(frame: Any, event: str, arg: Any) -> Any:
        nonlocal count
        count += 1
        return tracer

    previous = sys.gettrace()
    sys.settrace(tracer)
    try:
        snapshot(value)
    finally:
        sys.settrace(previous)
    return count


def test_work_does_not_grow_with_the_value() -> None:
    """A value a hundred times larger."""
    assert lines([1] * 5_000_000) <= 2 * lines([1] * 50_000)
    assert lines({"a": "x" * 50_000_000}) <= 2 * lines({"a": "x" * 500_000})
    assert lines(doubling(60)) <= 2 * lines(doubling(20))


@dataclasses.dataclass
class Link:
    next: Any = None


def in_itself() -> dict[str, Any]:
    alone: dict[str, Any] = {}
    alone["again"] = alone
    many: dict[str, Any] = {}
    many.update((name, many) for name in "abcdefgh")
    row: list[Any] = []
    row.extend([row] * 10)
    pair: tuple[dict[str, Any], dict[str, Any]] = {}, {}
    pair[0]["other"], pair[1]["other"] = pair[1], pair[0]
    ring: list[Any] = [[] for _ in range(20)]
    for place, member in enumerate(ring):
        member.append(ring[(place + 1) % 20])
    link = Link()
    link.next = link
    node = Link({"up": None, "rows": [1, 2]})
    node.next["up"] = node
    space = types.SimpleNamespace()
    space.own = [space, space]
    derived = OrderedDict[str, Any]()
    derived["in"] = (derived,)
    return {"dict": alone, "dict many times": many, "list": row, "each other": pair[0], "ring": ring[0],
            "dataclass": link, "through a dict": node, "namespace": space, "derived": derived}  # fmt: skip


@pytest.mark.parametrize("name", in_itself())
def test_what_contains_itself_is_cut_where_it_closes(name: str) -> None:
    value = in_itself()[name]
    assert "<cycle>" in snapshot(value).decode()
    assert lines(value) < 5_000  # a value that is unrolled up to the limit takes a hundred thousand


def test_what_is_shared_is_shown_each_time() -> None:
    shared = {"n": [1, 2]}
    value = {"rows": [shared] * 200, "again": (shared, Link(shared), Link(shared))}
    assert json.loads(snapshot(value)) == {
        "rows": [shared] * 200, "again": [shared, {"next": shared}, {"next": shared}]
    }  # fmt: skip


def test_a_later_change_does_not_show_and_nothing_stays_alive() -> None:
    class Thing(list):
        pass

    thing = Thing(["before"])
    encoded = snapshot({"thing": thing, "more": [thing]})
    thing.append("after")
    assert b"after" not in encoded
    alive = weakref.ref(thing)
    del thing
    assert alive() is None


def test_nothing_is_consumed() -> None:
    numbers, file, letters = iter([1, 2]), Path(__file__).open(encoding="utf-8"), (c for c in "ab")  # noqa: SIM115 - what is open is what is tested
    snapshot({"numbers": numbers, "file": file, "letters": letters, "map": map(str, numbers)})
    with file:
        assert file.tell() == 0
    assert list(numbers) == [1, 2]
    assert list(letters) == ["a", "b"]


def test_a_hostile_metaclass() -> None:
    RAN.clear()
    shown = snapshot({"a": OfMeta(), "b": [OfMeta, OfMeta()], "c": {1: OfMeta()}})
    assert RAN == []
    assert json.loads(shown) == {"a": "<OfMeta>", "b": ["<class OfMeta>", "<OfMeta>"], "c": {"1": "<OfMeta>"}}


def test_short_texts_stay_whole_beside_a_long_one() -> None:
    shown = json.loads(snapshot({"system": "be brief", "document": "x" * 1_000_000, "question": "why?"}))
    assert (shown["system"], shown["question"]) == ("be brief", "why?")
    assert shown["document"].endswith(" chars]")


def test_values_that_change_meanwhile() -> None:
    shared: dict[str, Any] = {str(number): number for number in range(500)}
    stop = threading.Event()

    def change() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            shared[f"new{number % 700}"] = number
            shared.pop(f"new{(number + 350) % 700}", None)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(300):
            json.loads(snapshot({"shared": shared, "enum": HostileEnum.ONE}))
            json.loads(snapshot(shared))
    finally:
        stop.set()
        thread.join()


def test_close_to_the_recursion_limit() -> None:
    def down(levels: int) -> bytes:
        return snapshot({1: deep(30)}) if levels == 0 else down(levels - 1)

    depth = len([None for _ in iter_frames()])
    for left in (2, 5, 10, 20, 40):
        try:
            json.loads(down(sys.getrecursionlimit() - depth - left))
        except RecursionError:
            pass  # this test's own frames; what matters is that the interpreter lives and JSON is JSON


def iter_frames() -> Any:
    frame: Any = sys._getframe()
    while frame is not None:
        yield frame
        frame = frame.f_back
