"""What deploy/ and the runbooks say of us is so: names, commands, settings, content; and the example service serves."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import io
import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from examples.local_model import LocalModel, Reply

import agentops_sdk as agentops
from agentops_sdk import control, semconv
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.limit_rules import from_setting

ROOT = Path(__file__).parents[2]
COLLECTOR = ROOT / "deploy" / "collector"
PAGES = [*sorted((ROOT / "docs" / "runbooks").glob("*.md")), ROOT / "docs" / "deploy.md"]


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


monitoring = loaded(ROOT / "scripts" / "monitoring.py")


def merged(into: Any, more: Any) -> Any:
    for key, value in more.items():
        into[key] = merged(into[key], value) if isinstance(value, dict) and isinstance(into.get(key), dict) else value
    return into


@pytest.mark.parametrize("path", sorted(COLLECTOR.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_part_that_a_pipeline_of_the_collector_names_is_there(path: Path) -> None:
    alone = path.stem in ("gateway", "load-balancing")
    settings = {} if alone else yaml.safe_load((COLLECTOR / "gateway.yaml").read_text())
    merged(settings, yaml.safe_load(path.read_text()))
    for pipeline in settings["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            assert set(names) <= set(settings[kind]), kind
    assert set(settings["service"].get("extensions", [])) <= set(settings.get("extensions", {}))


def test_dashboards_and_alerts_are_written_by_their_tables_and_each_alert_has_a_runbook() -> None:
    assert [path for path, text in monitoring.files().items() if path.read_text(encoding="utf-8") != text] == []
    assert set(monitoring.CONTENT) <= semconv.CONTENT
    index = (ROOT / "docs" / "runbooks" / "index.md").read_text()
    pages = {row.name: row.runbook for row in monitoring.ALERTS} | {"ContentInStore": "content-leak"}
    rows = {
        name: page
        for names, page in re.findall(r"^\| (`.*?`) \| .*?\((.*?)\.md\)", index, re.MULTILINE)
        for name in re.findall(r"\w+", names)
    }
    assert rows == pages
    for name, page in pages.items():
        assert f"`{name}`" in (ROOT / "docs" / "runbooks" / f"{page}.md").read_text()
    tested = yaml.safe_load((ROOT / "deploy" / "monitoring" / "rules.test.yaml").read_text())
    fired = {case["alertname"] for test in tested["tests"] for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert fired == {row.name for row in monitoring.ALERTS}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_runbook_are_commands_that_there_are(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for command in re.findall(r"^\s*\$ agentops (.*)$", text, re.MULTILINE):
        name, *arguments = shlex.split(command)
        parser = argparse.ArgumentParser(exit_on_error=False)
        importlib.import_module(f"agentops_sdk.cli.{name}").add_arguments(parser)
        parser.parse_args(arguments)
    for body in re.findall(r"-d '(\{.*?\})' ", text):
        told = json.loads(body)
        assert set(told) <= {"settings", "pause", "resume", "reason"}
        assert set(told.get("settings", {})) <= control._BY_OTHERS | set(control._STRICTER)
        from_setting(told.get("settings", {}).get("limits", ""))


def test_the_gate_is_asked_as_it_can_be() -> None:
    deploy, asked = ROOT / "deploy", []
    for path in (*sorted((deploy / "ci").iterdir()), deploy / "rollouts" / "flagger-canary.yaml"):
        text = path.read_text()
        asked += [
            re.split(r" \|\||\"$", line)[0]
            for line in re.findall(r"(?:agentops|agentops_sdk) gate (.*)$", text, re.MULTILINE)
        ]
    for document in yaml.safe_load_all((deploy / "rollouts" / "argo-rollout.yaml").read_text()):
        if document["metadata"]["name"] == "agentops-gate":
            pod = document["spec"]["metrics"][0]["provider"]["job"]["spec"]["template"]["spec"]
            asked.append(shlex.join(pod["containers"][0]["command"][2:]))
    assert len(asked) == 5
    parser = argparse.ArgumentParser(exit_on_error=False)
    importlib.import_module("agentops_sdk.cli.gate").add_arguments(parser)
    for command in asked:
        assert parser.parse_args(shlex.split(command)).candidate


@pytest.fixture
def service() -> Iterator[ModuleType]:
    with LocalModel(lambda _: Reply(text="3.20")) as model, pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPENAI_BASE_URL", model.base_url)
        environment.setenv("OPENAI_API_KEY", "local")
        yield loaded(ROOT / "deploy" / "docker" / "service.py")


def test_the_service_goes_on_with_its_callers_trace(service: ModuleType) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answers: list[str] = []

    def ask(path: str, body: bytes = b"", **headers: str) -> Any:
        environ = {
            "REQUEST_METHOD": "POST" if body else "GET", "PATH_INFO": path, "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body), **headers,
        }  # fmt: skip
        return json.loads(
            b"".join(agentops.WSGIMiddleware(service.application)(environ, lambda status, _: answers.append(status)))
        )

    said = ask("/ask", b'{"question": "What is a tea?"}', HTTP_TRACEPARENT=f"00-{trace}-00f067aa0ba902b7-01")
    assert said == {"answer": "3.20"}
    assert ask("/ask", b"not json") == {"error": 'send {"question": "..."}'}
    for length in ("-1", "many"):
        assert "error" in ask("/ask", b"{}", CONTENT_LENGTH=length)
    assert ask("/readyz")["status"] == "ok"
    assert agentops.flush()
    spans = [span for span in exporter.finished_spans() if f"{span.context.trace_id:032x}" == trace]
    assert [span.name for span in spans] == ["execute_tool price_of", "chat gpt-4o-mini", "invoke_agent waiter", "POST"]
    assert answers == ["200 OK", *["400 Bad Request"] * 3, "200 OK"]
