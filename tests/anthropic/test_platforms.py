"""The clients for other platforms: their names, their addresses, their models, whole replies and streams."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.anthropic.test_messages import ASKED, EVENTS, WHOLE, anthropic, stream
from tests.bedrock.clients import encoded, failure
from tests.wire.http import CUT, Reply, Wire

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

BEDROCK = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
CLAUDE = "claude-sonnet-4-5"
AWS = {"aws_region": "us-east-1"}
SIGNED = {**AWS, "aws_access_key": "none", "aws_secret_key": "none"}
GOOGLE = {"project": "p", "location": "us-east5", "workspace_id": "w", "token_provider": lambda: "none"}

PLATFORMS: list[tuple[str, dict[str, Any], str, str]] = [
    ("AnthropicBedrock", SIGNED, "aws.bedrock", BEDROCK),
    ("AnthropicBedrockMantle", {**AWS, "api_key": "none"}, "aws.bedrock", BEDROCK),
    ("AnthropicVertex", {"region": "us-east5", "project_id": "p", "access_token": "none"}, "gcp.vertex_ai",
     "claude-sonnet-4-5@20250929"),
    ("AnthropicFoundry", {"api_key": "none"}, "azure.ai.inference", CLAUDE),
    ("AnthropicAWS", {**AWS, "api_key": "none", "workspace_id": "w"}, "anthropic", CLAUDE),
    ("AnthropicGoogleCloud", GOOGLE, "anthropic", CLAUDE),
]  # fmt: skip
EACH = pytest.mark.parametrize(("name", "options", "provider", "model"), PLATFORMS, ids=[row[0] for row in PLATFORMS])


def make(name: str, options: dict[str, Any], url: str) -> Any:
    needs = {"AnthropicBedrock": "boto3", "AnthropicBedrockMantle": "boto3", "AnthropicVertex": "google.auth"}
    if name in needs:
        pytest.importorskip(needs[name], reason=f"{name} needs {needs[name]}")
    cls: Callable[..., Any] | None = getattr(anthropic, name, None)
    if cls is None:
        pytest.skip(f"anthropic {anthropic.__version__} has no {name}")
    return cls(**options, base_url=url.removesuffix("/v1"), max_retries=0)


def frame(body: dict[str, Any]) -> bytes:
    """An event of Bedrock's stream, as it is on the wire."""
    headers = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    return encoded(headers, json.dumps({"bytes": base64.b64encode(json.dumps(body).encode()).decode()}).encode())


def binary(*pieces: Any) -> Reply:
    return Reply(stream=pieces, content_type="application/vnd.amazon.eventstream")


def streamed(name: str) -> Reply:
    return binary(*map(frame, EVENTS)) if name == "AnthropicBedrock" else stream(*EVENTS)


@EACH
def test_a_reply_and_a_stream(recorded: Any, name: str, options: Any, provider: str, model: str) -> None:
    asked = {**ASKED, "model": model}
    with Wire(Reply(WHOLE), streamed(name)) as wire, make(name, options, wire.url) as client:
        assert client.messages.create(**asked).id == "msg_1"
        whole = recorded.one()
        events = list(client.messages.create(**asked, stream=True))
        deltas = [event.delta for event in events if event.type.endswith("_delta")]
        assert "".join(delta.text for delta in deltas if hasattr(delta, "text")) == "Sunny."
        read = recorded.one()
    for span in (whole, read):
        assert span.name == f"chat {model}"
        assert span.outcome == "ok"
        assert span["gen_ai.provider.name"] == provider
        assert (span["server.address"], span["server.port"]) == ("127.0.0.1", wire.port)
        assert span["gen_ai.request.model"] == model
        assert span["gen_ai.usage.input_tokens"] == 139
        assert span["agentops.usage.source"] == "reported"
        assert span["agentops.cost.amount"] > 0
    assert (whole["gen_ai.usage.output_tokens"], read["gen_ai.usage.output_tokens"]) == (7, 4)
    assert read.text == "Sunny."
    assert read["gen_ai.response.id"] == "msg_1"
    assert tuple(read["gen_ai.response.finish_reasons"]) == ("end_turn",)
    assert read["agentops.stream.chunks"] == len(events)
    assert len(EVENTS) - len(events) in (0, 1)  # the client keeps pings to itself; old ones hand Bedrock's on


def bedrock(url: str) -> Any:
    return make("AnthropicBedrock", SIGNED, url)


def test_a_binary_stream_that_is_left(recorded: Any) -> None:
    with Wire(streamed("AnthropicBedrock")) as wire, bedrock(wire.url) as client:
        items = client.messages.create(**{**ASKED, "model": BEDROCK}, stream=True)
        next(item for item in items if item.type == "content_block_delta")
        items.close()
    span = recorded.one()
    assert (span.outcome, span.text) == ("abandoned", "Sun")
    assert span["gen_ai.usage.input_tokens"] == 139
    assert span["agentops.usage.source"] == "estimated"  # of the answer, only its first token was told


def test_a_binary_stream_closed_after_its_end(recorded: Any) -> None:
    with Wire(streamed("AnthropicBedrock")) as wire, bedrock(wire.url) as client:
        items = client.messages.create(**{**ASKED, "model": BEDROCK}, stream=True)
        for _ in range(len(EVENTS) - 1):
            next(items)
        items.close()
    assert recorded.one().outcome == "ok"


def test_a_binary_stream_in_pieces(recorded: Any) -> None:
    body = b"".join(map(frame, EVENTS))
    pieces = [body[at : at + 37] for at in range(0, len(body), 37)]
    with Wire(binary(*pieces)) as wire, bedrock(wire.url) as client:
        list(client.messages.create(**{**ASKED, "model": BEDROCK}, stream=True))
    span = recorded.one()
    assert (span.outcome, span.text, span["gen_ai.usage.output_tokens"]) == ("ok", "Sunny.", 4)


@pytest.mark.parametrize("end", [CUT, failure("throttlingException")], ids=["cut", "error"])
def test_a_binary_stream_that_breaks(recorded: Any, end: Any) -> None:
    reply = binary(*map(frame, EVENTS[:4]), 0.05, end)
    with Wire(reply) as wire, bedrock(wire.url) as client, pytest.raises(Exception) as caught:
        list(client.messages.create(**{**ASKED, "model": BEDROCK}, stream=True))
    span = recorded.one()
    assert (span.outcome, span.text) == ("error", "Sun")
    assert span["error.type"].endswith(type(caught.value).__name__)
