"""What messages can hold: images, audio, files, several choices, fragments, refusals, custom tools, extensions."""

from __future__ import annotations

from typing import Any

import pytest
from tests.openai.bodies import CALL, CHAT, MESSAGES, TOOLS, USAGE, chunk, completion
from tests.openai.test_chat import client
from tests.wire.http import Reply, Wire, sse

import agentops_sdk as agentops


def _ask(recorded: Any, reply: Any, **given: Any) -> Any:
    with Wire(reply) as wire:
        result = client(wire).chat.completions.create(**{"model": "gpt-4o", "messages": MESSAGES, **given})
        if given.get("stream"):
            list(result)
    return recorded.one()


def test_multimodal_turns_and_tool_results(recorded: Any) -> None:
    messages = [
        {
            "role": "user",
            "name": "ann",
            "content": [
                {"type": "text", "text": "Look"},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/4AA="}},
                {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
                {"type": "file", "file": {"file_id": "file-1"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
            ],
        },
        {"role": "assistant", "content": None, "tool_calls": [CALL, {**CALL, "id": "call_2"}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "rain"}]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
    ]
    span = _ask(recorded, Reply(completion({"role": "assistant", "content": "ok"})), messages=messages)
    user, assistant, first, second, refused = span.json("gen_ai.input.messages")
    assert user["name"] == "ann"
    assert [part["type"] for part in user["parts"]] == ["text", "uri", "blob", "blob", "file", "blob"]
    assert user["parts"][2] == {
        "type": "blob", "modality": "image", "mime_type": "image/jpeg", "content": "/9j/4AA=",
    }  # fmt: skip
    assert user["parts"][3]["mime_type"] == "audio/wav"
    assert [part["id"] for part in assistant["parts"]] == ["call_1", "call_2"]
    assert first["parts"] == [{"type": "tool_call_response", "id": "call_1", "response": "sunny"}]
    assert second["parts"][0]["response"] == [{"type": "text", "content": "rain"}]
    assert refused["parts"] == [{"type": "refusal", "content": "No."}]


def test_several_choices_with_logprobs(recorded: Any) -> None:
    told = {"content": [{"token": "A", "logprob": -0.1, "bytes": None, "top_logprobs": []}], "refusal": None}
    choices = [
        {"index": 0, "finish_reason": "stop", "logprobs": told, "message": {"role": "assistant", "content": "A"}},
        {"index": 1, "finish_reason": "length", "logprobs": None, "message": {"role": "assistant", "content": "B"}},
    ]
    span = _ask(recorded, Reply(completion({}, choices=choices)), n=2, logprobs=True)
    assert tuple(span["gen_ai.response.finish_reasons"]) == ("stop", "length")
    assert [message["parts"][0]["content"] for message in span.output] == ["A", "B"]
    assert span.output[0]["logprobs"]["content"][0]["logprob"] == -0.1


def test_streamed_fragments_of_parallel_calls_and_choices(recorded: Any) -> None:
    def call(index: int, **function: str) -> dict[str, Any]:
        made: dict[str, Any] = {"index": index, "function": function}
        return {"tool_calls": [{**made, "id": f"c{index}", "type": "function"} if "name" in function else made]}

    events = [
        chunk({"role": "assistant", "content": None, **call(0, name="weather", arguments="")}),
        chunk(call(0, arguments='{"ci')),
        chunk(call(1, name="weather", arguments="")),
        chunk(call(1, arguments='{"city": "Bari"}')),
        chunk(call(0, arguments='ty": "Rome"}')),
        chunk({"role": "assistant", "content": "other"}, index=1),
        chunk({}, "tool_calls"),
        chunk({}, "stop", index=1),
    ]
    span = _ask(recorded, sse(*events), stream=True, tools=TOOLS, n=2)
    assert span.calls == [("weather", {"city": "Rome"}), ("weather", {"city": "Bari"})]
    assert span.output[1]["parts"] == [{"type": "text", "content": "other"}]
    assert tuple(span["gen_ai.response.finish_reasons"]) == ("tool_calls", "stop")
    assert span.json("agentops.decision.chosen") == ["weather", "weather"]


def test_servers_that_number_every_call_zero_or_none(recorded: Any) -> None:
    calls = [{"id": f"c{at}", "type": "function", "function": {"name": f"t{at}", "arguments": "{}"}} for at in range(2)]
    same = [chunk({"tool_calls": [{**call, "index": 0}]}) for call in calls]
    none = [chunk({"tool_calls": [call]}) for call in calls]
    for events in (same, none, [chunk({"tool_calls": calls})]):
        span = _ask(recorded, sse(*events, chunk({}, "tool_calls")), stream=True)
        assert span.calls == [("t0", {}), ("t1", {})]


def test_refusal(recorded: Any) -> None:
    refused = completion({"role": "assistant", "content": None, "refusal": "I will not."})
    span = _ask(recorded, Reply(refused))
    assert span.parts == [{"type": "refusal", "content": "I will not."}]
    assert span["agentops.decision.chosen"] == "refusal"
    assert span["agentops.decision.reason"] == "I will not."
    pieces = [chunk({"role": "assistant", "refusal": "I will "}), chunk({"refusal": "not."}), chunk({}, "stop")]
    assert _ask(recorded, sse(*pieces), stream=True).parts == [{"type": "refusal", "content": "I will not."}]


def test_choice_among_tools(recorded: Any) -> None:
    answered = Reply(completion({"role": "assistant", "content": "Sunny."}))
    called = Reply(completion({"role": "assistant", "content": "I look.", "tool_calls": [CALL]}, "tool_calls"))
    span = _ask(recorded, answered, tools=TOOLS)
    assert span["agentops.decision.chosen"] == "answer"
    assert "agentops.decision.forced" not in span.attributes
    span = _ask(recorded, called, tools=TOOLS)
    assert span["agentops.decision.reason"] == "I look."
    for choice in ("required", {"type": "function", "function": {"name": "weather"}}):
        span = _ask(recorded, called, tools=TOOLS, tool_choice=choice)
        assert span["agentops.decision.forced"] is True
        assert [option["name"] for option in span.json("agentops.decision.options")] == ["weather"]
    span = _ask(recorded, answered, tools=TOOLS, tool_choice="none")
    assert "agentops.decision.chosen" not in span.attributes
    assert "agentops.decision.chosen" not in _ask(recorded, answered).attributes


def test_custom_tools_and_the_old_functions(recorded: Any) -> None:
    custom = [{"type": "custom", "custom": {"name": "sql", "description": "SQL", "format": {"type": "text"}}}]
    call = {"id": "c", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}
    span = _ask(
        recorded, Reply(completion({"role": "assistant", "tool_calls": [call]}, "tool_calls")),
        extra_body={"tools": custom},
    )  # fmt: skip
    assert span.calls == [("sql", "select 1")]
    assert span.json("gen_ai.tool.definitions")[0]["name"] == "sql"
    old = completion({"role": "assistant", "content": None, "function_call": CALL["function"]}, "function_call")
    span = _ask(recorded, Reply(old), functions=[TOOLS[0]["function"]])
    assert span.calls == [("weather", {"city": "Rome"})]
    assert span.output[0]["finish_reason"] == "tool_call"
    assert span["agentops.decision.chosen"] == "weather"


def test_reasoning_in_providers_own_fields(recorded: Any) -> None:
    for field in ("reasoning_content", "reasoning"):
        span = _ask(recorded, Reply(completion({"role": "assistant", "content": "4", field: "2+2"})))
        assert span.parts == [{"type": "reasoning", "content": "2+2"}, {"type": "text", "content": "4"}]
        pieces = [chunk({field: "2+"}), chunk({field: "2"}), chunk({"content": "4"}), chunk({}, "stop")]
        assert _ask(recorded, sse(*pieces), stream=True).parts[0] == {"type": "reasoning", "content": "2+2"}
    blocks = [{"type": "thinking", "thinking": [{"type": "text", "text": "2+2"}]}, {"type": "text", "text": "4"}]
    span = _ask(recorded, Reply(completion({"role": "assistant", "content": blocks})))
    assert span.parts == [{"type": "reasoning", "content": "2+2"}, {"type": "text", "content": "4"}]


def test_tiers_caching_prediction_and_structure(recorded: Any) -> None:
    usage = {
        "prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 140,
        "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 3},
        "completion_tokens_details": {
            "reasoning_tokens": 8, "accepted_prediction_tokens": 5, "rejected_prediction_tokens": 2, "audio_tokens": 4,
        },
    }  # fmt: skip
    reply = completion(
        {"role": "assistant", "content": "{}"}, usage=usage, service_tier="flex", system_fingerprint="fp_1"
    )
    span = _ask(
        recorded, Reply(reply), service_tier="flex", response_format={"type": "json_object"},
        extra_body={"prediction": {"type": "content", "content": "{}"}, "reasoning_effort": "low"},
    )  # fmt: skip
    assert span["gen_ai.usage.cache_read.input_tokens"] == 60
    assert span["gen_ai.usage.reasoning.output_tokens"] == 8
    assert span["agentops.usage.accepted_prediction.output_tokens"] == 5
    assert span["agentops.usage.rejected_prediction.output_tokens"] == 2
    assert span["openai.request.service_tier"] == "flex"
    assert span["openai.response.service_tier"] == "flex"
    assert span["openai.response.system_fingerprint"] == "fp_1"
    assert span["gen_ai.output.type"] == "json"
    assert span["gen_ai.request.reasoning.level"] == "low"


def test_audio_answer(recorded: Any) -> None:
    audio = {"id": "audio_1", "data": "UklGRg==", "expires_at": 1, "transcript": "Hello"}
    span = _ask(
        recorded,
        Reply(completion({"role": "assistant", "content": None, "audio": audio})),
        extra_body={"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "mp3"}},
    )
    assert (span.parts[0]["modality"], span.parts[0]["mime_type"]) == ("audio", "audio/mpeg")
    assert span.parts[0]["transcript"] == "Hello"


@pytest.mark.parametrize(("chosen", "prefix"), [("", "agentops"), ("gen_ai_latest_experimental", "gen_ai")])
def test_audio_has_the_names_of_the_chosen_state(monkeypatch: pytest.MonkeyPatch, chosen: str, prefix: str) -> None:
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", chosen)
    usage = {
        **USAGE,
        "prompt_tokens_details": {"audio_tokens": 2},
        "completion_tokens_details": {"audio_tokens": 4},
    }
    with agentops.testing.capture() as traces, Wire(Reply({**CHAT, "usage": usage})) as wire:
        client(wire).chat.completions.create(model="gpt-4o-audio-preview", messages=[])
    (call,) = traces.llm_calls
    told = {name: value for name, value in call.attributes.items() if ".usage.audio." in name}
    assert told == {f"{prefix}.usage.audio.input_tokens": 2, f"{prefix}.usage.audio.output_tokens": 4}
    assert (call.usage.audio_input, call.usage.audio_output) == (2, 4)
