"""Test runs of their own, each a process with the plugin, and a model on loopback for them to ask."""

from __future__ import annotations

from pathlib import Path

import pytest
from examples.local_model import LocalModel, Reply, ToolCall

ROOT = Path(__file__).parents[2]

AGENT = """
import agentops_sdk as agentops

@agentops.tool
def search(q):
    return [q]

@agentops.agent
def planner(q):
    return search(q)
"""

MODEL_AGENT = """
import os, openai
import agentops_sdk as agentops

@agentops.agent
def chat(text, **more):
    client = openai.OpenAI(max_retries=1)
    reply = client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": text}], **more
    )
    client.close()
    return reply.choices[0].message.content
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID"):
        monkeypatch.delenv(name, raising=False)
    # What else is installed is left out, for speed; that the plugin is found is a test of its own.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(agent=AGENT, model_agent=MODEL_AGENT)

    def start(*options: str, plugins: tuple[str, ...] = ()) -> pytest.RunResult:
        names = ("tests.testing.quick_end", "agentops_sdk.pytest_plugin", "xdist", *plugins)
        return pytester.runpytest_subprocess(*(part for name in names for part in ("-p", name)), *options)

    return start


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch):
    def answer(request):
        if request.get("tools"):
            return Reply(tool_calls=(ToolCall("search", {"q": "x"}),))
        return Reply(text=f"You said: {request['messages'][-1]['content']}")

    with LocalModel(answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "local")
        yield server
