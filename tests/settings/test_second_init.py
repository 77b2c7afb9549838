"""A further init() changes what it names and keeps the rest; nothing that was private is loosened by silence."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk import config
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.testing import capture


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "_warned", set())


@agentops.tool
def look_up(word: str) -> str:
    return word.upper()


def value(name: str) -> Any:
    return agentops.status().settings[name].value


def contents(memory: MemoryExporter) -> str:
    agentops.flush()
    return "".join(str(dict(span.attributes or {})) for span in memory.finished_spans())


@pytest.mark.parametrize("again", [{}, {"capture_content": None}, {"exporters": None, "sample_ratio": None}])
def test_a_bare_call_changes_nothing_and_says_so_once(again: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    memory = MemoryExporter()
    before = agentops.init(
        capture_content=False,
        exporters=[memory],
        sample_ratio=0.5,
        keep_errors=False,
        service_name="shop",
        integrations=[],
    ).settings
    running = agentops.status()
    for _ in range(3):
        after = agentops.init(**again)
    assert after.settings == before
    assert after.uptime >= running.uptime
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if "init() was called again: it changes nothing" in line]) == 1
    assert not Path(".agentops").exists()


def test_keywords_change_what_they_name_and_the_rest_stays(caplog: pytest.LogCaptureFixture) -> None:
    first, second = MemoryExporter(), MemoryExporter()
    agentops.init(capture_content=False, exporters=[first], redact_patterns=["ACME-\\d+"], integrations=[])
    look_up("kept-private")
    agentops.init(exporters=[first, second], service_name="shop", resource_attributes={"team": "a"})
    look_up("still-private")
    agentops.init(resource_attributes={"zone": "b"}, redact_patterns=["ID-\\d+"])
    assert "private" not in contents(first).lower()
    assert len(first.finished_spans()) == 2
    assert len(second.finished_spans()) == 1
    assert (value("capture_content"), value("service_name")) == (False, "shop")
    assert value("resource_attributes") == {"team": "a", "zone": "b"}
    assert value("redact_patterns") == ["ACME-\\d+", "ID-\\d+"]
    lines = [record.getMessage() for record in caplog.records if "called again" in record.getMessage()]
    assert len(lines) == 2
    assert "changes exporters, service_name, resource_attributes and nothing else" in lines[0]


def test_settings_that_are_not_live_change_without_ending_what_is_open(tmp_path: Path) -> None:
    agentops.init(directory="one", integrations=[], capture_content=False)
    with agentops.span("outer"):
        agentops.init(
            directory="two", queue_size=5, max_value_bytes=1000, redact_patterns=["blue"], propagate_threads=False
        )
        with agentops.span("inner blue"):
            pass
    agentops.flush()
    agentops.shutdown()
    assert not list(tmp_path.glob("one/traces/*.jsonl"))
    (trace,) = agentops.traces.load("two/traces")
    assert [(span.name, span.outcome) for span in trace.spans] == [("outer", "ok"), ("inner [redacted:custom]", "ok")]
    assert threading.Thread.start.__module__ == "threading"


def test_what_cannot_work_leaves_everything_as_it_was() -> None:
    memory = MemoryExporter()
    agentops.init(exporters=[memory], integrations=[], capture_content=False)
    before = agentops.status().settings
    for wrong in ({"exporters": ["nope"]}, {"integrations": ["nope"]}, {"sample_ratio": 7}, {"sample_ration": 1}):
        with pytest.raises(agentops.ConfigError):
            agentops.init(**wrong, capture_content=True)
        assert agentops.status().settings == before
    look_up("private")
    assert "private" not in contents(memory).lower()
    assert len(memory.finished_spans()) == 1


def test_a_first_call_that_fails_leaves_nothing_behind() -> None:
    for wrong in ({"integrations": ["nope"]}, {"exporters": ["nope"]}):
        with pytest.raises(agentops.ConfigError):
            agentops.init(capture_content=True, **wrong)
    assert not agentops.status().enabled
    agentops.init(capture_content=False, integrations=[], exporters=["memory"])
    assert value("capture_content") is False


def test_integrations_are_exchanged_one_by_one() -> None:
    agentops.init(exporters=["memory"], integrations=["openai"])
    from openai import _base_client

    def patched() -> Any:
        return vars(_base_client.SyncAPIClient)["request"]

    first = patched()
    assert list(agentops.init(integrations=["openai", "langchain"]).integrations) == ["openai", "langchain"]
    assert patched() is first
    assert list(agentops.init(integrations=["langchain"]).integrations) == ["langchain"]
    assert type(patched()) is type(look_up)


def test_the_environment_of_later_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    agentops.init(capture_content=False, exporters=["memory"], integrations=[])
    monkeypatch.setenv("AGENTOPS_CAPTURE_CONTENT", "1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    Path("pyproject.toml").write_text("[tool.agentops]\nsample_ratio = 0.1\n")
    agentops.init()
    agentops.init(service_name="x")
    assert (value("capture_content"), value("exporters"), value("sample_ratio")) == (False, ["memory"], 1.0)


def test_begun_anew_when_asked_and_no_less_private(caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    agentops.init(
        capture_content=False, redact_patterns=["x1"], exporters=["memory"], sample_ratio=0.5, integrations=[]
    )
    monkeypatch.setenv("AGENTOPS_CAPTURE_CONTENT", "1")
    agentops.init(restart=True, integrations=[], exporters=["memory"])
    assert (value("capture_content"), value("redact_patterns"), value("sample_ratio")) == (False, ["x1"], 1.0)
    assert "capture_content, redact_patterns as strict as before" in caplog.text
    agentops.init(restart=True, integrations=[], exporters=["memory"], capture_content=True)
    assert value("capture_content") is True


def test_an_exporter_that_is_named_again_goes_on() -> None:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, other = InMemorySpanExporter(), InMemorySpanExporter()
    agentops.init(exporters=[exporter, other], integrations=[])
    look_up("one")
    agentops.init(restart=True, exporters=[exporter], integrations=[])
    look_up("two")
    assert agentops.flush()
    assert (len(exporter.get_finished_spans()), len(other.get_finished_spans())) == (2, 1)


def test_after_shutdown_it_is_a_first_call_and_the_log_names_what_is_looser(caplog: pytest.LogCaptureFixture) -> None:
    agentops.init(capture_content=False, exporters=["memory"], integrations=[])
    agentops.shutdown()
    agentops.init(exporters=["memory"], integrations=[])
    assert value("capture_content") is True
    assert "starts afresh: less strict than before: capture_content" in caplog.text


def test_switched_off_stays_off_until_named() -> None:
    memory = MemoryExporter()
    agentops.init(enabled=False, capture_content=False, exporters=[memory], integrations=[])
    agentops.init(service_name="library")
    assert not agentops.status().enabled
    agentops.init(enabled=True)
    look_up("private")
    assert "private" not in contents(memory).lower()
    assert len(memory.finished_spans()) == 1
    agentops.init(enabled=False)
    look_up("unseen")
    agentops.init(enabled=True)
    look_up("seen")
    assert contents(memory).lower().count("look_up") >= 2
    assert len(memory.finished_spans()) == 2


def test_threads_at_once_whoever_comes_first() -> None:
    calls: list[dict[str, Any]] = [{}, {"capture_content": False}, {"sample_ratio": 1.0}, {"service_name": "shop"}] * 4
    gate = threading.Barrier(len(calls))
    raised: list[BaseException] = []

    def call(keywords: dict[str, Any]) -> None:
        gate.wait()
        try:
            agentops.init(**keywords, integrations=[], exporters=["memory"])
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=call, args=(keywords,)) for keywords in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []
    assert (value("capture_content"), value("service_name")) == (False, "shop")
    assert len([t for t in threading.enumerate() if t.name == "agentops-consumer"]) <= 1


def test_a_capture_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with capture() as traces:
        monkeypatch.setenv("AGENTOPS_CAPTURE_CONTENT", "no")
        agentops.init(integrations=[])  # the program's first: it reads the environment of now
        look_up("private")
        agentops.init(service_name="again")
        look_up("private")
        assert value("capture_content") is False
    monkeypatch.delenv("AGENTOPS_CAPTURE_CONTENT")
    assert [span.attributes.get("gen_ai.tool.call.arguments") for span in traces.spans] == [None, None]
    assert not agentops.status().enabled
    agentops.init(capture_content=False, exporters=["memory"], integrations=[])
    with capture() as traces:
        agentops.init()
        look_up("private")
        with capture():
            agentops.init(sample_ratio=0.5)
            assert value("capture_content") is False
    assert "private" not in str([span.attributes for span in traces.spans]).lower()
    assert value("sample_ratio") == 1.0


PROGRAM = """
import logging, os, sys
import agentops_sdk as agentops

agentops.init(capture_content=False, integrations=[], directory="own")

@agentops.tool
def look_up(word):
    return word.upper()

{body}
"""


def run(body: str, tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AGENTOPS_", "OTEL_"))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(body=textwrap.dedent(body))],
        cwd=tmp_path, env={**inherited, **environment}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def test_a_library_calls_it_in_a_real_program(tmp_path: Path) -> None:
    (tmp_path / "library.py").write_text(
        "import agentops_sdk\nagentops_sdk.init()\nagentops_sdk.init(log_level='info')\n"
    )
    done = run("import library, library; look_up('private')", tmp_path, PYTHONPATH=str(tmp_path))
    written = "".join(path.read_text() for path in tmp_path.glob("own/traces/*.jsonl"))
    assert "look_up" in written
    assert "private" not in written.lower()
    assert done.stderr.count("init() was called again") == 2
    assert done.stdout == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_calls_it(tmp_path: Path) -> None:
    run(
        """
        pid = os.fork()
        if pid == 0:
            agentops.init()
            look_up("private in the child")
            agentops.init(service_name="child")
            look_up("private in the child")
            agentops.shutdown()
            os._exit(0)
        os.waitpid(pid, 0)
        look_up("private in the parent")
        """,
        tmp_path,
    )
    written = "".join(path.read_text() for path in tmp_path.glob("own/traces/*.jsonl"))
    assert written.count('"execute_tool look_up"') == 3
    assert "private" not in written.lower()
