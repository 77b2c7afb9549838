"""Recorded traffic with tools, through the real client: every offered set and every choice, exactly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from tests.openai import recorded as recordings
from tests.openai.styles import fitting
from tests.wire.http import Reply, Wire

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

WITH_TOOLS = [
    each
    for each in recordings.exchanges()
    if each["api"] in ("chat.completions", "responses") and each["status"] < 400
    and each["request"] is not None and (each["request"].get("tools") or each["request"].get("functions"))
]  # fmt: skip
if not WITH_TOOLS:
    pytest.skip("no recorded exchanges with tools beside this checkout", allow_module_level=True)


@pytest.fixture
def exported() -> Iterator[Callable[[], dict[str, Any]]]:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], max_value_bytes=10_000_000)

    def one() -> dict[str, Any]:
        assert agentops.flush(10).remaining == 0
        (span,) = exporter.finished_spans()
        return dict(span.attributes or {})

    yield one
    agentops.shutdown()


def offered(request: dict[str, Any]) -> list[str]:
    """The names of the tools in a request, read apart from the integration."""
    names: list[str] = []
    for tool in [*(request.get("tools") or ()), *(request.get("functions") or ())]:
        if tool.get("type") == "namespace":
            names += [inner["name"] for inner in tool["tools"]]
            continue
        inner = tool.get(tool.get("type", "function"))
        inner = inner if isinstance(inner, dict) else tool
        names.append(inner.get("name") or tool.get("server_label") or tool["type"])
    return names


@pytest.mark.parametrize("exchange", WITH_TOOLS, ids=[each["id"] for each in WITH_TOOLS])
def test_offered_tools_and_choice(exchange: dict[str, Any], exported: Callable[[], dict[str, Any]]) -> None:
    request = exchange["request"]
    kind = exchange["response_headers"].get("content-type", "application/json")
    transport = openai.DefaultHttpxClient(verify=False)
    with (
        Wire(Reply(exchange["response_body"], 200, kind)) as wire,
        openai.OpenAI(base_url=wire.url, api_key="none", max_retries=0, http_client=transport) as client,
    ):
        try:
            fitting(exchange["api"], request, client)[0][0](client, exchange["api"], request)
        except openai.APIError:  # an error event in a stream that began well
            assert "agentops.decision.chosen" not in exported()
            return
    span = exported()
    choice = request.get("tool_choice", request.get("function_call"))
    unfinished = exchange["api"] == "responses" and not _output(exchange)
    if choice == "none" or unfinished:
        assert "agentops.decision.chosen" not in span
        return
    forced = isinstance(choice, dict) or choice in ("required", "any")
    options = [option["name"] for option in json.loads(span["agentops.decision.options"])]
    assert [option for option in options if option != "refusal"] == offered(request) + ([] if forced else ["answer"])
    assert span.get("agentops.decision.forced", False) is forced
    chosen = span["agentops.decision.chosen"]
    chosen = json.loads(chosen) if chosen.startswith("[") else [chosen]
    calls = [name for name, _ in recordings.said(exchange).calls]
    if _hosted(exchange):  # tools that the provider runs itself, and names in its own way
        assert [name for name in chosen if name in calls] == calls
        assert chosen != ["answer"]
    else:
        assert chosen == (calls or ["answer"])


def _output(exchange: dict[str, Any]) -> list[dict[str, Any]]:
    body = exchange["response_body"]
    reply = recordings.events(body)[-1]["response"] if exchange["stream"] else json.loads(body)
    return list(reply.get("output") or ())


def _hosted(exchange: dict[str, Any]) -> bool:
    if exchange["api"] != "responses":
        return False
    return any(item["type"].endswith("_call") and item["type"] != "function_call" for item in _output(exchange))
