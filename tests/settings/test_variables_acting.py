"""OpenTelemetry's variables, seen at what a program sends: to a receiver, or to its console."""

from __future__ import annotations

import http.server
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import pytest
from opentelemetry import trace
from tests.export.collector import Collector

import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk.integration import start

pytestmark = pytest.mark.usefixtures("no_settings")

EXPORTERS = ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER")
OTLP = dict.fromkeys(EXPORTERS, "otlp")
SIGNALS = {"traces", "metrics", "logs"}


class Sent(NamedTuple):
    """What one run of the program below sent."""

    collector: Collector
    printed: str

    @property
    def signals(self) -> set[str]:
        return {signal for signal, _ in self.collector.received}

    @property
    def spans(self) -> dict[str, Any]:
        return {
            span.name: span
            for signal, request in self.collector.received
            if signal == "traces"
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        }

    @property
    def resources(self) -> list[dict[str, str]]:
        return [
            {pair.key: pair.value.string_value for pair in part.resource.attributes}
            for signal, request in self.collector.received
            for part in getattr(request, {"traces": "resource_spans", "metrics": "resource_metrics"}.get(
                signal, "resource_logs"))
        ]  # fmt: skip


def attributes(item: Any) -> dict[str, str]:
    return {pair.key: pair.value.string_value for pair in item.attributes}


def program() -> None:
    """A model call below a span that has an event and a link."""
    with agentops.span("work", text="abcdef"):
        current = trace.get_current_span()
        current.add_event("first", {"a": 1, "b": 2})
        current.add_event("second")
        current.add_link(current.get_span_context(), {"a": 1})
        start("llm", "m", attributes={semconv.REQUEST_MODEL: "m", semconv.PROVIDER_NAME: "openai"}).finish()


def everything(sent: Sent) -> None:
    assert sent.signals == SIGNALS
    assert set(sent.spans) == {"work", "chat m"}


def nothing(sent: Sent) -> None:
    assert (sent.signals, sent.printed) == (set(), "")


def printed(sent: Sent) -> None:
    assert sent.signals == set()
    for word in ("chat m", "gen_ai.client.operation.duration", semconv.DETAILS_EVENT):
        assert word in sent.printed


def described(sent: Sent) -> None:
    assert len(sent.resources) == 3
    assert all(one["service.name"] == "shop" and one["team.name"] == "blue sky" for one in sent.resources)


def without_spans(sent: Sent) -> None:
    assert sent.spans == {}


def limited(sent: Sent) -> None:
    work = sent.spans["work"]
    assert attributes(work)["text"] == "abc"
    assert (len(work.events), work.dropped_events_count) == (1, 1)
    assert (len(work.events[0].attributes), work.events[0].dropped_attributes_count) == (1, 1)
    assert (len(work.links), len(work.links[0].attributes)) == (1, 0)


def few_attributes(sent: Sent) -> None:
    assert len(sent.spans["work"].attributes) == 2
    assert sent.spans["work"].dropped_attributes_count > 0
    assert (len(sent.spans["work"].links), sent.spans["work"].dropped_links_count) == (0, 1)


def cut_short(sent: Sent) -> None:
    assert attributes(sent.spans["work"])["text"] == "abc"


def undetected(sent: Sent) -> None:
    assert len(sent.resources) == 3
    found = {name for one in sent.resources for name in one if name.startswith(("process.", "host."))}
    assert found <= {"process.pid"}  # which tells workers apart


def exemplars(sent: Sent) -> int:
    points = [
        point
        for signal, request in sent.collector.received
        if signal == "metrics"
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.histogram.data_points
    ]
    assert points
    return sum(len(point.exemplars) for point in points)


def with_examples(sent: Sent) -> None:
    assert exemplars(sent) > 0


def without_examples(sent: Sent) -> None:
    assert exemplars(sent) == 0


def newest(sent: Sent) -> None:
    assert "gen_ai.client.inference.duration" in {name for request in sent.collector.metrics() for name in request}


def one_span_each(sent: Sent) -> None:
    assert sent.collector.paths == ["/v1/traces"] * 2
    assert set(sent.spans) == {"work", "chat m"}


@pytest.mark.parametrize(
    ("environ", "seen"),
    [
        (OTLP, everything),
        (dict.fromkeys(EXPORTERS, "none"), nothing),
        (dict.fromkeys(EXPORTERS, "console"), printed),
        ({**OTLP, "OTEL_SDK_DISABLED": "true"}, nothing),
        ({**OTLP, "OTEL_SERVICE_NAME": "shop", "OTEL_RESOURCE_ATTRIBUTES": "team.name=blue%20sky"}, described),
        ({**OTLP, "OTEL_TRACES_SAMPLER": "always_off"}, without_spans),
        ({**OTLP, "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}, without_spans),
        ({**OTLP, "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1"}, everything),
        (
            {
                "OTEL_TRACES_EXPORTER": "otlp", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "3",
                "OTEL_SPAN_EVENT_COUNT_LIMIT": "1", "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": "1",
                "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT": "0",
            },
            limited,
        ),
        (
            {
                "OTEL_TRACES_EXPORTER": "otlp", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "2",
                "OTEL_SPAN_LINK_COUNT_LIMIT": "0",
            },
            few_attributes,
        ),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "3"}, cut_short),
        ({**OTLP, "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "none"}, undetected),
        ({**OTLP, "OTEL_METRICS_EXEMPLAR_FILTER": "trace_based"}, with_examples),
        ({**OTLP, "OTEL_METRICS_EXEMPLAR_FILTER": "always_off"}, without_examples),
        ({**OTLP, "OTEL_SEMCONV_STABILITY_OPT_IN": "http,gen_ai_latest_experimental"}, newest),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"}, one_span_each),
    ],
)  # fmt: skip
def test_what_a_program_sends_is_as_they_say(
    environ: dict[str, str], seen: Callable[[Sent], None], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    collector = Collector()
    for name, value in {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **environ}.items():
        monkeypatch.setenv(name, value)
    agentops.init(integrations=[])
    program()
    agentops.flush(20.0)
    agentops.shutdown()
    collector.close()
    seen(Sent(collector, "".join(capsys.readouterr())))


def test_spans_beyond_the_queue_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "20")
    collector = Collector()
    agentops.init(exporters=[f"otlp:{collector.url}"], integrations=[])
    for _ in range(5_000):
        with agentops.span("burst"):
            pass
    agentops.flush(20.0)
    dropped = agentops.status().spans["dropped"]
    agentops.shutdown()
    collector.close()
    arrived = sum(
        len(scope.spans)
        for _, request in collector.received
        for resource in request.resource_spans
        for scope in resource.scope_spans
    )
    assert dropped > 0
    assert arrived + dropped == 5_000


class Slow:
    """A server that answers every request a header at a time, for ever."""

    def __init__(self) -> None:
        outer = self
        self.over = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                with suppress(OSError):
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                    while not outer.over.wait(0.05):
                        self.wfile.write(b"x-more: more\r\n")

            def log_message(self, *_args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def slow() -> Iterator[Slow]:
    server = Slow()
    yield server
    agentops.shutdown(0.1)
    server.close()


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "0.2"}, ("0.2", "0.2", "0.2")),
        (
            {f"OTEL_EXPORTER_OTLP_{signal}_TIMEOUT": f"0.{number}" for number, signal in enumerate(
                ("TRACES", "METRICS", "LOGS"), 1)},
            ("0.1", "0.2", "0.3"),
        ),
        (
            {"OTEL_BSP_EXPORT_TIMEOUT": "100", "OTEL_METRIC_EXPORT_TIMEOUT": "200", "OTEL_BLRP_EXPORT_TIMEOUT": "300"},
            ("0.1", "0.2", "0.3"),
        ),
    ],
)  # fmt: skip
def test_a_request_is_given_up_when_they_say(
    environ: dict[str, str], seconds: tuple[str, str, str], slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"OTEL_EXPORTER_OTLP_ENDPOINT": slow.url, **OTLP, **environ}.items():
        monkeypatch.setenv(name, value)
    agentops.init(integrations=[])
    program()
    told: list[str | None] = [None]
    deadline = time.monotonic() + 60
    while not all(told) and time.monotonic() < deadline:
        agentops.flush(0.2)
        status = agentops.status()
        accounts = status.sinks["otlp"], status.signals["metrics otlp"], status.signals["events otlp"]
        told = [account.last_error for account in accounts]
    assert [str(one).rpartition("within ")[2] for one in told] == [f"{each} s" for each in seconds]


BATCHES = {"traces": "OTEL_BSP", "logs": "OTEL_BLRP"}


def requests_of(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, seconds_between: float = 0.0) -> Counter[str]:
    """How many requests of each signal the program sends that is run twice, and then asked to send all."""
    collector = Collector()
    for name, value in {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **OTLP, **environ}.items():
        monkeypatch.setenv(name, value)
    agentops.init(integrations=[])
    program()
    time.sleep(seconds_between)
    program()
    agentops.flush(20.0)
    agentops.shutdown()
    collector.close()
    return Counter(signal for signal, _ in collector.received)


def test_what_has_ended_waits_for_more_as_long_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not told, the first would go after a second, and the other apart from it."""
    waits = {f"{prefix}_SCHEDULE_DELAY": "600000" for prefix in BATCHES.values()}
    sent = requests_of(waits, monkeypatch, seconds_between=1.5)
    assert {signal: sent[signal] for signal in BATCHES} == dict.fromkeys(BATCHES, 1)


def test_one_request_has_as_much_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = requests_of({f"{prefix}_MAX_EXPORT_BATCH_SIZE": "1" for prefix in BATCHES.values()}, monkeypatch)
    assert {signal: sent[signal] for signal in BATCHES} == {"traces": 4, "logs": 2}


def test_all_signals_go_as_often_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks for it; not told, metrics would go after a minute."""
    often = {f"{prefix}_SCHEDULE_DELAY": "10" for prefix in BATCHES.values()} | {"OTEL_METRIC_EXPORT_INTERVAL": "50"}
    collector = Collector()
    for name, value in {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **OTLP, **often}.items():
        monkeypatch.setenv(name, value)
    agentops.init(integrations=[])
    program()
    deadline = time.monotonic() + 30
    while {signal for signal, _ in collector.received} != SIGNALS and time.monotonic() < deadline:
        time.sleep(0.02)
    sent = {signal for signal, _ in collector.received}
    agentops.shutdown()
    collector.close()
    assert sent == SIGNALS
