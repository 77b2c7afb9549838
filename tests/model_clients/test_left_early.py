"""Recorded streams that are left in their middle: some had told their tokens, others tell them at their end.

What had come is on the span and nothing more: the text, the input tokens where the stream had told them, an estimate of
what it had not, which says so, and no choice of a tool that was not whole. It is read here from the raw lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pytest
from tests.model_clients import recordings
from tests.openai.spans import Seen
from tests.openai_dialect.clients import CLIENTS
from tests.shared import shared
from tests.wire.http import Wire


@dataclass
class Come:
    """What the raw events that were read say."""

    text: str
    read: int | None
    """Input tokens, where they were told."""
    over: bool
    """Whether the last word was among them."""
    written: bool = False
    """Whether output tokens were told too."""


class Anthropic:
    apis = ("messages",)
    provider = "anthropic"

    def client(self, url: str) -> AbstractContextManager[Any]:
        library = pytest.importorskip("anthropic", reason="needs the anthropic client")
        return library.Anthropic(base_url=url.removesuffix("/v1"), api_key="none", max_retries=0)  # type: ignore[no-any-return]  # it is one

    def stream(self, asking: Any, exchange: dict[str, Any]) -> Iterator[Any]:
        body = dict(exchange["request"])
        asked = {name: body.pop(name) for name in ("model", "max_tokens", "messages", "stream")}
        return asking.messages.create(**asked, extra_body=body)  # type: ignore[no-any-return]  # as a stream

    def items(self, exchange: dict[str, Any]) -> list[dict[str, Any]]:
        return [each for each in recordings.objects(exchange["response_body"]) if each["type"] != "ping"]

    def come(self, items: list[dict[str, Any]]) -> Come:
        usage = next(each["message"]["usage"] for each in items if each["type"] == "message_start")
        names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        deltas = [each["delta"] for each in items if each["type"] == "content_block_delta"]
        text = "".join(each.get("text", "") for each in deltas if each["type"] == "text_delta")
        over = any(each["type"] in ("message_delta", "message_stop") for each in items)
        return Come(text, sum(usage.get(name) or 0 for name in names), over)


class Google:
    apis = ("gemini.generate",)
    provider = "gcp.gemini"

    def client(self, url: str) -> AbstractContextManager[Any]:
        from tests.google_genai import clients

        clients.package()
        return clients.client(url)

    def stream(self, asking: Any, exchange: dict[str, Any]) -> Iterator[Any]:
        model = exchange["path"].partition("/models/")[2].partition(":")[0]
        return asking.models.generate_content_stream(model=model, contents="Hi")  # type: ignore[no-any-return]  # a stream

    def items(self, exchange: dict[str, Any]) -> list[dict[str, Any]]:
        return recordings.objects(exchange["response_body"])

    def come(self, items: list[dict[str, Any]]) -> Come:
        told = [each["usageMetadata"] for each in items if "promptTokenCount" in each.get("usageMetadata", {})]
        read = told[-1]["promptTokenCount"] + told[-1].get("toolUsePromptTokenCount", 0) if told else None
        candidates = [candidate for each in items for candidate in each.get("candidates") or ()]
        parts = [part for each in candidates for part in (each.get("content") or {}).get("parts") or ()]
        text = "".join(part["text"] for part in parts if "text" in part and not part.get("thought"))
        written = bool(told) and "candidatesTokenCount" in told[-1]
        return Come(text, read, any(each.get("finishReason") for each in candidates), written)


class Groq:
    apis = ("chat.completions",)
    provider = "groq"

    def client(self, url: str) -> AbstractContextManager[Any]:
        CLIENTS["groq"].package()
        return CLIENTS["groq"].client(url)

    def stream(self, asking: Any, exchange: dict[str, Any]) -> Iterator[Any]:
        body = dict(exchange["request"])
        asked = {name: body.pop(name) for name in ("model", "messages", "stream")}
        return asking.chat.completions.create(**asked, extra_body=body)  # type: ignore[no-any-return]  # as a stream

    def items(self, exchange: dict[str, Any]) -> list[dict[str, Any]]:
        return recordings.objects(exchange["response_body"])

    def come(self, items: list[dict[str, Any]]) -> Come:
        choices = [choice for each in items for choice in each.get("choices") or ()]
        text = "".join((each.get("delta") or {}).get("content") or "" for each in choices)
        return Come(text, None, any(each.get("finish_reason") for each in choices))


KINDS: dict[str, Any] = {"anthropic": Anthropic(), "google": Google(), "groq": Groq()}


def exchanges() -> list[tuple[str, dict[str, Any]]]:
    folder = shared("recorded")
    if folder is None:
        return []
    found = [(name, json.loads(path.read_text())) for name in KINDS for path in sorted((folder / name).glob("*.json"))]
    return [(name, each) for name, each in found if each["stream"] and each["status"] < 400 and each["request"]]


EXCHANGES = exchanges()
if not EXCHANGES:
    pytest.skip("the recorded exchanges are not beside this checkout", allow_module_level=True)


@pytest.mark.filterwarnings("ignore:The model .* is deprecated:DeprecationWarning")
@pytest.mark.parametrize(("name", "exchange"), EXCHANGES, ids=[each["id"] for _, each in EXCHANGES])
def test_a_recorded_stream_that_is_left(name: str, exchange: dict[str, Any], recorded: Any) -> None:
    kind = KINDS[name]
    items = kind.items(exchange)
    with Wire(recordings.reply_of(exchange)) as wire, kind.client(wire.url) as asking:
        for count in sorted({1, max(1, len(items) // 2)}):
            stream = kind.stream(asking, exchange)
            for _ in range(count):
                next(stream)
            stream.close()  # type: ignore[attr-defined]  # whatever it is, it can be closed
            check(recorded.one(), kind.come(items[:count]))


def check(span: Seen, come: Come) -> None:
    assert (span.outcome, span.text) == ("ok" if come.over else "abandoned", come.text)
    if come.read is not None:
        assert span["gen_ai.usage.input_tokens"] == come.read
    if come.over:
        return
    called = any(part["type"] in ("tool_call", "server_tool_call") for part in span.parts)
    assert called or "agentops.decision.chosen" not in span.attributes
    source = span.get("agentops.usage.source")
    if come.read is None:
        assert (source, span["gen_ai.usage.input_tokens"] > 0) == ("estimated", True)
    elif come.text:
        assert (source, span["gen_ai.usage.output_tokens"] > 0) == ("reported" if come.written else "estimated", True)
