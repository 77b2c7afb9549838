"""Real traffic of both APIs through the real client, sync and async: the span says what the raw reply says."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from tests.google_genai.clients import package
from tests.openai.spans import Seen
from tests.shared import shared
from tests.wire.http import Reply, Wire


def exchanges() -> list[dict[str, Any]]:
    folder = shared("recorded")
    if folder is None:
        return []
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*/*.json"))]
    return [each for each in found if each["api"].startswith("gemini.")]


EXCHANGES = exchanges()
if not EXCHANGES:
    pytest.skip("the recorded exchanges are not beside this checkout", allow_module_level=True)

CONFIG = ("systemInstruction", "tools", "toolConfig", "safetySettings", "labels", "cachedContent")


@pytest.mark.parametrize("exchange", EXCHANGES, ids=[each["id"] for each in EXCHANGES])
def test_span_says_what_the_reply_says(exchange: dict[str, Any], recorded: Any) -> None:
    package()
    kind = exchange["response_headers"].get("content-type", "application/json")
    with Wire(Reply(exchange["response_body"], exchange["status"], kind)) as wire:
        problem = asyncio.run(attempt_async(wire, exchange))
        check(exchange, recorded.one(), problem)
        problem = attempt(wire, exchange)
        check(exchange, recorded.one(), problem)
        assert wire.requests[-1].path.partition(":")[2] == exchange["path"].partition(":")[2]


def options(wire: Wire, exchange: dict[str, Any]) -> dict[str, Any]:
    http = {"base_url": wire.url.removesuffix("/v1"), "api_version": "v1beta1"}
    if exchange["provider"] == "google":
        return {"api_key": "none", "http_options": http}
    from google.oauth2.credentials import Credentials

    return {
        "vertexai": True, "project": "project", "location": "global", "credentials": Credentials(token="none"),
        "http_options": http,
    }  # fmt: skip


def call(exchange: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The method that sends this request, and its arguments, as a user of the client writes them."""
    from google.genai import types

    body = exchange["request"]
    model = model_of(exchange)
    if exchange["api"] == "gemini.embed":
        contents = [types.Content.model_validate(each["content"]) for each in body["requests"]]
        return "embed_content", {"model": model, "contents": contents}
    contents = body["contents"] if isinstance(body["contents"], list) else [body["contents"]]
    config = {**(body.get("generationConfig") or {}), **{name: body[name] for name in CONFIG if name in body}}
    system = config.get("systemInstruction")
    if isinstance(system, dict):
        config["systemInstruction"] = {"role": "user", **system}
    if not isinstance(config.get("tools", []), list):  # recorded as a text
        del config["tools"]
    if any(not isinstance(tool, dict) for tool in config.get("tools", ())):
        del config["tools"]
    return "generate_content_stream" if exchange["stream"] else "generate_content", {
        "model": model,
        "contents": [types.Content.model_validate(each) for each in contents],
        "config": types.GenerateContentConfig.model_validate(config),
    }


def model_of(exchange: dict[str, Any]) -> str:
    found = re.search(r"/models/([^:]+):", exchange["path"])
    assert found
    return found[1]


def attempt(wire: Wire, exchange: dict[str, Any]) -> Exception | None:
    from google import genai

    name, arguments = call(exchange)
    client = genai.Client(**options(wire, exchange))
    try:
        reply = getattr(client.models, name)(**arguments)
        if exchange["stream"]:
            list(reply)
    except Exception as error:
        return error
    finally:
        client.close()
    return None


async def attempt_async(wire: Wire, exchange: dict[str, Any]) -> Exception | None:
    from google import genai

    name, arguments = call(exchange)
    client = genai.Client(**options(wire, exchange))
    try:
        reply = await getattr(client.aio.models, name)(**arguments)
        if exchange["stream"]:
            async for _ in reply:
                pass
    except Exception as error:
        return error
    finally:
        await client.aio.aclose()
        client.close()
    return None


# --- what the reply says, worked out by other means than ours --------------------------------------


def replies(exchange: dict[str, Any]) -> list[dict[str, Any]]:
    body = exchange["response_body"]
    if not exchange["stream"]:
        return [json.loads(body)]
    return [json.loads(line[5:]) for line in body.splitlines() if line.startswith("data:")]


def check(exchange: dict[str, Any], span: Seen, problem: Exception | None) -> None:
    assert span["gen_ai.provider.name"] == ("gcp.gemini" if exchange["provider"] == "google" else "gcp.vertex_ai")
    assert span["gen_ai.request.model"] == model_of(exchange)
    if exchange["status"] >= 400:
        assert span.outcome == "error"
        assert span["error.type"] == f"google.genai.errors.{type(problem).__name__}"
        return
    bodies = replies(exchange)
    if '"finishReason": 1' in exchange["response_body"]:  # recorded of another client, in numbers that this one refuses
        assert isinstance(problem, AttributeError)
    else:
        assert problem is None, repr(problem)
    assert span.outcome == "ok"
    usage = next((body["usageMetadata"] for body in reversed(bodies) if body.get("usageMetadata")), {})
    if exchange["api"] == "gemini.embed":
        assert span["gen_ai.embeddings.dimension.count"] == len(bodies[0]["embeddings"][0]["values"])
        if usage:
            assert span["gen_ai.usage.input_tokens"] == usage["promptTokenCount"]
        else:
            assert span.get("agentops.usage.source") != "reported"
        return
    assert span.get("gen_ai.response.id") == next(
        (b["responseId"] for b in reversed(bodies) if "responseId" in b), None
    )
    assert span["gen_ai.response.model"] == bodies[-1]["modelVersion"]
    candidates = [candidate for body in bodies for candidate in body.get("candidates") or ()]
    reasons = [
        {1: "STOP"}.get(each["finishReason"], each["finishReason"]) for each in candidates if each.get("finishReason")
    ]
    assert list(span["gen_ai.response.finish_reasons"]) == reasons
    check_usage(span, usage)
    grounding = [each.get("groundingMetadata") or {} for each in candidates]
    queries = {query for each in grounding for query in each.get("webSearchQueries") or () if query}
    assert (span.get("agentops.usage.web_searches") or 0) == len(queries)
    parts = [part for each in candidates for part in (each.get("content") or {}).get("parts") or ()]
    assert span.text == "".join(part["text"] for part in parts if "text" in part and not part.get("thought"))
    thoughts = "".join(part["content"] for part in span.parts if part["type"] == "reasoning")
    assert thoughts == "".join(part["text"] for part in parts if "text" in part and part.get("thought"))
    assert span.calls == [
        (part["functionCall"]["name"], part["functionCall"]["args"]) for part in parts if "functionCall" in part
    ]
    server = [part["server_tool_call"]["id"] for part in span.parts if part["type"] == "server_tool_call"]
    assert server == [part["toolCall"]["id"] for part in parts if "toolCall" in part]


def check_usage(span: Seen, usage: dict[str, Any]) -> None:
    figures = {name: value for name, value in span.attributes.items() if name.startswith("gen_ai.usage.") and value}
    thoughts = usage.get("thoughtsTokenCount", 0)
    if "promptTokenCount" in usage:  # one reply leaves it out
        prompt = usage["promptTokenCount"] + usage.get("toolUsePromptTokenCount", 0)
        assert figures["gen_ai.usage.input_tokens"] == prompt
    assert figures.get("gen_ai.usage.output_tokens", 0) == usage.get("candidatesTokenCount", 0) + thoughts
    assert figures.get("gen_ai.usage.reasoning.output_tokens", 0) == thoughts
    assert figures.get("gen_ai.usage.cache_read.input_tokens", 0) == usage.get("cachedContentTokenCount", 0)
