"""Servers that speak the API in their own way: content types, tool calls without index or id, ids that change."""

from __future__ import annotations

import gc
import json
import sys
from typing import Any

import openai
import pytest
from tests.openai import bodies
from tests.openai.bodies import (
    CHAT,
    CHAT_CHUNKS,
    COMPLETION_CHUNKS,
    MESSAGES,
    TOOLS,
    USAGE,
    USAGE_CHUNK,
    chunk,
    completion,
)
from tests.openai.test_chat import aclient, client
from tests.wire.http import Reply, Wire, event_of, sse

from agentops_sdk import semconv
from agentops_sdk._http.last_events import last_delivered, last_events
from agentops_sdk._http.stream import LiveReply

ASK: dict[str, Any] = {"model": "gpt-4o", "messages": MESSAGES}
KINDS = ("text/event-stream", "", "text/plain; charset=utf-8", "application/json", "application/octet-stream", "x-odd")
WITH_USAGE = sse(*CHAT_CHUNKS, USAGE_CHUNK)


# --- what was asked for decides how a reply is read -----------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_a_stream_of_another_content_type(recorded: Any, kind: str) -> None:
    with Wire(Reply(stream=WITH_USAGE.stream, content_type=kind)) as wire:
        chunks = list(client(wire).chat.completions.create(**ASK, stream=True))
        assert "".join(each.choices[0].delta.content or "" for each in chunks if each.choices) == "Hello"
        async with aclient(wire) as asking:
            async for _ in await asking.chat.completions.create(**ASK, stream=True):
                pass
        with client(wire).chat.completions.with_streaming_response.create(**ASK, stream=True) as response:
            assert len(list(response.iter_lines())) > 5
    for span in recorded():
        assert span.text == "Hello"
        assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (20, 7)
        assert span.outcome == "ok"
        assert tuple(span["gen_ai.response.finish_reasons"]) == ("stop",)


@pytest.mark.parametrize("kind", KINDS)
def test_a_reply_of_another_content_type(recorded: Any, kind: str) -> None:
    with Wire(Reply(CHAT, content_type=kind)) as wire:
        client(wire).chat.completions.create(**ASK, tools=TOOLS)
        client(wire).chat.completions.with_raw_response.create(**ASK, tools=TOOLS)
        with client(wire).chat.completions.with_streaming_response.create(**ASK, tools=TOOLS) as response:
            response.read()
    for span in recorded():
        assert span.calls == [("weather", {"city": "Rome"})]
        assert span["gen_ai.usage.input_tokens"] == 20


def test_bytes_that_are_no_text_are_not_kept(recorded: Any) -> None:
    body = {"id": "x", "usage": USAGE}  # sound that happens to be JSON
    for kind in ("audio/wav", "application/octet-stream", ""):
        with Wire(Reply(body, content_type=kind)) as wire:
            client(wire).audio.speech.create(model="tts-1", voice="alloy", input="Hello")
        assert recorded.one().get("gen_ai.response.id") is None


# --- tool calls -----------------------------------------------------------------------------------


def _deltas(*calls: Any) -> list[dict[str, Any]]:
    """One chunk for each; a list comes in one chunk."""
    return [chunk({"tool_calls": each if isinstance(each, list) else [each]}) for each in calls] + [chunk({}, "stop")]


def _call(name: str | None, arguments: str | None, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **more}


OSLO, ROME = '{"city": "Oslo"}', '{"city": "Rome"}'
TWO = [("weather", {"city": "Oslo"}), ("time", {"city": "Rome"})]
SAME = [("weather", {"city": "Oslo"}), ("weather", {"city": "Rome"})]
CASES: dict[str, tuple[list[dict[str, Any]], list[Any]]] = {
    "one index, no ids": (
        _deltas(_call("weather", OSLO, index=0, id=""), _call("time", ROME, index=0, id="")), TWO),
    "one index, no ids, the same tool": (
        _deltas(_call("weather", OSLO, index=0), _call("weather", ROME, index=0)), SAME),
    "no index, no ids": (_deltas(_call("weather", OSLO), _call("time", ROME)), TWO),
    "no index, no ids, the same tool": (_deltas(_call("weather", OSLO), _call("weather", ROME)), SAME),
    "no index, no ids, in one chunk": (_deltas([_call("weather", OSLO), _call("weather", ROME)]), SAME),
    "one index in one chunk": (_deltas([_call("weather", OSLO, index=0), _call("weather", ROME, index=0)]), SAME),
    "one index, two ids": (
        _deltas(_call("weather", OSLO, index=0, id="a"), _call("weather", ROME, index=0, id="b")), SAME),
    "no index, two ids, in pieces": (
        _deltas(_call("weather", OSLO[:5], id="a"), _call(None, OSLO[5:], id="a"), _call("time", ROME, id="b")), TWO),
    "no index, no ids, in pieces": (
        _deltas(_call("weather", ""), _call(None, OSLO[:5]), _call(None, OSLO[5:]), _call("time", ROME)), TWO),
    "one index, in pieces": (
        _deltas(_call("weather", "", index=0), _call(None, OSLO[:5], index=0), _call("", OSLO[5:], index=0),
                _call("time", "", index=0), _call(None, ROME, index=0)), TWO),
    "a new id for each piece": (
        _deltas(_call("weather", OSLO[:5], index=0, id="a"), _call(None, OSLO[5:], index=0, id="b")), SAME[:1]),
    "a new id and the name for each piece": (
        _deltas(_call("weather", OSLO[:5], index=0, id="a"), _call("weather", OSLO[5:], index=0, id="b")), SAME[:1]),
    "the name again with each piece": (
        _deltas(*(_call("weather", piece, index=0, id="a") for piece in (OSLO[:5], OSLO[5:], ""))), SAME[:1]),
    "the name again with each piece, no ids": (
        _deltas(*(_call("weather", piece, index=0) for piece in (OSLO[:5], OSLO[5:], ""))), SAME[:1]),
    "the name in pieces": (
        _deltas({"index": 0, "id": "a", "function": {"name": "wea"}}, {"index": 0, "function": {"name": "ther"}},
                _call(None, OSLO, index=0)), SAME[:1]),
    "proper": (
        _deltas(_call("weather", "", index=0, id="a"), _call("time", "", index=1, id="b"),
                _call(None, OSLO, index=0), _call(None, ROME, index=1)), TWO),
    "proper, one id for both": (
        _deltas(_call("weather", "", index=0, id="a"), _call("time", "", index=1, id="a"),
                _call(None, OSLO, index=0), _call(None, ROME, index=1)), TWO),
    "an object for arguments": (
        _deltas(_call("weather", {"city": "Oslo"}, index=0), _call("time", {"city": "Rome"}, index=0)), TWO),  # type: ignore[arg-type]  # servers do send that
    "no arguments at all": (
        _deltas(_call("weather", "", index=0, id="a"), _call("time", "", index=0, id="b")),
        [("weather", ""), ("time", "")]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_tool_calls_of_a_stream(recorded: Any, case: str) -> None:
    chunks, calls = CASES[case]
    with Wire(sse(*chunks)) as wire:
        list(client(wire).chat.completions.create(**ASK, tools=TOOLS, stream=True))
    assert recorded.one().calls == calls


def test_two_calls_without_index_are_two_choices(recorded: Any) -> None:
    with Wire(sse(*CASES["one index, no ids"][0])) as wire:
        list(client(wire).chat.completions.create(**ASK, tools=TOOLS, stream=True))
    assert json.loads(recorded.one()["agentops.decision.chosen"]) == ["weather", "time"]


# --- texts and ids --------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [{"delta": {}}, {"delta": {"role": "assistant"}}, {"message": {"content": None}}])
def test_a_completion_that_ends_like_a_chat_keeps_its_text(recorded: Any, end: dict[str, Any]) -> None:
    last = {**COMPLETION_CHUNKS[-1], "choices": [{"index": 0, "finish_reason": "stop", **end}]}
    with Wire(sse(*COMPLETION_CHUNKS[:-1], last)) as wire:
        list(client(wire).completions.create(model="gpt-3.5-turbo-instruct", prompt="Say", stream=True))
        list(client(wire).chat.completions.create(**ASK, stream=True))
    for span in recorded():
        assert span.text == "Hello"
        assert tuple(span["gen_ai.response.finish_reasons"]) == ("stop",)


def test_of_ids_that_change_the_first_counts(recorded: Any) -> None:
    chunks = [{**each, "id": ident} for each, ident in zip(CHAT_CHUNKS, ("", "first", "second", "stub"), strict=True)]
    with Wire(sse(*chunks, {**USAGE_CHUNK, "id": "usage"})) as wire:
        list(client(wire).chat.completions.create(**ASK, stream=True))
    assert recorded.one()["gen_ai.response.id"] == "first"


# --- the end of a stream is seen in its last bytes ------------------------------------------------


class _Parsed:
    """Counts what is parsed as JSON on this thread, by whom."""

    def __init__(self) -> None:
        self.ours = 0

    def __call__(self, frame: Any, event: str, called: Any) -> None:
        if event == "c_call" and getattr(called, "__name__", "") in ("loads", "scan_once"):
            self.ours += "agentops" in frame.f_globals.get("__name__", "")


@pytest.mark.parametrize("way", ["read", "closed", "closed at the end", "dropped"])
@pytest.mark.parametrize("api", ["chat", "responses"])
def test_nothing_is_parsed_on_the_callers_thread(recorded: Any, api: str, way: str) -> None:
    if api == "responses" and not hasattr(openai.OpenAI, "responses"):
        pytest.skip(f"openai {openai.__version__} has no Responses API")
    deltas = [event for event in bodies.RESPONSE_EVENTS if event["type"] == "response.output_text.delta"]
    many = [*bodies.RESPONSE_EVENTS[:-3], *deltas * 200, *bodies.RESPONSE_EVENTS[-3:]]
    talk = [chunk({"content": "word "})] * 400
    reply = sse(*many, done=False) if api == "responses" else sse(*talk, CHAT_CHUNKS[-1])
    total = len(many) if api == "responses" else len(talk) + 1
    parsed = _Parsed()
    with Wire(reply) as wire:
        asking = client(wire)
        if api == "responses":
            stream: Any = asking.responses.create(model="gpt-5", input="x", stream=True)
        else:
            stream = asking.chat.completions.create(**ASK, stream=True)
        sys.setprofile(parsed)
        try:
            for number, _ in enumerate(stream, 1):
                if way != "read" and number == (total if way == "closed at the end" else total // 2):
                    break
            if way == "dropped":
                del stream, _
                gc.collect()
            else:
                stream.close()
        finally:
            sys.setprofile(None)
    outcome = "ok" if way in ("read", "closed at the end") else "abandoned"
    assert recorded.one().outcome == outcome
    assert parsed.ours == 0


@pytest.mark.parametrize("line", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 3, 40, 100_000])
def test_last_events_however_they_came(line: bytes, size: int) -> None:
    texts = [b": keep-alive", *(b'data: {"number": %d, "text": "%s"}' % (n, b"x" * (n % 97)) for n in range(300))]
    whole = b"".join(text + line * 2 for text in texts) + b": bye" + line * 2 + b"data: to"
    chunks = [whole[start : start + size] for start in range(0, len(whole), size)]
    assert last_events(chunks, 3) == [*texts[-2:], b"data: to"]
    assert last_events(chunks, 1_000) == [*texts[1:], b"data: to"]
    assert last_events([], 3) == []
    first = len(chunks) // 2
    before = sum(1 for text in b"".join(chunks[:first]).split(line * 2)[:-1] if text.startswith(b"data"))
    for delivered in (0, 1, 5):
        number = before + delivered
        if number:
            assert last_delivered(chunks, first, delivered, 1) == [texts[number]]


def test_a_reply_whose_making_was_interrupted_is_dropped_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    noise: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", noise.append)
    LiveReply.__new__(LiveReply).__del__()
    LiveReply.__new__(LiveReply)
    assert noise == []


def test_a_stream_in_odd_pieces_that_is_left(recorded: Any) -> None:
    """Wherever the network cuts, a stream that was left after its last word is over, and one left before is not."""
    body = b"".join(map(event_of, CHAT_CHUNKS))
    for size in (1, 50, 150, 10_000):
        reply = Reply(
            stream=[body[at : at + size] for at in range(0, len(body), size)], content_type="text/event-stream"
        )
        for read in range(1, len(CHAT_CHUNKS) + 1):
            with Wire(reply) as wire, client(wire).chat.completions.create(**ASK, stream=True) as stream:
                for _ in range(read):
                    next(stream)
            assert recorded.one().outcome == ("ok" if read == len(CHAT_CHUNKS) else "abandoned"), (size, read)


@pytest.mark.parametrize("usage", [{"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
                                   {"prompt_tokens": 0, "prompt_tokens_details": {"cached_tokens": 0}}])  # fmt: skip
def test_a_server_that_counts_nothing_has_not_said_that_it_was_free(recorded: Any, usage: dict[str, int]) -> None:
    reply = {**completion({"role": "assistant", "content": "Hello there."}), "usage": usage}
    with Wire(Reply(reply)) as wire:
        client(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES)
    span = recorded.one()
    assert span.attributes[semconv.USAGE_SOURCE] in ("counted", "estimated")
    assert span.attributes[semconv.USAGE_OUTPUT_TOKENS] > 0


def test_zeros_at_the_end_take_nothing_back(recorded: Any) -> None:
    zeros = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    with Wire(sse({**CHAT_CHUNKS[0], "usage": USAGE}, *CHAT_CHUNKS[1:], {**USAGE_CHUNK, "usage": zeros})) as wire:
        list(client(wire).chat.completions.create(**ASK, stream=True))
    span = recorded.one()
    assert (span["gen_ai.usage.input_tokens"], span.text) == (20, "Hello")
    assert span.get("agentops.cost.estimated") is None


def test_a_reply_that_begins_with_a_byte_order_mark_is_read(recorded: Any) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(completion({"role": "assistant", "content": "Hello there."})).encode()
    with Wire(Reply(body)) as wire:
        client(wire).chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert "Hello there." in recorded.one().attributes[semconv.OUTPUT_MESSAGES]
