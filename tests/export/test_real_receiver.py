"""Against receivers that are not ours: every byte decoded by somebody else, every fault in between by TCP."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.export.parts import Agent, Proxy, free_port, part, receiving_agent, running
from tests.export.receiver import spans
from tests.waiting import until

import agentops_sdk as agentops
from agentops_sdk.exporters.otlp import OTLPExporter


@pytest.fixture(scope="module")
def agent() -> Iterator[Agent]:
    with receiving_agent() as one:
        yield one


@pytest.fixture(autouse=True)
def _fresh(agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    agent.clear()


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_spans_arrive_as_they_were(agent: Agent, compression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", agent.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
    agentops.init(integrations=[], service_name="shop")
    with agentops.span("outer", order=7), agentops.span("inner"):
        pass
    assert agentops.flush(10.0)
    found = {span["name"]: span for span in agent.spans()}
    assert set(found) == {"outer", "inner"}
    inner, outer = found["inner"], found["outer"]
    parent = inner.get("parent_span_id") or inner.get("parentSpanId")
    assert parent == (outer.get("span_id") or outer.get("spanId"))
    assert agentops.status().sinks["otlp"].exported == 2


@pytest.mark.parametrize("fault", ["refuse", "hang", "slow", "cut", 429, 503, 500, 401, 413, 400])
def test_a_fault_in_between_costs_nothing_and_loses_nothing(agent: Agent, fault: str | int, tmp_path: Path) -> None:
    from agentops_sdk.exporters.otlp.destination import Endpoint

    proxy = Proxy(agent.port)
    sink = OTLPExporter(Endpoint(url=proxy.url + "/v1/traces", timeout=1.0), directory=tmp_path / "spool")
    try:
        sink.export(spans(20))
        assert sink.force_flush(10_000)
        proxy.mode = fault
        started = time.perf_counter()
        for number in range(20, 100, 20):
            sink.export(spans(20, start=number))
        assert time.perf_counter() - started < 2.0
        sink.force_flush(3_000)
        proxy.mode = "pass"
        until(lambda: sink.force_flush(2_000))
        stats = sink.stats()
        lost = sum(stats["dropped"].values())
        assert stats["accepted"] == 100 == stats["exported"] + lost
        if fault in (400, 413):  # nothing else can be done with these: they are set aside, not thrown away
            aside = sum(len(path.read_bytes()) > 0 for path in (tmp_path / "spool").rglob("refused/*.seg"))
            assert bool(aside) == bool(lost)
        else:
            assert lost == 0
        assert set(agent.names()) >= {f"s{number}" for number in range(20)}
        assert len(set(agent.names())) == 100 - lost
    finally:
        sink.shutdown(0.5)
        proxy.close()


def test_kill_9_in_an_outage_and_a_restart_lose_nothing(agent: Agent, tmp_path: Path) -> None:
    proxy = Proxy(agent.port)
    proxy.mode = "refuse"
    program = """
import os, signal, sys, time
import agentops_sdk as agentops
agentops.init(integrations=[])
for number in range(int(sys.argv[1]), int(sys.argv[1]) + 300):
    with agentops.span(f"s{number}"):
        pass
from agentops_sdk._pipeline import process_runtime
process_runtime.current.queue.flush(30)
for sink in process_runtime.current.sinks:
    while sink.pending and not sink.stats().get("spooled_bytes"):
        time.sleep(0.01)
time.sleep(0.3)
os.kill(os.getpid(), signal.SIGKILL)
"""
    env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": proxy.url}
    for start in (0, 300):
        done = subprocess.run([sys.executable, "-c", program, str(start)], cwd=tmp_path, env=env, check=False)
        assert done.returncode == -9
    assert agent.names() == []
    proxy.mode = "pass"
    agentops.init(exporters=[f"otlp:{proxy.url}"], integrations=[])
    with agentops.span("after"):
        pass
    assert until(lambda: len(set(agent.names())) == 601)
    assert agentops.flush(10.0)
    status = agentops.status().sinks["otlp"]
    assert (status.exported, status.details["adopted"]["exported"]) == (1, 600)
    proxy.close()


def test_the_hop_through_a_real_collector(agent: Agent) -> None:
    program = part("rotel", "lib/python*/site-packages/rotel/rotel-agent")
    http, grpc = free_port(), free_port()
    command = [
        str(program), "start",
        "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}", "--otlp-http-endpoint", f"127.0.0.1:{http}",
        "--exporter", "otlp", "--otlp-exporter-endpoint", f"http://127.0.0.1:{agent.grpc}",
    ]  # fmt: skip
    with running(command, f"127.0.0.1:{http}"):
        agentops.init(exporters=[f"otlp:http://127.0.0.1:{http}"], integrations=[])
        for number in range(50):
            with agentops.span(f"s{number}"):
                pass
        assert agentops.flush(10.0)
        assert until(lambda: len(agent.names()) == 50)
