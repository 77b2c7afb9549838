"""The bundled model server, through the real client."""

from __future__ import annotations

import json

import openai
import pytest
from examples.local_model import LocalModel, Reply, ToolCall

TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("get_weather", "convert_currency")
]
ASK = [{"role": "user", "content": "Plan my trip."}]


def _client(server: LocalModel) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.base_url, api_key="local", max_retries=0)


def test_the_script_asks_retries_and_answers() -> None:
    with LocalModel() as server, _client(server) as client:
        messages: list = list(ASK)
        turns = []
        for results in (["sunny", "error: the exchange is closed"], ["110 EUR"], []):
            reply = client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=TOOLS)
            message = reply.choices[0].message
            turns.append([call.function.name for call in message.tool_calls or ()])
            messages.append(message.to_dict())
            for call, result in zip(message.tool_calls or (), results, strict=True):
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        assert turns == [["get_weather", "convert_currency"], ["convert_currency"], []]
        assert reply.choices[0].finish_reason == "stop"
        assert len(server.requests) == 3


@pytest.mark.parametrize("include_usage", [True, False])
def test_a_stream_says_the_same_in_pieces(include_usage: bool) -> None:
    with LocalModel() as server, _client(server) as client:
        options = {"stream_options": {"include_usage": True}} if include_usage else {}
        whole = client.chat.completions.create(model="gpt-4o-mini", messages=ASK, tools=TOOLS)
        with client.chat.completions.create(
            model="gpt-4o-mini", messages=ASK, tools=TOOLS, stream=True, **options
        ) as stream:
            chunks = list(stream)
        assert [chunk.usage for chunk in chunks if chunk.usage] == ([whole.usage] if include_usage else [])
        pieces = [part for chunk in chunks for choice in chunk.choices for part in choice.delta.tool_calls or ()]
        arguments = "".join(part.function.arguments for part in pieces if part.index == 1)
        assert json.loads(arguments) == {"amount": 120, "source": "USD", "target": "EUR"}
        with client.chat.completions.create(model="gpt-4o-mini", messages=ASK, stream=True) as stream:
            text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        assert text.startswith("Hello!")


def test_a_script_of_ones_own() -> None:
    def script(request: dict) -> Reply:
        if request["model"] == "busy":
            return Reply("Slow down.", status=429, error_code="rate_limit_exceeded", headers={"retry-after": "1"})
        return Reply(tool_calls=(ToolCall("look", {}),), cached_tokens=2)

    with LocalModel(script) as server, _client(server) as client:
        with pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(model="busy", messages=ASK)
        assert caught.value.code == "rate_limit_exceeded"
        assert caught.value.response.headers["retry-after"] == "1"
        usage = client.chat.completions.create(model="any", messages=ASK).usage
        assert usage is not None
        assert usage.prompt_tokens_details is not None
        assert usage.prompt_tokens_details.cached_tokens == 2


def test_what_it_does_not_speak_it_refuses() -> None:
    with LocalModel() as server, _client(server) as client:
        with pytest.raises(openai.NotFoundError):
            client.embeddings.create(model="any", input="text")
        with pytest.raises(openai.BadRequestError):
            client.post("/chat/completions", body={"model": "any"}, cast_to=object)
        assert [model.id for model in client.models.list()] == ["gpt-4o-mini"]
