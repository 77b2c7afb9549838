"""OpenTelemetry's own variables: what each does, and that a bad value is told once and then as if it were not set."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import agentops_sdk as agentops
from agentops_sdk import config
from agentops_sdk._propagation import propagators

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


pytestmark = pytest.mark.usefixtures("no_settings")


def start(monkeypatch: pytest.MonkeyPatch, **environ: str) -> InMemorySpanExporter:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    memory = InMemorySpanExporter()
    agentops.init(exporters=[memory], integrations=[])
    return memory


def ended(memory: InMemorySpanExporter) -> list[Any]:
    agentops.flush()
    return list(memory.get_finished_spans())


def test_limits_of_a_span_are_kept_and_what_goes_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = start(
        monkeypatch,
        OTEL_ATTRIBUTE_COUNT_LIMIT="2",
        OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT="5",
        OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT="4",
        OTEL_SPAN_EVENT_COUNT_LIMIT="1",
        OTEL_SPAN_LINK_COUNT_LIMIT="0",
    )
    with agentops.span("work", kind="task", long="abcdefgh", words=["abcdefgh", "b"], c=3, d=4):
        current = trace.get_current_span()
        current.add_event("first", {"a": 1, "b": 2, "c": 3})
        current.add_event("second")
        current.add_link(trace.SpanContext(int(TRACE, 16), int(SPAN, 16), False))
    (span,) = ended(memory)
    assert len(span.attributes) == 5
    assert span.attributes["agentops.kind"] == "task"
    assert span.attributes["long"] == "abcd"
    assert list(span.attributes["words"]) == ["abcd", "b"]
    assert span.dropped_attributes >= 1
    assert [(event.name, dict(event.attributes)) for event in span.events] == [("first", {"a": 1, "b": 2})]
    assert (span.dropped_events, span.events[0].dropped_attributes) == (1, 1)
    assert (len(span.links), span.dropped_links) == (0, 1)


@pytest.mark.parametrize(
    ("sampler", "upstream", "kept"),
    [
        ("always_on", "00", 1),
        ("parentbased_always_on", "00", 0),
        ("always_off", "01", 0),
        ("parentbased_always_off", "01", 1),
        ("always_on", "", 1),
        ("always_off", "", 0),
    ],
)
def test_samplers_decide_as_they_are_named(
    monkeypatch: pytest.MonkeyPatch, sampler: str, upstream: str, kept: int
) -> None:
    memory = start(monkeypatch, OTEL_TRACES_SAMPLER=sampler)
    with agentops.extract({"traceparent": f"00-{TRACE}-{SPAN}-{upstream}"} if upstream else {}):
        if sampler == "always_off":  # off is off, for what fails as well
            with pytest.raises(ZeroDivisionError), agentops.span("failed"):
                raise ZeroDivisionError
        with agentops.span("fine"), agentops.span("inner"):
            pass
    assert [span.name for span in ended(memory)] == (["inner", "fine"] if kept else [])


def test_headers_are_those_of_the_propagators(monkeypatch: pytest.MonkeyPatch) -> None:
    start(monkeypatch, OTEL_PROPAGATORS="baggage")
    with agentops.context(session_id="s1"), agentops.span("work"):
        assert agentops.inject({}) == {"baggage": "session.id=s1"}
    with agentops.extract({"traceparent": f"00-{TRACE}-{SPAN}-01"}):
        assert not trace.get_current_span().get_span_context().is_valid
    agentops.shutdown()
    start(monkeypatch, OTEL_PROPAGATORS="none")
    with agentops.context(session_id="s1"), agentops.span("work"):
        assert agentops.inject({}) == {}
    agentops.shutdown()
    assert set(propagators.fields()) == {"traceparent", "tracestate", "baggage"}


def test_a_propagator_of_somebody_else_is_used_where_it_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "x_ray.py").write_text(
        """
from opentelemetry import trace
from opentelemetry.propagators.textmap import TextMapPropagator, default_getter, default_setter
class Propagator(TextMapPropagator):
    fields = {"X-Ray-Id"}
    def inject(self, carrier, context=None, setter=default_setter):
        span = trace.get_current_span(context).get_span_context()
        setter.set(carrier, "X-Ray-Id", f"{span.trace_id:032x}/{span.span_id:016x}")
    def extract(self, carrier, context=None, getter=default_getter):
        known = getter.get(carrier, "X-Ray-Id")
        if not known:
            return context
        ids = [int(part, 16) for part in known[0].split("/")]
        span = trace.SpanContext(*ids, True, trace.TraceFlags(1))
        return trace.set_span_in_context(trace.NonRecordingSpan(span), context)
"""
    )
    info = tmp_path / "x_ray-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: x-ray\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[opentelemetry_propagator]\nx_ray = x_ray:Propagator\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        memory = start(monkeypatch, OTEL_PROPAGATORS="x_ray,nobodys")
    told = ["OTEL_PROPAGATORS: propagators is 'nobodys'"]
    assert [str(each.message).partition(";")[0] for each in caught] == told
    with agentops.extract({"HTTP_X_RAY_ID": f"{TRACE}/{SPAN}"}), agentops.span("work"):
        headers = agentops.inject({})
    (span,) = ended(memory)
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == SPAN
    assert headers == {"X-Ray-Id": f"{TRACE}/{span.context.span_id:016x}"}


@pytest.mark.parametrize(
    ("variable", "value", "setting", "default"),
    [
        ("OTEL_SDK_DISABLED", "maybe", "enabled", True),
        ("OTEL_TRACES_SAMPLER", "sometimes", "sample_ratio", 1.0),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "-1", "event_count_limit", None),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many", "queue_size", 10_000),
        ("OTEL_PYTHON_LOG_CORRELATION", "perhaps", "log_correlation", False),
    ],
)
def test_a_bad_value_is_told_once_and_is_as_if_it_were_not_set(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, setting: str, default: Any
) -> None:
    monkeypatch.setenv(variable, value)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        settings = config.resolve({})
        config.resolve({})
    assert getattr(settings, setting) == default
    assert [variable in str(each.message) and value in str(each.message) for each in caught] == [True]


def test_a_samplers_bad_argument_is_told_and_everything_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "7")
    with pytest.warns(UserWarning, match="OTEL_TRACES_SAMPLER_ARG is '7'"):
        assert config.resolve({}).sample_ratio == 1.0
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.25")
    assert config.resolve({}).sample_ratio == 0.25
