"""After init() data never raises: any value as any argument is kept, marked, told once, and leaves the building."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

import agentops_sdk as agentops
from agentops_sdk import prices
from agentops_sdk._capture import invalid_values
from agentops_sdk._host import guard
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.traces.formats.from_otel import record_line

RAN_ONLY_HERE = {"invalid.members", "invalid.pairs", "choice.name", "feedback.target", "extract", "inject"}
"""Where the program's own code has to run, because a collection of its own is asked for its members."""


def raising(*_: Any, **__: Any) -> Any:
    raise RuntimeError("a method of the program's")


METHODS = ("__repr__", "__str__", "__eq__", "__hash__", "__bool__", "__len__", "__iter__", "__format__", "__float__",
           "__int__", "__index__", "__getattr__", "__getitem__", "__contains__", "items", "keys", "get")  # fmt: skip

Hostile = type("Hostile", (), dict.fromkeys(METHODS, raising))
HostileCallable = type("HostileCallable", (), {**dict.fromkeys(METHODS, raising), "__call__": raising})
HostileMeta = type("HostileMeta", (type,), {"__eq__": raising, "__hash__": raising, "__getattribute__": raising})
Strange = HostileMeta("Strange", (), {})
_OVERRIDDEN = {name: raising for name in METHODS if name not in ("__hash__", "__eq__")}
HostileText = type("HostileText", (str,), {**_OVERRIDDEN, "__eq__": raising, "__hash__": raising})
HostileDict = type("HostileDict", (dict,), _OVERRIDDEN)
HostileList = type("HostileList", (list,), _OVERRIDDEN)
HostileFloat = type("HostileFloat", (float,), {**_OVERRIDDEN, "__le__": raising, "__ge__": raising})


def containing_itself(kind: type) -> Any:
    value = kind()
    value.update(again=value) if kind is dict else value.append(value)
    return value


def raising_generator() -> Iterator[Any]:
    yield "first"
    raise RuntimeError("a generator of the program's")


VALUES: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "object": object,
    "class": lambda: Hostile,
    "NaN": lambda: math.nan,
    "infinity": lambda: math.inf,
    "1.05": lambda: 1.05,
    "True": lambda: True,
    "10**400": lambda: 10**400,
    "10**5000": lambda: 10**5000,
    "-1": lambda: -1,
    "lone surrogate": lambda: "a\udc80b",
    "bytes": lambda: b"\xff\x00",
    "empty text": lambda: "",
    "text": lambda: "x",
    "huge text": lambda: "x" * 1_000_000,
    "dict in itself": lambda: containing_itself(dict),
    "list in itself": lambda: containing_itself(list),
    "odd keys": lambda: {1: 2, None: 3, ("a", 1): object(), "a\udc80": 10**400},
    "hostile": Hostile,
    "hostile callable": HostileCallable,
    "of a hostile metaclass": lambda: object.__new__(Strange),
    "hostile metaclass": lambda: Strange,
    "hostile text": lambda: HostileText("robot"),
    "hostile dict": lambda: HostileDict({"name": "x"}),
    "hostile list": lambda: HostileList(["x", Hostile()]),
    "hostile float": lambda: HostileFloat(7.5),
    "generator that raises": raising_generator,
    "list of odd things": lambda: [None, 1, "a\udc80", Hostile(), object()],
    "exception": lambda: ValueError(Hostile()),
}


def inside(work: Callable[[], Any]) -> None:
    with agentops.span("around", kind="agent"):
        work()


def chosen(**options: Any) -> None:
    with agentops.decision("route", options=["a", "b"]) as made:
        made.choose(**{"chosen": "a", **options})


def entered(manager: Any) -> None:
    with manager, agentops.span("inside"):
        pass


def tracked(**options: Any) -> Any:
    return agentops.track(**options)(lambda value: value)


def decorated(value: Any) -> None:
    agentops.tool(lambda argument: argument)(value)
    agentops.track(kind="decision", options=["a"])(lambda argument: argument)(value)
    agentops.guardrail(lambda argument: argument)(value)
    agentops.task(cost=lambda _: value)(lambda: None)()


def span_in(use: Callable[[agentops.Span], Any]) -> None:
    with agentops.span("span") as span:
        use(span)


CALLS: dict[str, Callable[[Any], Any]] = {
    "trace(name)": lambda value: entered(agentops.span(value)),
    "trace(kind)": lambda value: entered(agentops.span("x", kind=value)),
    "trace(attribute)": lambda value: entered(agentops.span("x", kind="tool", given=value)),
    "span.set(name)": lambda value: span_in(lambda span: span.set(value, 1)),
    "span.set(value)": lambda value: span_in(lambda span: span.set("given", value)),
    "span.update": lambda value: span_in(lambda span: span.update(value)),
    "span.update(keyword)": lambda value: span_in(lambda span: span.update(given=value)),
    "span.set_input": lambda value: span_in(lambda span: span.set_input(value)),
    "span.set_output": lambda value: span_in(lambda span: span.set_output(value)),
    "span.rename": lambda value: span_in(lambda span: span.rename(value)),
    "span.event(name)": lambda value: span_in(lambda span: span.event(value)),
    "span.event(attributes)": lambda value: span_in(lambda span: span.event("x", value)),
    "span.event(attribute)": lambda value: span_in(lambda span: span.event("x", {"given": value})),
    "span.link": lambda value: span_in(lambda span: span.link(value)),
    "span.link(attributes)": lambda value: span_in(lambda span: span.link(span, value)),
    "update_current_span(name)": lambda value: inside(lambda: agentops.update_current_span(name=value)),
    "update_current_span(input)": lambda value: inside(lambda: agentops.update_current_span(input=value)),
    "update_current_span(output)": lambda value: inside(lambda: agentops.update_current_span(output=value)),
    "update_current_span(tags)": lambda value: inside(lambda: agentops.update_current_span(tags=value)),
    "update_current_span(metadata)": lambda value: inside(lambda: agentops.update_current_span(metadata=value)),
    "update_current_span(attribute)": lambda value: inside(lambda: agentops.update_current_span(given=value)),
    "decision(name)": lambda value: entered(agentops.decision(value)),
    **{
        f"decision({argument})": lambda value, argument=argument: entered(agentops.decision("x", **{argument: value}))
        for argument in ("options", "inputs", "by", "by_name", "policy", "model", "prompt_fingerprint")
    },
    **{
        f"choose({argument})": lambda value, argument=argument: chosen(**{argument: value})
        for argument in ("chosen", "reason", "confidence", "evidence", "scores", "rejected", "by", "by_name", "policy")
    },
    **{
        f"decide({argument})": lambda value, argument=argument: agentops.decide(
            **{"name": "x", "chosen": "a", argument: value}
        )
        for argument in ("name", "chosen", "options", "confidence", "by")
    },
    **{
        f"feedback({argument})": lambda value, argument=argument: agentops.feedback(
            **{"name": "x", "value": 1, argument: value}
        )
        for argument in ("target", "name", "value", "comment")
    },
    "feedback(live)": lambda value: inside(lambda: agentops.feedback(name=value, value=value, comment=value)),
    **{
        f"context({argument})": lambda value, argument=argument: entered(agentops.context(**{argument: value}))
        for argument in ("session_id", "user_id", "conversation_id", "tags", "metadata", "given")
    },
    "handoff(to)": lambda value: inside(lambda: agentops.handoff(value)),
    "handoff(reason)": lambda value: inside(lambda: agentops.handoff("other", reason=value)),
    "extract": lambda value: entered(agentops.extract(value)),
    "extract(pair)": lambda value: entered(agentops.extract([value, (value, value), ("traceparent", value)])),
    "inject": lambda value: inside(lambda: agentops.inject(value)),
    "decorated": decorated,
    **{
        f"prices.cost({argument})": lambda value, argument=argument: prices.cost(**{"model": "gpt-4o", argument: value})
        for argument in ("model", "provider", "input_tokens", "web_searches", "service_tier", "at")
    },
    "flush": agentops.flush,
}


@pytest.fixture
def exporter() -> MemoryExporter:
    invalid_values._warned.clear()
    kept = MemoryExporter()
    agentops.init(exporters=[kept], integrations=[])
    return kept


@pytest.mark.guard_swallows
@pytest.mark.parametrize("call", CALLS)
def test_any_value_as_any_argument(call: str, exporter: MemoryExporter) -> None:
    for value in VALUES.values():
        CALLS[call](value())
    assert set(guard.errors) <= RAN_ONLY_HERE
    assert agentops.flush()
    spans = exporter.finished_spans()
    # A context that cannot be used still lets its block run.
    assert call.startswith(("prices", "flush")) or len(spans) >= len(VALUES)
    for span in spans:
        json.loads(record_line(span))
        encode_spans([span]).SerializeToString()


def only(exporter: MemoryExporter, name: str) -> dict[str, Any]:
    agentops.flush()
    (span,) = [span for span in exporter.finished_spans() if span.name == name]
    return dict(span.attributes)


def test_a_confidence_out_of_range_is_kept_and_marked(exporter: MemoryExporter, caplog: Any) -> None:
    for _ in range(3):
        assert agentops.decide("route", "a", confidence=1.05) == "a"
    agentops.flush()
    for span in exporter.finished_spans():
        assert span.attributes["agentops.decision.confidence"] == 1.05
        assert span.attributes["agentops.invalid"] == ["confidence"]
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.getMessage() for record in warnings] == [
        (
            "decision.choose(): confidence is 1.05, expected a number from 0 to 1. "
            "It was recorded as it is, and marked; this is logged once."
        )
    ]


def test_a_score_that_is_no_number_spoils_no_average(exporter: MemoryExporter) -> None:
    agentops.feedback("session-1", name="helpful", value=math.nan)
    found = only(exporter, "evaluate helpful")
    assert found["gen_ai.evaluation.score.label"] == "nan"
    assert "gen_ai.evaluation.score.value" not in found
    assert found["agentops.invalid"] == ["value"]


def test_tags_names_and_kinds_that_are_none(exporter: MemoryExporter) -> None:
    odd: Any = {"tags": "x", "metadata": [1]}
    with agentops.context(**odd), agentops.span("step", kind="robot"):
        agentops.handoff(None)  # type: ignore[arg-type]  # wrong on purpose
    found = only(exporter, "step")
    assert found["agentops.tags"] == ["x"]
    assert found["agentops.kind"] == "span"
    assert found["agentops.invalid"] == ["kind", "metadata", "tags", "to"]
    assert (found["agentops.invalid.kind"], found["agentops.invalid.metadata"]) == ("robot", "[1]")


def test_what_is_marked_shows_no_content_where_none_is_captured() -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[], capture_content=False)
    with agentops.span("step", kind="what the patient said"):
        pass
    assert only(exporter, "step")["agentops.invalid.kind"] == "<str>"


def test_what_is_as_documented_is_not_marked(exporter: MemoryExporter) -> None:
    with agentops.context(session_id="s", tags=["a"], metadata={"k": 1}), agentops.span("step", kind="tool") as span:
        span.set("n", 1)
        span.event("e", {"a": 1})
        agentops.decide("d", "a", options=("a", "b"), confidence=1, scores={"a": 0.1}, by="model")
        agentops.feedback(name="f", value=False)
    agentops.flush()
    for one in exporter.finished_spans():
        assert not [name for name in one.attributes if "invalid" in name]


def test_where_it_is_written_down_it_is_told_at_once() -> None:
    for options in ({"kind": "robot"}, {"options": 3}, {"cost": -1}, {"cost": 10**400}, {"ignore": "x"}):
        with pytest.raises(agentops.ConfigError):
            agentops.track(**options)
    with pytest.raises(agentops.ConfigError):
        agentops.init(sample_ratio="often")
