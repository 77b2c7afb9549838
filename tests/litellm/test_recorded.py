"""Real traffic of each provider that LiteLLM speaks to, through it: the span says what the raw reply says.

LiteLLM makes identifiers and reasons to stop its own: those are as in the reply that it gives. One of each kind is
tried with each change, all before a release.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from tests.anthropic import recordings as claude
from tests.bedrock import test_recorded as bedrock
from tests.google_genai import test_recorded as google
from tests.litellm.clients import package
from tests.model_clients import recordings
from tests.openai import recorded as dialect
from tests.openai.recorded import Said
from tests.openai.spans import Seen
from tests.shared import shared
from tests.wire.http import Wire

PREFIXES = {
    "azure": "azure", "cerebras": "cerebras", "deepseek": "deepseek", "groq": "groq", "mistral": "mistral",
    "openai": "openai", "openrouter": "openrouter", "together": "together_ai", "zai": "zai",
}  # fmt: skip
"""LiteLLM's words for those that speak OpenAI's dialect."""
OTHERS = ("messages", "gemini.generate", "cohere.chat", "bedrock.converse", "ollama.chat")
ASKED = [{"role": "user", "content": "Hi"}]
READ, WRITTEN = "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens"


def _speaks(exchange: dict[str, Any]) -> bool:
    if exchange["request"] is None or exchange["provider"] == "vertex":  # whose keys it fetches elsewhere
        return False
    spoken = exchange["provider"] in PREFIXES and exchange["api"] in ("chat.completions", "responses")
    return exchange["api"] in OTHERS or (spoken and exchange["api"] != "responses") or exchange["provider"] == "openai"


def _exchanges() -> Iterator[Any]:
    folder = shared("recorded")
    known: Counter[tuple[str, str, bool]] = Counter()
    for path in sorted(folder.glob("*/*.json")) if folder is not None else ():
        exchange = json.loads(path.read_text())
        if _speaks(exchange) and exchange["api"] in (*OTHERS, "chat.completions", "responses"):
            kind = (exchange["provider"], exchange["api"], exchange["stream"])
            known[kind] += 1
            marks = (pytest.mark.slow, pytest.mark.long) if known[kind] > 1 else ()
            yield pytest.param(exchange, id=exchange["id"], marks=marks)


EXCHANGES = list(_exchanges())
if not EXCHANGES:
    pytest.skip("the recorded exchanges are not beside this checkout", allow_module_level=True)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_span_says_what_the_reply_says(
    exchange: dict[str, Any], recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    package()
    monkeypatch.setitem(sys.modules, "soundfile", ModuleType("soundfile"))  # which is in another extra
    with Wire(recordings.reply_of(exchange)) as wire:
        for way in (_ask, _ask_async):
            told: list[Any] = []
            problem = recordings.asked(way, exchange, wire.url, told)
            span = recorded.one()
            assert span["gen_ai.request.model"] == _model(exchange)
            if problem is not None:  # LiteLLM's caller sees an error, whatever the provider has said
                assert span.outcome == "error"
                assert exchange["status"] >= 400 or exchange["id"].startswith(REFUSED), problem
                continue
            assert (exchange["status"], span.outcome) == (200, "ok")
            _check(exchange, span, told)


# --- Anthropic's own messages, embeddings, reranking --------------------------------------------------

_MORE = ("messages", "embeddings", "cohere.embed", "cohere.rerank", "gemini.embed")


def _others() -> Iterator[Any]:
    folder = shared("recorded")
    known: set[tuple[str, str, bool]] = set()
    for path in sorted(folder.glob("*/*.json")) if folder is not None else ():
        exchange = json.loads(path.read_text())
        kind = (exchange["provider"], exchange["api"], exchange["stream"])
        if exchange["api"] in _MORE and exchange["status"] == 200 and kind[0] != "vertex":
            marks = (pytest.mark.slow, pytest.mark.long) if kind in known else ()
            known.add(kind)
            yield pytest.param(exchange, id=exchange["id"], marks=marks)


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")  # LiteLLM's own, of vectors as a text
@pytest.mark.parametrize("exchange", list(_others()))
def test_span_of_another_kind_says_what_the_reply_says(exchange: dict[str, Any], recorded: Any) -> None:
    package()
    api = exchange["api"]
    with Wire(recordings.reply_of(exchange)) as wire:
        asyncio.run(_ask_another(exchange, wire.url))
    span = recorded.one()
    assert span.outcome == "ok"
    if api == "messages":
        expected = _of_claude(claude.final(exchange))
        assert (span["gen_ai.response.id"], span["gen_ai.response.model"]) == (expected.id, expected.model)
        assert list(span["gen_ai.response.finish_reasons"]) == [claude.final(exchange)["stop_reason"]]
        assert (span.text, span.calls) == (expected.text, expected.calls)
        told = {name: span.get(name) for name in expected.usage}
        if not claude.final(exchange)["usage"].get("iterations"):  # compactions are billed beside
            assert told == expected.usage
        return
    reply = json.loads(exchange["response_body"])
    if api == "cohere.rerank":
        documents = span.json("gen_ai.retrieval.documents")
        ranked = [(each["index"], each["relevance_score"]) for each in reply["results"]]
        assert [(int(each["id"]), each["score"]) for each in documents] == ranked
        return
    texts = exchange["request"].get("input") or exchange["request"].get("texts")
    if texts is None:
        texts = [each["content"]["parts"][0]["text"] for each in exchange["request"]["requests"]]
    texts = texts if isinstance(texts, list) else [texts]
    assert span.json("agentops.input") in (texts, texts[0])
    usage = reply.get("usage") or {}
    if tokens := usage.get("prompt_tokens"):
        assert span["gen_ai.usage.input_tokens"] == tokens


async def _ask_another(exchange: dict[str, Any], url: str) -> None:
    litellm, api, base = package(), exchange["api"], url.removesuffix("/v1")
    body, how = exchange["request"], {"api_key": "none", "max_retries": 0}
    if api == "messages":
        asked = {"max_tokens": 9, **body, "model": f"anthropic/{body['model']}"}
        reply = await litellm.anthropic_messages(**asked, api_base=base, api_key="none")
        if exchange["stream"]:
            async for _ in reply:
                pass
    elif api == "cohere.rerank":
        asked = {name: body[name] for name in ("query", "documents", "top_n") if body.get(name)}
        model = f"cohere/{body['model']}"
        await litellm.arerank(model=model, api_base=base + exchange["path"], **asked, api_key="none")
    elif api == "gemini.embed":
        texts = [each["content"]["parts"][0]["text"] for each in body["requests"]]
        await litellm.aembedding(f"gemini/{google.model_of(exchange)}", input=texts, api_base=base, **how)
    else:
        prefix, address = {"cohere": ("cohere", base + exchange["path"])}.get(exchange["provider"], ("openai", url))
        prefix = "mistral" if exchange["provider"] == "mistral" else prefix
        texts = body.get("input") or body["texts"]
        more = {"input_type": body["input_type"]} if body.get("input_type") else {}
        await litellm.aembedding(f"{prefix}/{body['model']}", input=texts, api_base=address, **more, **how)


REFUSED = (
    "cohere-cohere-chat-agent-with-multiple-tools-7", "cohere-cohere-chat-cohere-v2-chat-legacy-with-streaming",
    "cohere-cohere-chat-stream-with-events", "groq-chat-completions-groq-model-thinking-part-1",
    "groq-chat-completions-tool-use-failed-error-streaming", "openrouter-chat-completions-openrouter-stream-error",
)  # fmt: skip
"""Good replies that LiteLLM cannot read, and errors within a stream: its caller gets an exception."""


def _model(exchange: dict[str, Any]) -> str:
    if exchange["api"].startswith("bedrock"):
        return bedrock.model_of(exchange)
    return google.model_of(exchange) if exchange["api"].startswith("gemini") else str(exchange["request"]["model"])


def _asking(exchange: dict[str, Any], url: str) -> dict[str, Any]:
    """The arguments: where LiteLLM speaks the request's dialect, all of it."""
    api, base, model = exchange["api"], url.removesuffix("/v1"), _model(exchange)
    how: dict[str, Any] = {"api_key": "none", "max_retries": 0, "num_retries": 0, "drop_params": True}
    if api in ("chat.completions", "responses"):
        body = {name: value for name, value in exchange["request"].items() if name != "model"}
        return {"model": f"{PREFIXES[exchange['provider']]}/{model}", "api_base": url, **how, **body}
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "aws_region_name": "us-east-1"}
    prefix, address, more = {
        "messages": ("anthropic", base, {}),
        "gemini.generate": ("gemini", base, {}),
        "cohere.chat": ("cohere_chat", base + exchange["path"], {}),
        "bedrock.converse": ("bedrock/converse", base, keys),
        "ollama.chat": ("ollama_chat", base, {}),
    }[api]
    return {
        "model": f"{prefix}/{model}", "messages": ASKED, "api_base": address, "stream": exchange["stream"],
        **how, **more,
    }  # fmt: skip


def _ask(exchange: dict[str, Any], url: str, told: list[Any]) -> None:
    function = package().responses if exchange["api"] == "responses" else package().completion
    reply = function(**_asking(exchange, url))
    told.extend(reply if exchange["stream"] else [reply])


async def _ask_async(exchange: dict[str, Any], url: str, told: list[Any]) -> None:
    function = package().aresponses if exchange["api"] == "responses" else package().acompletion
    reply = await function(**_asking(exchange, url))
    if not exchange["stream"]:
        told.append(reply)
        return
    async for piece in reply:
        told.append(piece)
    await asyncio.sleep(0)


# --- what the reply says, worked out by other means than ours ----------------------------------------


def _check(exchange: dict[str, Any], span: Seen, told: list[Any]) -> None:
    expected = _said(exchange)
    if exchange["api"] != "responses":
        reasons = [choice.finish_reason for piece in told for choice in piece.choices if choice.finish_reason]
        assert span["gen_ai.response.id"] == next(piece.id for piece in told if piece.id)
        assert set(span["gen_ai.response.finish_reasons"]) == set(reasons)
    asked = span["gen_ai.request.model"]
    # Streams that LiteLLM reads itself repeat what was asked for; the others are told by the provider.
    assert span["gen_ai.response.model"] in (expected.model or asked, *([asked] if exchange["stream"] else []))
    if exchange["provider"] == "openai" and expected.model:
        assert span["gen_ai.response.model"] == expected.model
    usage = {name: value for name, value in span.attributes.items() if name.startswith("gen_ai.usage.") and value}
    usage.pop("gen_ai.usage.cache_write.input_tokens", None)  # the newer name of the conventions for cache_creation
    if usage and span["agentops.usage.source"] == "reported":
        assert usage == {name: value for name, value in expected.usage.items() if name.startswith("gen_ai.")}
    else:  # LiteLLM does not hand on what Groq tells of a stream that was not asked for it
        assert not expected.usage or (exchange["provider"] == "groq" and exchange["stream"])
    assert span.text == expected.text
    assert [(name, arguments or None) for name, arguments in span.calls] == [
        (name, arguments or None) for name, arguments in expected.calls
    ]
    thoughts = "".join(part["content"] for part in span.parts if part["type"] == "reasoning")
    assert thoughts == "".join(expected.thoughts)


def _said(exchange: dict[str, Any]) -> Said:
    api = exchange["api"]
    if api == "messages":
        return _of_claude(claude.final(exchange))
    if api == "gemini.generate":
        return _of_gemini(google.replies(exchange))
    if api == "bedrock.converse":
        return bedrock.said(exchange)
    if api == "cohere.chat":
        return _of_cohere(json.loads(exchange["response_body"]))
    if api == "ollama.chat":
        return _of_ollama(recordings.objects(exchange["response_body"]))
    made = dialect.said(exchange)
    if not exchange["stream"]:
        told = json.loads(exchange["response_body"]).get("usage") or {}
        inner = told.get("prompt_tokens_details") or {}
        also = {
            READ: inner.get("cached_tokens") or told.get("num_cached_tokens"),
            WRITTEN: inner.get("cache_write_tokens"),
        }
        made.usage |= {name: value for name, value in also.items() if value}
    return made


def _used(figures: dict[str, int | None]) -> dict[str, int]:
    return {f"gen_ai.usage.{name}": value for name, value in figures.items() if value}


def _of_claude(message: dict[str, Any]) -> Said:
    usage, blocks = message["usage"], message["content"]
    read, written = usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0
    return Said(
        message["id"],
        message["model"],
        usage=_used(
            {
                "input_tokens": usage["input_tokens"] + read + written, "output_tokens": usage["output_tokens"],
                "cache_read.input_tokens": read, "cache_creation.input_tokens": written,
            }
        ),
        text="".join(block["text"] for block in blocks if block["type"] == "text"),
        calls=[(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"],
        thoughts=[block["thinking"] for block in blocks if block["type"] == "thinking"],
    )  # fmt: skip


def _of_gemini(bodies: list[dict[str, Any]]) -> Said:
    usage: dict[str, Any] = next((body["usageMetadata"] for body in reversed(bodies) if body.get("usageMetadata")), {})
    candidates = [candidate for body in bodies for candidate in body.get("candidates") or ()]
    parts = [part for each in candidates for part in (each.get("content") or {}).get("parts") or ()]
    thoughts = usage.get("thoughtsTokenCount", 0)
    return Said(
        None,
        bodies[-1].get("modelVersion"),
        usage=_used(
            {
                "input_tokens": usage.get("promptTokenCount", 0) + usage.get("toolUsePromptTokenCount", 0),
                "output_tokens": usage.get("candidatesTokenCount", 0) + thoughts,
                "reasoning.output_tokens": thoughts,
                "cache_read.input_tokens": usage.get("cachedContentTokenCount"),
            }
        ),
        text="".join(part["text"] for part in parts if "text" in part and not part.get("thought")),
        calls=[
            (part["functionCall"]["name"], part["functionCall"]["args"]) for part in parts if "functionCall" in part
        ],
        thoughts=[part["text"] for part in parts if "text" in part and part.get("thought")],
    )


def _of_cohere(reply: dict[str, Any]) -> Said:
    """LiteLLM hands on the tokens, not what is billed of them, which stands in the reply below; and no plan."""
    tokens = (reply.get("usage") or reply["meta"])["billed_units"]
    message = reply["message"]
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    return Said(
        usage=_used({"input_tokens": int(tokens["input_tokens"]), "output_tokens": int(tokens["output_tokens"])}),
        text="".join(block["text"] for block in message.get("content") or ()),
        calls=[(call["name"], json.loads(call["arguments"])) for call in calls],
    )


def _of_ollama(events: list[dict[str, Any]]) -> Said:
    calls = [call["function"] for event in events for call in event["message"].get("tool_calls") or ()]
    return Said(
        usage=_used(
            {"input_tokens": events[-1].get("prompt_eval_count"), "output_tokens": events[-1].get("eval_count")}
        ),
        model=events[-1]["model"],
        text="".join(event["message"].get("content") or "" for event in events),
        calls=[(call["name"], call["arguments"]) for call in calls],
        thoughts=[event["message"]["thinking"] for event in events if event["message"].get("thinking")],
    )
