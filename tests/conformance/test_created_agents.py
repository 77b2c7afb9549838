"""Agents that providers keep: what the request that makes one says, and its reply, by the conventions' names alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from tests.conformance.spans import wrong
from tests.wire.http import Reply, Wire

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

NAMED = {"agent.name": "helper", "request.model": "large"}
SAID = {
    "operation.name": "create_agent", "agent.id": "a_1", "agent.description": "Helps.",
    "system_instructions": '[{"type":"text","content":"Be brief, and say so where you do not know."}]',
}  # fmt: skip


def mistral(url: str) -> None:
    client = pytest.importorskip("mistralai.client", reason="mistralai is not installed").Mistral(
        api_key="k", server_url=url
    )
    with client:
        client.beta.agents.create(
            model="large",
            name="helper",
            description="Helps.",
            instructions="Be brief, and say so where you do not know.",
        )


def google_genai(url: str) -> None:
    genai = pytest.importorskip("google.genai", reason="google-genai is not installed")
    with closing(genai.Client(api_key="k", http_options=genai.types.HttpOptions(base_url=url))) as client:
        if not hasattr(client, "agents"):
            pytest.skip("this version has no agents")
        client.agents.create(
            id="a_1",
            base_agent="antigravity",
            description="Helps.",
            system_instruction="Be brief, and say so where you do not know.",
        )


def bedrock(url: str) -> None:
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
    with closing(boto3.client("bedrock-agent", endpoint_url=url, **keys)) as client:
        client.create_agent(
            agentName="helper", description="Helps.", instruction="Be brief, and say so where you do not know.",
            foundationModel="arn:aws:bedrock:us-east-1::foundation-model/large",
        )  # fmt: skip


def _agent_core(url: str) -> Any:
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
    client = boto3.client("bedrock-agentcore-control", endpoint_url=url, **keys)
    if not hasattr(client, "create_harness"):
        pytest.skip("this version has no harnesses")
    return closing(client)


def harness(url: str) -> None:
    with _agent_core(url) as client:
        client.create_harness(
            harnessName="helper", executionRoleArn="arn:aws:iam::123456789012:role/r",
            model={"bedrockModelConfig": {"modelId": "large"}},
            systemPrompt=[{"text": "Be brief, and say so where you do not know."}],
        )  # fmt: skip


def runtime(url: str) -> None:
    with _agent_core(url) as client:
        client.create_agent_runtime(
            agentRuntimeName="helper", description="Helps.", roleArn="arn:aws:iam::123456789012:role/r",
            agentRuntimeArtifact={"containerConfiguration": {"containerUri": "registry/helper:1"}},
            networkConfiguration={"networkMode": "PUBLIC"},
        )  # fmt: skip


MISTRAL = {
    "id": "a_1", "object": "agent", "name": "helper", "model": "large", "version": 0, "versions": [0],
    "created_at": "2026-11-01T00:00:00Z", "updated_at": "2026-11-01T00:00:00Z", "deployment_chat": False,
    "source": "api", "description": "Helps.", "instructions": "Be brief, and say so where you do not know.",
}  # fmt: skip
HARNESS = {"harness": {"harnessId": "a_1", "harnessName": "helper", "harnessVersion": "3", "status": "CREATING"}}
RUNTIME = {
    "agentRuntimeArn": "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/a_1", "agentRuntimeId": "a_1",
    "agentRuntimeVersion": "3", "createdAt": "2026-11-01T00:00:00Z", "status": "CREATING",
}  # fmt: skip
BEDROCK = {"agent": {"agentId": "a_1", "agentName": "helper", "agentVersion": "DRAFT", "agentStatus": "CREATING"}}


CORE = {"provider.name": "aws.bedrock", "agent.version": "3"}
_OF = {harness: "bedrock", runtime: "bedrock"}


@pytest.mark.filterwarnings("ignore:Agents usage is experimental")
@pytest.mark.parametrize("state", ["pin", "main"])
@pytest.mark.parametrize(
    ("program", "reply", "told"),
    [
        (mistral, MISTRAL, {**NAMED, "provider.name": "mistral_ai", "agent.version": "0"}),
        (google_genai, {"id": "a_1", "base_agent": "antigravity"}, {"provider.name": "gcp.gemini"}),
        (bedrock, BEDROCK, {**NAMED, "provider.name": "aws.bedrock", "agent.version": "DRAFT"}),
        (harness, HARNESS, {**NAMED, **CORE, "agent.description": None}),
        (runtime, RUNTIME, {**NAMED, **CORE, "request.model": None, "system_instructions": None}),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_an_agent_that_is_made(
    program: Callable[[str], None], reply: dict[str, Any], told: dict[str, Any], state: str
) -> None:
    spans = MemoryExporter()
    agentops.init(exporters=[spans], integrations=[_OF.get(program, program.__name__)], semconv=state)
    with Wire(Reply(reply)) as wire:
        program(f"http://127.0.0.1:{wire.port}")
    agentops.flush()
    (span,) = spans.finished_spans()
    assert (span.name, span.kind.name) == (f"create_agent {told.get('agent.name', '')}".strip(), "CLIENT")
    names = {
        name.removeprefix("gen_ai."): value for name, value in span.attributes.items() if name.startswith("gen_ai.")
    }
    assert names == {name: value for name, value in {**SAID, **told}.items() if value is not None}
    assert (span.attributes["server.address"], span.attributes["server.port"]) == ("127.0.0.1", wire.port)
    assert wrong([span], state) == []
    agentops.shutdown()
