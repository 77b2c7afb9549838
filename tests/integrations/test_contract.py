"""The contract that every integration keeps, ours and other people's: a new one gets all of this by existing.

What a library's client is like is said by ``tests/NAME/contract.py``; see ``tests/integrations/driver.py``.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.spans import STATES
from tests.integrations import own
from tests.integrations import seams as watching
from tests.integrations.driver import Driver, driver_of, installed
from tests.integrations.seams import OtherSDK, Seam
from tests.integrations.traffic import (
    ASYNC,
    HANGS,
    STREAMS,
    WAYS,
    Seen,
    Spans,
    answering,
    cancelled,
    each_way,
    everything,
    request,
    ways,
)
from tests.wire.http import Wire

import agentops_sdk as agentops
from agentops_sdk._pipeline.registry import find_integrations
from agentops_sdk.integration import BoundedMap, Integration, Patches

ROOT = Path(__file__).parents[2]
NAMES = sorted({*find_integrations(), *own.NAMES})
_LONG = (pytest.mark.slow, pytest.mark.long)

# Clients leave sockets to the collector where a stream is left or a call is cancelled.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*unclosed <socket:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Pydantic serializer:UserWarning"),
]


def _lacking(name: str) -> str | None:
    """What the tests of an integration need and is not installed."""
    with suppress(LookupError):  # where it has no driver its tests say so
        if name not in own.NAMES:
            needed = (find_integrations()[name].target, *driver_of(name).needs)
            return next(itertools.filterfalse(installed, needed), None)
    return None


LACKING = {name: lacking for name in NAMES if (lacking := _lacking(name))}
HERE = [name for name in NAMES if name not in LACKING]
"""The tests are made for these alone: in most environments a thousand others would be skipped, one by one."""


def _params() -> Iterator[Any]:
    """Each integration, with the warnings of its library: pytest reads marks before it sets a test's fixtures up."""
    for name in HERE:
        with suppress(LookupError):  # its tests say what is missing
            yield pytest.param(name, marks=[*map(pytest.mark.filterwarnings, driver_of(name).warnings)])
            continue
        yield name


@pytest.fixture(params=_params())
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The integration under test."""
    if request.param in own.NAMES:
        paths = own.paths(tmp_path)
        for path in paths:
            monkeypatch.syspath_prepend(path)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    return str(request.param)


@pytest.fixture
def driver(name: str) -> Iterator[Driver]:
    found = _driver(name)
    watching.load(found)
    gc.freeze()  # a dozen clients are loaded, and each collection of a test would look through them
    yield found
    agentops.shutdown()
    gc.collect()
    gc.unfreeze()


@pytest.fixture
def wire(driver: Driver) -> Iterator[Wire]:
    with Wire(driver.answer) as server:
        yield server


@pytest.fixture
def usual(driver: Driver, wire: Wire) -> dict[str, Seen]:
    """What the program sees without us."""
    return each_way(driver, wire)


def _driver(name: str) -> Driver:
    try:
        return driver_of(name)
    except LookupError as error:
        pytest.fail(str(error), pytrace=False)


def _program(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.integrations.programs", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]


def _original(seams: list[Seam]) -> list[Any]:
    return [seam.now() for seam in seams]


def _seams(name: str, driver: Driver) -> list[Seam]:
    """What the integration wraps at its start."""
    with watching.watched(name) as seams:
        Spans(name)
    agentops.shutdown()
    if not seams:
        pytest.skip("the integration wraps nothing: the library has hooks for it")
    return seams


def _recorded(usual: dict[str, Seen]) -> Counter[str]:
    """How the calls of :func:`everything` end."""
    ends: Counter[str] = Counter()
    for how in usual:
        ends["abandoned" if "left" in how else "error" if "refused" in how else "ok"] += 1
    return ends


# --- one call -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LACKING)
def test_its_library_is_here(name: str) -> None:
    pytest.skip(f"{LACKING[name]} is not installed")


@pytest.mark.parametrize("name", NAMES, indirect=True)
def test_it_is_an_integration(name: str) -> None:
    integration = find_integrations()[name]
    assert isinstance(integration, Integration)
    assert integration.name == name
    assert any(clause.strip().startswith(">=") for clause in integration.requires.split(","))
    assert any(clause.strip().startswith("<") for clause in integration.requires.split(",")), "no upper bound"


@pytest.mark.parametrize("way", WAYS)
def test_one_call_is_one_span(name: str, driver: Driver, wire: Wire, way: str) -> None:
    """The caller gets what it gets without us, type and content, and its arguments are as they were."""
    if way in driver.lacks:
        pytest.skip(driver.lacks[way])
    expected = request(driver, wire, way)
    assert expected.error is None, expected
    spans = Spans(name, semconv=STATES[WAYS.index(way) % 2])
    assert request(driver, wire, way) == expected
    (span,) = spans.take()
    assert (span.name, span.attributes["agentops.outcome"]) == (driver.span, "ok")
    if "db.system.name" in span.attributes:  # models' clients have tests of their own
        assert span.attributes["server.address"] == "127.0.0.1"
        assert span.attributes["server.port"] > 0
    assert agentops.status().spans["open"] == 0


@pytest.mark.parametrize("way", WAYS)
def test_an_error_is_the_callers_and_the_spans(name: str, driver: Driver, wire: Wire, way: str) -> None:
    if way in driver.lacks:
        pytest.skip(driver.lacks[way])
    with answering(wire, driver.refusal):
        expected = request(driver, wire, way)
        assert expected.error is not None, "the driver's refusal makes the client raise nothing"
        spans = Spans(name, semconv=STATES[1 - WAYS.index(way) % 2])
        assert request(driver, wire, way) == expected
    (span,) = spans.take()
    assert (span.name, span.attributes["agentops.outcome"]) == (driver.span, "error")
    error_type = driver.error_type or expected.error[0].rpartition(".")[2]
    assert span.attributes["error.type"].rpartition(".")[2] == error_type


def test_a_limit_stops_the_next_call(name: str, driver: Driver, wire: Wire) -> None:
    """It never reaches the server, in whichever way it is made, and its caller is told by the exception."""
    spans = Spans(name)
    if not driver.span.startswith(("chat ", "generate_content ", "text_completion ")):
        pytest.skip("what its driver does is no call of a model")
    for way in ways(driver):
        with agentops.limits(model_calls=1, tokens=10**9):
            assert request(driver, wire, way).error is None
            asked = len(wire.requests)
            error = request(driver, wire, way).error
        assert error is not None, way
        assert error[0].endswith("LimitExceeded"), (way, error)
        assert len(wire.requests) == asked, way
        allowed, refused = spans.take()
        assert (allowed.name, refused.name) == (driver.span, driver.span)
        assert (refused.attributes["agentops.outcome"], refused.attributes["agentops.limit.action"]) == (
            "error", "refused",
        )  # fmt: skip


@pytest.mark.parametrize("way", STREAMS)
def test_a_stream_that_passes_a_limit_is_cut(name: str, driver: Driver, wire: Wire, way: str) -> None:
    """Its reader is told by the exception, and the span that we cut it: not that the vendor failed."""
    if way in driver.lacks:
        pytest.skip(driver.lacks[way])
    if not driver.span.startswith(("chat ", "generate_content ", "text_completion ")):
        pytest.skip("what its driver does is no call of a model")
    if driver.uncut:
        pytest.skip(driver.uncut)
    spans = Spans(name)
    with agentops.limits(tokens=1, on_stream="cut"):
        error = request(driver, wire, way).error
    assert error is not None, "read to its end"
    assert error[0].endswith("LimitExceeded")
    (span,) = spans.take()
    assert (span.attributes["agentops.outcome"], span.attributes["agentops.limit.action"]) == ("error", "cut")
    assert agentops.status().spans["open"] == 0


@pytest.mark.parametrize("way", STREAMS)
def test_a_stream_left_early_is_abandoned(name: str, driver: Driver, wire: Wire, way: str) -> None:
    if way in driver.lacks:
        pytest.skip(driver.lacks[way])
    expected = request(driver, wire, way, pieces=1)
    spans = Spans(name)
    assert request(driver, wire, way, pieces=1) == expected
    gc.collect()
    assert spans.outcomes(driver) == ["abandoned"]
    assert agentops.status().spans["open"] == 0


@pytest.mark.parametrize("way", ASYNC)
async def test_a_cancelled_call_is_cancelled(name: str, driver: Driver, wire: Wire, way: str) -> None:
    if way in driver.lacks:
        pytest.skip(driver.lacks[way])
    spans = Spans(name)
    with answering(wire, HANGS):
        await cancelled(driver, wire, way)
    assert spans.outcomes(driver) == ["cancelled"]
    assert agentops.status().spans["open"] == 0


def test_an_operation_around_a_call_is_its_parent(name: str, driver: Driver, wire: Wire) -> None:
    spans = Spans(name)
    for way in ways(driver):
        with agentops.span("outer"):
            request(driver, wire, way)
        outer, inner = sorted(spans.take(), key=lambda span: span.name != "outer")
        assert inner.name == driver.span
        assert inner.parent is not None
        assert inner.parent.span_id == outer.context.span_id


def test_calls_at_once_do_not_mix(name: str, driver: Driver, wire: Wire) -> None:
    spans = Spans(name, semconv="main")
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for way in ways(driver):
                assert request(driver, wire, way).error is None
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert spans.outcomes(driver) == ["ok"] * 4 * len(ways(driver))


# --- install and undo -----------------------------------------------------------------------------------


def _here() -> list[str]:
    """The integrations of this distribution whose libraries are installed."""
    drivers = {name: driver_of(name) for name in NAMES if name not in own.NAMES}
    return [
        name
        for name, driver in drivers.items()
        if all(map(installed, (find_integrations()[name].target, *driver.needs, *driver.packages)))
    ]


def test_no_library_is_imported_by_us() -> None:
    _program("imports_nothing", *_here())


def test_every_attribute_is_the_original_after_shutdown(name: str) -> None:
    _driver(name)
    _program("undo", name)


def _orders() -> list[tuple[str, ...]]:
    """Every order of ``init``, the import of the library, and the import of another one, which may be left out."""
    steps = itertools.chain(itertools.permutations(("init", "it")), itertools.permutations(("init", "it", "other")))
    return list(steps)


@pytest.mark.parametrize("first", ["init", "libraries"])
def test_the_order_of_imports_does_not_matter(first: str) -> None:
    steps = ["init", *_here()] if first == "init" else [*_here(), "init"]
    _program("import_order", *steps)


@pytest.mark.parametrize("order", [pytest.param(order, marks=_LONG, id="-".join(order)) for order in _orders()])
def test_the_order_of_some_imports_does_not_matter(name: str, order: tuple[str, ...]) -> None:
    _driver(name)
    names = {"init": "init", "it": name}
    if "other" in order:
        names["other"] = _neighbour(name)
    _program("import_order", *(names[step] for step in order))


def _neighbour(name: str) -> str:
    """The next integration whose library is here."""
    after = NAMES[NAMES.index(name) + 1 :] + NAMES[: NAMES.index(name)]
    for other in after:
        if other not in own.NAMES and (ROOT / "tests" / other / "contract.py").is_file():
            target = find_integrations()[other].target
            if all(map(installed, (target, *driver_of(other).packages))):
                return other
    pytest.skip("no other integration's library is installed")


def test_a_second_init_changes_nothing(name: str, driver: Driver, wire: Wire) -> None:
    usual = everything(driver, wire)
    with watching.watched(name) as seams:
        Spans(name)
    before = _original(seams)
    spans = Spans(name)
    assert all(now is then for now, then in zip(_original(seams), before, strict=True)), "wrapped twice"
    assert everything(driver, wire) == usual
    assert Counter(spans.outcomes(driver)) == _recorded(usual)
    agentops.shutdown()
    agentops.shutdown()
    assert everything(driver, wire) == usual
    assert spans.exporter.finished_spans() == ()


@pytest.mark.guard_swallows
def test_a_failed_install_leaves_nothing(name: str, driver: Driver, wire: Wire, usual: dict[str, Seen]) -> None:
    """Whichever of its patches fails: the library is whole again, its caller sees nothing, and status() tells."""
    seams = _seams(name, driver)
    originals = _original(seams)
    agentops.init(integrations=[], exporters=["memory"])
    layers = [seam.layers() for seam in seams]  # the SDK itself keeps some clients from telling vendors too much
    agentops.shutdown()
    for number, seam in enumerate(seams):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Patches, "wrap", _failing(name, number))
            spans = Spans(name)
        told = agentops.status().integrations[name]
        assert told.state == "failed" or "(LookupError)" in str(told.reason), (str(seam), told)
        if told.state == "failed":
            assert [each.layers() for each in seams] == layers, str(seam)
        assert each_way(driver, wire) == usual, str(seam)
        spans.take()
        agentops.shutdown()
        assert all(now is then for now, then in zip(_original(seams), originals, strict=True)), str(seam)


def _failing(integration: str, number: int) -> Any:
    """``Patches.wrap`` that raises at the integration's call of this number."""
    wrap, calls = Patches.wrap, itertools.count()

    def failing(self: Patches, owner: Any, name: str, wrapper: Any) -> None:
        if watching.is_of(self, integration) and hasattr(owner, name) and next(calls) == number:
            raise LookupError("a part of the library looks different")
        wrap(self, owner, name, wrapper)

    return failing


def test_a_missing_seam_is_told_and_the_rest_works(
    name: str, driver: Driver, wire: Wire, usual: dict[str, Seen]
) -> None:
    seams = _seams(name, driver)
    originals = _original(seams)
    recorded = 0
    for seam in seams:
        with watching.missing(seam):
            spans = Spans(name)
        told = agentops.status().integrations[name]
        assert told.state in ("patched", "version untested"), (str(seam), told)
        if not any(fnmatch(str(seam), pattern) for pattern in driver.optional):
            assert str(seam) in (told.reason or "") or told.state == "version untested", (str(seam), told)
        assert each_way(driver, wire) == usual, str(seam)
        recorded += bool(spans.outcomes(driver))
        agentops.shutdown()
        assert all(now is then for now, then in zip(_original(seams), originals, strict=True)), str(seam)
    assert recorded or len({seam.name for seam in seams}) == 1, "whichever seam is missing, nothing is recorded"


# --- other SDKs -----------------------------------------------------------------------------------------


def _other_sdks() -> Iterator[Any]:
    """How another SDK wraps, when it goes and where it stands; each two of them meet in what runs at every change."""
    quick = {
        ("wrapt", "first", "below"), ("function", "first", "above"), ("function", "last", "below"),
        ("wrapt", "last", "above"), ("wrapt", "never", "below"), ("function", "never", "above"),
    }  # fmt: skip
    for case in itertools.product(("wrapt", "function"), ("first", "last", "never"), ("below", "above")):
        yield pytest.param(*case, id="-".join(case), marks=() if case in quick else _LONG)


@pytest.mark.parametrize(("kind", "removed", "installed"), list(_other_sdks()))
def test_another_sdk_on_the_same_methods(
    name: str, driver: Driver, wire: Wire, usual: dict[str, Seen], kind: str, removed: str, installed: str
) -> None:
    """Below us or above us, and gone before us or after us: both see each call once, its caller sees neither."""
    seams = _seams(name, driver)
    originals = _original(seams)
    other = OtherSDK(kind)
    try:
        if installed == "below":
            other.install(seams)
        spans = Spans(name)
        if installed == "above":
            other.install(seams)
        assert each_way(driver, wire) == usual
        assert Counter(spans.outcomes(driver)) == _recorded(usual)
        assert other.calls or (driver.replaces and installed == "below"), "the other SDK sees nothing any more"
        if removed == "first":
            other.remove()
            assert each_way(driver, wire) == usual
            if installed == "above":
                assert Counter(spans.outcomes(driver)) == _recorded(usual)
            spans.take()
        agentops.shutdown()
        calls = other.calls
        assert each_way(driver, wire) == usual
        assert removed == "first" or other.calls > calls, "our leaving took the other SDK along"
        if removed == "last":
            other.remove()
            assert each_way(driver, wire) == usual
        # A new start records each call once, whatever was left behind.
        again = Spans(name)
        assert each_way(driver, wire) == usual
        assert Counter(again.outcomes(driver)) == _recorded(usual)
        agentops.shutdown()
        other.remove()
        assert each_way(driver, wire) == usual
        assert spans.exporter.finished_spans() == ()
    finally:
        agentops.shutdown()
        for seam, original in zip(seams, originals, strict=True):
            _put_back(seam, original)


def _put_back(seam: Seam, original: Any) -> None:
    if seam.now() is original:
        return
    if original is watching._NONE:
        delattr(seam.owner, seam.name)
    else:
        setattr(seam.owner, seam.name, original)


# --- nothing grows ----------------------------------------------------------------------------------------


_DOORS = ("anthropic",)
"""On these the calls are many with each change, and on all before a release."""


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        *((name, 400) for name in HERE),
        *(pytest.param(name, 4_000, marks=pytest.mark.slow) for name in _DOORS if name in HERE),
        *(pytest.param(name, 10_000, marks=_LONG) for name in HERE),
    ],
    indirect=["name"],
)
def test_nothing_of_ours_grows_with_the_calls(name: str, driver: Driver, wire: Wire, calls: int) -> None:
    """Objects of our classes, and what our modules hold: as many after all calls as after the first ones."""
    if not ways(driver):
        pytest.skip(driver.lacks["call"])
    spans = Spans(name)
    _many(driver, wire, spans, calls // 4)
    before = _ours()
    _many(driver, wire, spans, calls - calls // 4)
    growth = _ours() - before
    print(f"{name}: {before.total():,} objects and entries after {calls // 4:,} calls; more by {calls:,}: {growth}")
    # What is bounded may fill up: a cache of the endpoints, a map of the last thousand.
    assert all(count < calls // 8 for count in growth.values()), growth
    assert growth.total() < calls // 4, growth


_ROUND = (("call", False, False), ("call", False, True), ("stream", False, False), ("stream", True, False))
"""Whole replies, refusals, streams, and streams that are left."""


def _many(driver: Driver, wire: Wire, spans: Spans, calls: int) -> None:
    """Rounds of each kind of call that the library has, on one client; asynchronous ones where it has no others."""
    if kinds := [kind for kind in _ROUND if kind[0] not in driver.lacks]:
        with driver.client(wire.url) as client:
            for _ in _rounds(wire, spans, calls, len(kinds)):
                for way, left, refused in kinds:
                    _once(driver, wire, client, way, left=left, refused=refused)
    else:
        asyncio.run(_many_async(driver, wire, spans, calls))
    spans.take()
    gc.collect()


async def _many_async(driver: Driver, wire: Wire, spans: Spans, calls: int) -> None:
    kinds = [kind for kind in _ROUND if f"{kind[0]}_async" not in driver.lacks]
    async with driver.async_client(wire.url) as client:
        for _ in _rounds(wire, spans, calls, len(kinds)):
            for way, left, refused in kinds:
                await _once_async(driver, wire, client, way, left=left, refused=refused)


def _rounds(wire: Wire, spans: Spans, calls: int, each: int) -> Iterator[int]:
    for made in range(0, calls, each):
        yield made
        wire.requests.clear()
        if made % 100 < each:
            spans.take()


def _once(driver: Driver, wire: Wire, client: Any, way: str, *, left: bool, refused: bool) -> None:
    if refused:
        with answering(wire, driver.refusal), pytest.raises(Exception):  # noqa: B017 - the client's
            driver.call(client, driver.arguments())
    elif way == "call":
        driver.call(client, driver.arguments())
    else:
        with driver.stream(client, driver.arguments()) as stream:
            for _ in stream:
                if left:
                    break


async def _once_async(driver: Driver, wire: Wire, client: Any, way: str, *, left: bool, refused: bool) -> None:
    if refused:
        with answering(wire, driver.refusal), pytest.raises(Exception):  # noqa: B017 - the client's
            await driver.call_async(client, driver.arguments())
    elif way == "call":
        await driver.call_async(client, driver.arguments())
    else:
        async with driver.stream_async(client, driver.arguments()) as stream:
            async for _ in stream:
                if left:
                    break


def _ours() -> Counter[str]:
    """Objects of our classes by class, and entries of the containers in our modules by name."""
    counts: Counter[str] = Counter()
    for each in gc.get_objects():
        cls = type(each)
        if str(getattr(cls, "__module__", "")).startswith("agentops_"):
            counts[f"{cls.__module__}.{cls.__qualname__}"] += 1
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("agentops_"):
            for name, value in list(vars(module).items()):
                if isinstance(value, dict | list | set | deque | BoundedMap) and not name.startswith("__"):
                    counts[f"{module_name}.{name}"] += len(value)
    return counts
