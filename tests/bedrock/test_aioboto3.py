"""The asynchronous client: whole replies, streams, and bodies that are read."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.bedrock.clients import ASKED, MODEL, Case, whole
from tests.recorded import Recorded
from tests.testing.test_replayed_clients import HEAD, TAIL, amazon, serving
from tests.wire.http import CUT, Reply, Wire

import agentops_sdk as agentops
from agentops_sdk.cli import main
from agentops_sdk.exporters.memory import MemoryExporter

aioboto3 = pytest.importorskip("aioboto3", reason="needs aioboto3")
pytestmark = [  # connections are left to the collector where a stream is left
    pytest.mark.usefixtures("collected"),
    pytest.mark.filterwarnings("ignore:.*[Uu]nclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

INVOKED = {
    "id": "m", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "Sunny."}], "usage": {"input_tokens": 21, "output_tokens": 8},
}  # fmt: skip


@asynccontextmanager
async def client(url: str, service: str = "bedrock-runtime") -> AsyncIterator[Any]:
    from botocore.config import Config

    session = aioboto3.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name="us-east-1")
    config = Config(retries={"max_attempts": 0, "mode": "standard"}, proxies={})
    async with session.client(service, endpoint_url=url.removesuffix("/v1"), config=config) as made:
        yield made


async def converse(asking: Any) -> None:
    reply = await asking.converse(**ASKED)
    assert reply["output"]["message"]["content"] == [{"text": "Sunny."}]


async def stream(asking: Any) -> None:
    reply = await asking.converse_stream(**ASKED)
    assert [event async for event in reply["stream"]]


async def leave(asking: Any) -> None:
    reply = await asking.converse_stream(**ASKED)
    async for _ in reply["stream"]:
        break
    del reply
    gc.collect()


async def invoke(asking: Any) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "Paris?"}], "max_tokens": 5})
    reply = await asking.invoke_model(modelId=MODEL, body=body)
    assert json.loads(await reply["body"].read()) == INVOKED


Ask = Callable[[Any], Any]
WHOLE, PIECES = Reply(whole({"text": "Sunny."})), Case().whole()
REFUSED = Reply({"message": "refused"}, status=400, headers={"x-amzn-errortype": "ValidationException"})
CUT_OFF = Reply(stream=[*Case.pieces[:2], CUT], content_type=Case.content_type)


@pytest.mark.parametrize(
    ("ask", "answer", "outcome", "raises"),
    [
        (converse, WHOLE, "ok", False), (stream, PIECES, "ok", False), (invoke, Reply(INVOKED), "ok", False),
        (leave, PIECES, "abandoned", False), (converse, REFUSED, "error", True), (stream, CUT_OFF, "error", True),
    ],
    ids=["converse", "stream", "invoke", "left", "refused", "cut"],
)  # fmt: skip
def test_a_call_is_one_span(ask: Ask, answer: Reply, outcome: str, raises: bool) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])

    async def run(url: str) -> None:
        async with client(url) as asking:
            await ask(asking)

    with Wire(answer) as wire:
        if raises:
            with pytest.raises(Exception, match=r"."):
                asyncio.run(run(wire.url))
        else:
            asyncio.run(run(wire.url))
    assert agentops.flush()
    (span,) = exporter.finished_spans()
    facts: Any = span.attributes
    assert (span.name, facts["agentops.outcome"]) == (f"chat {MODEL}", outcome)
    assert facts["gen_ai.provider.name"] == "aws.bedrock"
    if outcome == "ok":
        assert (facts["gen_ai.usage.input_tokens"], facts["gen_ai.usage.output_tokens"]) == (21, 8)
        assert "Sunny." in facts["gen_ai.output.messages"]


def test_real_traffic(recorded: Recorded) -> None:
    from tests.bedrock.test_recorded import EXCHANGES, converse, model_of, said
    from tests.model_clients import recordings

    async def run(wire: Wire) -> None:
        async with client(wire.url) as asking:
            for exchange in EXCHANGES:
                wire.replies = [recordings.reply_of(exchange)]
                model, problem = model_of(exchange), None
                try:
                    if exchange["api"] == "bedrock.converse":
                        await converse(asking, model, exchange)
                    else:
                        body = json.dumps(exchange["request"])
                        await (await asking.invoke_model(modelId=model, body=body))["body"].read()
                except Exception as error:
                    problem = error
                span = recorded.one()
                if exchange["status"] >= 400:
                    recordings.refused(span, problem)
                else:
                    assert problem is None, (exchange["id"], problem)
                    recordings.check(span, said(exchange), "aws.bedrock", model)

    with Wire(WHOLE) as wire:
        asyncio.run(run(wire))


def test_an_agent_and_a_retrieval(recorded: Recorded) -> None:
    from tests.bedrock.test_agent_runtime import AGENT, FOUND, said, stream

    async def run(url: str) -> None:
        async with client(url, "bedrock-agent-runtime") as asking:
            reply = await asking.invoke_agent(**AGENT)
            assert [event async for event in reply["completion"]]
            await asking.retrieve(knowledgeBaseId="KB12345678", retrievalQuery={"text": "Paris?"})

    with Wire(stream(said("Sunny.")), Reply({"retrievalResults": [FOUND]})) as wire:
        asyncio.run(run(wire.url))
    agent, retrieval = recorded()
    assert (agent.name, agent.outcome, agent.text) == ("invoke_agent AGENT12345", "ok", "Sunny.")
    assert (retrieval.name, len(retrieval.json("gen_ai.retrieval.documents"))) == ("retrieval KB12345678", 1)


PROGRAM = (
    HEAD
    + """
import asyncio
import aioboto3
from botocore.config import Config

NOVA, CLAUDE = "amazon.nova-lite-v1:0", "anthropic.claude-haiku-4-5-20251001-v1:0"

@agentops.agent
async def ask(city):
    session = aioboto3.Session(aws_access_key_id=os.environ.get("KEY"), aws_secret_access_key=os.environ.get("KEY"),
                               region_name="us-east-1")
    config = Config(proxies={}, retries={"max_attempts": 1})
    async with session.client("bedrock-runtime", endpoint_url=os.environ["MODEL_URL"], config=config) as client:
        messages = [{"role": "user", "content": [{"text": city}]}]
        answer = (await client.converse(modelId=NOVA, messages=messages))["output"]["message"]
        call = answer["content"][0]["toolUse"]
        found = {"toolUseId": call["toolUseId"], "content": [{"json": weather(**call["input"])}]}
        messages += [answer, {"role": "user", "content": [{"toolResult": found}]}]
        try:
            await client.converse(modelId=NOVA, messages=[{"role": "user", "content": [{"text": "too much"}]}])
        except client.exceptions.ThrottlingException as error:
            text = error.response["Error"]["Message"] + " "
        body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9,
                           "messages": [{"role": "user", "content": "Bye"}]})
        reply = await client.invoke_model_with_response_stream(modelId=CLAUDE, body=body)
        async for event in reply["body"]:
            text += json.loads(event["chunk"]["bytes"]).get("delta", {}).get("text", "")
        reply = await client.converse_stream(modelId=NOVA, messages=messages)
        async for event in reply["stream"]:
            text += event.get("contentBlockDelta", {}).get("delta", {}).get("text", "")
    return text

def planner(city):
    return asyncio.run(ask(city))
"""
    + TAIL
)


def test_a_run_is_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("program.py").write_text(PROGRAM)
    with serving(amazon) as (url, _):
        monkeypatch.setenv("MODEL_URL", url)
        monkeypatch.setenv("KEY", "none")
        namespace: dict[str, Any] = {"__name__": "program"}
        exec(PROGRAM, namespace)
        agentops.init(exporters=["jsonl"])
        said = namespace["planner"]("Paris")
        agentops.shutdown()
    monkeypatch.delenv("KEY")
    capsys.readouterr()
    assert main(["replay", "--run", "program.py"]) == 0, capsys.readouterr().err
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == said
    assert "4 model call(s) and 1 tool call(s) answered as recorded, no difference" in err
    assert Path("ran.txt").read_text() == "Paris", "the tool did not run again"
    assert main(["replay", "--run", "program.py", "Rome"]) == 1
    assert 'recorded "Paris", now "Rome"' in capsys.readouterr().err
    with serving(amazon) as (url, asked):
        monkeypatch.setenv("MODEL_URL", url)
        monkeypatch.setenv("KEY", "none")
        options = ["--branch", "5", "--model", "amazon.nova-pro-v1:0", "--system", "Be brief."]
        assert main(["replay", *options, "--run", "program.py"]) == 0, capsys.readouterr().err
        ((path, body),) = asked
        assert path.endswith("/model/amazon.nova-pro-v1%3A0/converse-stream")
        assert body["system"] == [{"text": "Be brief."}]
