"""Frameworks that run tools by themselves, and clients that are no plain requests, are stopped as well."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.limits import bodies
from tests.wire.http import Reply, Wire

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def started(*integrations: str) -> MemoryExporter:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=integrations)
    return exporter


def refused(exporter: MemoryExporter) -> list[str]:
    assert agentops.flush()
    spans = exporter.finished_spans()
    return [span.name for span in spans if (span.attributes or {}).get("agentops.limit.action") == "refused"]


@pytest.mark.parametrize("integrations", [("openai_agents",), ("openai_agents", "openai")])
def test_the_agents_sdk(integrations: tuple[str, ...]) -> None:
    agents = pytest.importorskip("agents", reason="openai-agents is not installed")
    openai = pytest.importorskip("openai", reason="openai is not installed")
    exporter = started(*integrations)
    ran: list[str] = []

    @agents.function_tool
    def search(q: str) -> str:
        """Look something up."""
        ran.append(q)
        return "found"

    async def run(wire: Wire, **limits: Any) -> BaseException:
        async with openai.AsyncOpenAI(api_key="none", base_url=wire.url) as client:
            model = agents.OpenAIChatCompletionsModel("gpt-4o-mini", client)
            agent = agents.Agent("finder", model=model, tools=[search])
            try:
                with agentops.limits(**limits):
                    await agents.Runner.run(agent, "go", max_turns=9)
            except Exception as error:
                return error
        raise AssertionError("never stopped")

    with Wire(bodies.asks_for_search) as wire:
        assert isinstance(asyncio.run(run(wire, model_calls=3)), agentops.LimitExceeded)
        assert len(wire.requests) == 3
        assert refused(exporter) == ["chat gpt-4o-mini"]
        exporter.clear()
        ran.clear()
        assert isinstance(asyncio.run(run(wire, tool_calls=2)), agentops.LimitExceeded)
        assert len(ran) == 2
        assert refused(exporter) == ["execute_tool search"]


def test_what_the_runner_of_anthropics_tools_runs() -> None:
    anthropic = pytest.importorskip("anthropic", reason="anthropic is not installed")
    if not hasattr(anthropic, "beta_tool"):
        pytest.skip(f"anthropic {anthropic.__version__} has no tool runner")
    exporter = started("anthropic")
    ran: list[str] = []

    def search(q: str) -> str:
        """Look something up."""
        ran.append(q)
        return "found"

    use = {"type": "tool_use", "id": "toolu_1", "name": "search", "input": {"q": "x"}}
    body = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [use],
        "stop_reason": "tool_use", "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 5},
    }  # fmt: skip
    question: Any = [{"role": "user", "content": "go"}]
    with (
        Wire(Reply(body)) as wire,
        anthropic.Anthropic(api_key="none", base_url=wire.url.removesuffix("/v1")) as client,
    ):
        runner = client.beta.messages.tool_runner(
            model="claude-sonnet-4-5", max_tokens=10, messages=question, tools=[anthropic.beta_tool(search)]
        )
        with agentops.limits(tool_calls=2, model_calls=4), pytest.raises(agentops.LimitExceeded):
            runner.until_done()
        assert (len(ran), len(wire.requests)) == (2, 4)  # the model is told that a tool failed, and asked again
    assert refused(exporter) == ["execute_tool search", "execute_tool search", "chat claude-sonnet-4-5"]


def test_responses_over_a_socket() -> None:
    openai = pytest.importorskip("openai", reason="openai is not installed")
    pytest.importorskip("websockets.sync.server", reason="websockets is not installed")
    if not hasattr(getattr(openai.OpenAI(api_key="none"), "responses", None), "connect"):
        pytest.skip(f"openai {openai.__version__} has no responses.connect")
    from tests.openai.bodies import RESPONSE_EVENTS
    from tests.wire.websocket import Socket, Talk

    heard: list[str] = []

    def answers(talk: Talk) -> None:
        while (kind := talk.hear()["type"]) == "response.create":
            heard.append(kind)
            talk.say(*RESPONSE_EVENTS)

    exporter = started("openai")
    ask = {"type": "response.create", "model": "gpt-5", "input": "Weather?"}
    with Socket(answers) as socket:
        client = openai.OpenAI(api_key="none", base_url="http://127.0.0.1:1/v1", websocket_base_url=socket.url)
        with client.responses.connect() as connection, agentops.limits(model_calls=1):
            connection.send(ask)
            while connection.recv().type != "response.completed":
                pass
            with pytest.raises(agentops.LimitExceeded):
                connection.send(ask)
            connection.send({"type": "response.steer", "previous_response_id": "x", "input": []})
    assert heard == ["response.create"]
    assert refused(exporter) == ["chat gpt-5"]
