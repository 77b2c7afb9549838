"""A plain step is completed in one pass: what leaves is, to the byte, what the usual way makes of the span."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags, TraceState

from agentops_sdk import semconv
from agentops_sdk._capture.call import Call
from agentops_sdk._pipeline.metric_store import MetricStore
from agentops_sdk._pipeline.queue import SpanQueue
from agentops_sdk._pipeline.span_metrics import SpanMetrics
from agentops_sdk._recorder.plain_step import PlainSteps
from agentops_sdk._recorder.readable_span import readable
from agentops_sdk._recorder.recorder import NO_STATE, LeanSpan, Recorder
from agentops_sdk._recorder.span_completion import Completer
from agentops_sdk.config import Settings
from agentops_sdk.exporters.otlp.span_encoding import encode
from agentops_sdk.traces.formats.finished_span import FinishedSpan, ProcessResource, ProcessScope
from agentops_sdk.traces.formats.from_otel import record_line
from agentops_sdk.traces.formats.wire_values import UNENCODABLE, encodable

SECRET = "sk-proj-" + "a1B2c3D4e5F6" * 4
WHO: Any = (ProcessResource({"service.name": "shop"}), ProcessScope("agentops_sdk", "0.1.0"))
CONTEXT = SpanContext(1, 2, False, TraceFlags(1), NO_STATE)


class Text(str):
    """A text that is not quite one."""

    __slots__ = ()


TEXTS: list[Any] = [
    "", "ok", '"ok"', "x" * 64, "x" * 65, '{"text": "' + "word " * 300 + '"}', "y" * 5_000, "ü" * 70, "\ud800",
    "\x00\x7f", 'quote " and \\ and \n', f"key {SECRET}", f'{{"api_key": "{SECRET}"}}', "password=hunter2hunter2",
    Text("ok"),
]  # fmt: skip
VALUES = [
    *TEXTS, True, 0, -1, 2**63 - 1, -(2**63), 2**63, 0.1, float("nan"), float("inf"), None, [], ["a", "b"], [SECRET],
    (1, 2), b"bytes", {"a": 1}, object(),
]  # fmt: skip
NAMES = [
    f"{semconv.METADATA_PREFIX}tenant", "api_key", "http.request.header.authorization", semconv.TOOL_NAME,
    semconv.SERVER_PORT, semconv.STREAM_CHUNKS, semconv.PRIVATE, semconv.TRUNCATED, semconv.USAGE_INPUT_TOKENS,
    semconv.USAGE_SOURCE, semconv.REQUEST_MODEL, semconv.REQUEST_SEED, semconv.COST_AMOUNT, semconv.DECISION_NAME,
    semconv.SESSION_ID, semconv.TAGS, semconv.USAGE_CACHE_WRITE, "ünd", Text("lang"), f"my.{SECRET}", 7,
]  # fmt: skip
LOOKED_AT = [  # settings by which every span is
    {"capture_content": False}, {"redact": False}, {"pii": ("email",)}, {"content_rules": ("off tenant=*",)},
    {"event_content": True, "capture_content": False}, {"vocabularies": ("openinference",)}, {"findings": True},
    {"attribute_count_limit": 3}, {"blobs": "files"},
]  # fmt: skip
PASSED = [{}, {"max_value_bytes": 1_024}, {"semconv": "main"}, {"redact_patterns": ("w[o]rd",)}, {"pricing": False}]


def a_span(pick: random.Random, recorder: Recorder) -> LeanSpan:
    attributes: dict[Any, Any] = {semconv.KIND: pick.choice([*semconv.KINDS, *["task"] * 9, "other"])}
    for name in pick.sample([semconv.INPUT, semconv.OUTPUT], pick.randint(0, 2)):
        attributes[name] = pick.choice(TEXTS if pick.random() < 0.8 else VALUES)
    if pick.random() < 0.1:
        attributes[semconv.OPERATION_NAME] = pick.choice(["execute_tool", "chat", "plan"])
    for name in pick.sample(NAMES, pick.choice([0, 0, 0, 0, 1, 2])):
        attributes[name] = pick.choice(VALUES)
    if pick.random() < 0.95:
        attributes[semconv.OUTCOME] = pick.choice([*semconv.OUTCOMES, "ok", "ok", "ok", "ok", "ok", "odd"])
    state = pick.choice([*[NO_STATE] * 8, TraceState(), TraceState([("a", "b")])])
    context = SpanContext(pick.getrandbits(127) + 1, pick.getrandbits(63) + 1, False, TraceFlags(1), state)
    parent = pick.choice([None, None, SpanContext(5, 6, False), SpanContext(5, 6, True)])
    name = pick.choice([*["step"] * 9, f"with {SECRET}", "ünd", Text("t"), "n" * 2_000, 'a "b"'])
    start = pick.choice([*[1_700_000_000_000_000_000] * 9, None, 0, 5, -3, 2**70])
    kind = pick.choice([SpanKind.INTERNAL] * 9 + [SpanKind.CLIENT])
    span = LeanSpan(recorder, name, kind, attributes, context, parent, (), start)
    if pick.random() < 0.05:
        span.add_event("hello", {"text": pick.choice(TEXTS)})
    if pick.random() < 0.05:
        span.add_link(SpanContext(1, 2, False), {"a": "b"})
    if pick.random() < 0.05:
        span.deferred = [lambda told: told.update(more="words")]
    span.finish(error=pick.random() < 0.05, message=pick.choice([None, "no", SECRET]))
    if pick.random() < 0.05:
        span.end_ns = pick.choice([0, span.start_ns, 2**64])
    return span


def usual(span: LeanSpan, completer: Completer) -> Any:
    return encodable(readable(span, completer, *WHO))


def written(make: Any, *arguments: Any) -> Any:
    try:
        return make(*arguments)
    except UNENCODABLE as error:
        return type(error)


@pytest.mark.parametrize("settings", [*PASSED, *LOOKED_AT], ids=str)
def test_one_pass_makes_what_the_usual_way_does(settings: dict[str, Any]) -> None:
    settled = Settings(**settings)
    recorder = Recorder(settled, SpanQueue(10_000, lambda batch: None))
    completer, other = Completer(settled), Completer(settled)
    steps = PlainSteps(completer, WHO)
    assert steps.usable is (settings in PASSED)
    pick = random.Random(7)
    taken = 0
    for number in range(600 if steps.usable else 10):
        if number % 50 == 0:
            for each in (completer, other):
                each.policy.keep_texts(on=number % 100 == 0)
        span = a_span(pick, recorder)
        twin = copy.copy(span)
        twin.attributes, twin.events = span.attributes.copy(), list(span.events)
        before = repr(span.attributes)
        done: Any = steps.take(span) if steps.usable else None
        if done is None:
            assert repr(span.attributes) == before
            done = usual(span, completer)
        else:
            taken += 1
            assert span.attributes == {}
        expected = usual(twin, other)
        assert written(record_line, done) == written(record_line, expected)
        assert written(lambda each: encode(each)[:2], done) == written(lambda each: encode(each)[:2], expected)
        shown = repr(written(record_line, done))
        assert SECRET not in shown or not settled.redact
    assert completer.policy.redactions == other.policy.redactions
    assert not steps.usable or taken > 30


def test_what_ended_steps_measure_is_counted_alike() -> None:
    """A slice of them is added up at once: the series are those that they make one by one."""
    settled = Settings()
    recorder = Recorder(settled, SpanQueue(10_000, lambda batch: None))
    steps = PlainSteps(Completer(settled), WHO)
    at_once, one_by_one = SpanMetrics(settled), SpanMetrics(settled)
    pick = random.Random(3)
    for _ in range(30):
        counted: dict[Any, int] = {}
        last: dict[Any, Any] = {}
        for _ in range(60):
            span = steps.take(a_span(pick, recorder))
            if span is None:
                continue
            one_by_one.add(span, kept=True)  # type: ignore[arg-type]  # one by its fields
            if span.form in at_once.steps and not at_once.below:
                counted[span.form] = counted.get(span.form, 0) + 1
                last[span.form] = span
            else:
                at_once.add(span, kept=True)  # type: ignore[arg-type]  # one by its fields
        at_once.add_steps(counted, last)
    figures = series(at_once.store)
    assert figures == series(one_by_one.store)
    assert sum(total for total, _ in figures.values()) > 100


def series(store: MetricStore) -> dict[Any, tuple[float, float]]:
    assert store.additions > 100
    return {
        (table.name, values): (each.total, each.recent_total)
        for table in store.tables
        for values, each in table.series.items()
    }


@pytest.mark.parametrize(
    ("given", "result", "is_plain"),
    [
        (["word " * 50] * 100, ["word " * 50] * 100, True),  # as it was given
        (["word " * 50] * 100, ["words " * 50] * 100, True),
        ([[0] * 90] * 130, ["word " * 50] * 100, False),  # too many members
        (["word " * 50] * 100, [[0] * 90] * 130, False),
    ],
)
def test_long_values_are_counted_as_the_usual_way_does(given: Any, result: Any, is_plain: bool) -> None:
    settled = Settings()
    recorder = Recorder(settled, SpanQueue(10_000, lambda batch: None))
    call = Call("task", LeanSpan(recorder, "step", SpanKind.INTERNAL, {semconv.KIND: "task"}, CONTEXT, None, (), None),
                Context())  # fmt: skip
    call.keep(semconv.INPUT, {"value": given})
    call.keep(semconv.OUTPUT, result)
    assert len(call.span.deferred) == 2
    call.finish()
    twin: Any = copy.copy(call.span)
    twin.attributes = twin.attributes.copy()
    expected = usual(twin, Completer(settled))
    assert (semconv.TRUNCATED in expected.attributes) is not is_plain
    span: Any = call.span
    done: Any = PlainSteps(Completer(settled), WHO).take(span)
    assert (done is not None) is is_plain
    if done is not None:
        assert record_line(done) == record_line(expected)
        assert not span.deferred


def test_texts_of_plain_steps_are_let_go() -> None:
    """Contexts outlive what ran in them: an ended span keeps its identity alone."""
    settled = Settings()
    recorder = Recorder(settled, SpanQueue(10_000, lambda batch: None))
    told = {semconv.KIND: "task", semconv.INPUT: "words " * 50, semconv.OUTCOME: "ok"}
    span = LeanSpan(recorder, "step", SpanKind.INTERNAL, told, CONTEXT, None, (), None)
    span.finish(error=False, message=None)
    done = PlainSteps(Completer(settled), WHO).take(span)
    assert type(done) is FinishedSpan
    assert done.attributes == told
    told[semconv.INPUT] = SECRET  # whoever still holds the span's own mapping changes nothing any more
    assert done.attributes[semconv.INPUT] == "words " * 50
    assert span.attributes == {}
