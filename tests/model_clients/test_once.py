"""A model of LangChain's that asks through one of these clients is one span, with the client's figures once."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import pytest
from tests.recorded import Recorded
from tests.wire.http import Reply, Wire

if importlib.util.find_spec("langchain_core") is None:
    pytest.skip("needs langchain", allow_module_level=True)

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult


class Model(BaseChatModel):
    """A model as the libraries around LangChain write them, each around one client."""

    ask: Callable[[], Any]

    @property
    def _llm_type(self) -> str:
        return "test"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        self.ask()
        return ChatResult(generations=[ChatGeneration(message=AIMessage("Sunny."))])


Model.__module__ = "langchain_partner.chat_models"


def groq(url: str) -> tuple[Any, Callable[[Any], Any]]:
    clients = importlib.import_module("tests.openai_dialect.clients")
    client = clients.CLIENTS["groq"]
    return client.client(url), lambda asking: asking.chat.completions.create(**clients.ASKED)


def google(url: str) -> tuple[Any, Callable[[Any], Any]]:
    clients = importlib.import_module("tests.google_genai.clients")
    clients.package()
    return clients.client(url), lambda asking: asking.models.generate_content(model=clients.MODEL, contents="Paris?")


def cohere(url: str) -> tuple[Any, Callable[[Any], Any]]:
    clients = importlib.import_module("tests.cohere.clients")
    clients.package()
    return clients.client(url), lambda asking: asking.chat(**clients.ASKED)


def bedrock(url: str) -> tuple[Any, Callable[[Any], Any]]:
    clients = importlib.import_module("tests.bedrock.clients")
    clients.package()
    return clients.client(url), lambda asking: asking.converse(**clients.ASKED)


def mistral(url: str) -> tuple[Any, Callable[[Any], Any]]:
    clients = importlib.import_module("tests.mistral.clients")
    clients.package()
    return clients.client(url), lambda asking: asking.chat.complete(**clients.ASKED)


def ollama(url: str) -> tuple[Any, Callable[[Any], Any]]:
    clients = importlib.import_module("tests.ollama.clients")
    clients.package()
    return clients.client(url), lambda asking: asking.chat(**clients.ASKED)


BEDROCK = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Sunny."}]}}, "stopReason": "end_turn",
    "usage": {"inputTokens": 21, "outputTokens": 8, "totalTokens": 29},
}  # fmt: skip
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Sunny."}, "finish_reason": "stop"}
CHAT = {
    "id": "1", "object": "chat.completion", "created": 1, "model": "a-model", "choices": [CHOICE],
    "usage": {"prompt_tokens": 21, "completion_tokens": 8, "total_tokens": 29},
}  # fmt: skip
GOOGLE = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Sunny."}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 21, "candidatesTokenCount": 8, "totalTokenCount": 29},
}
COHERE = {
    "id": "1", "message": {"role": "assistant", "content": [{"type": "text", "text": "Sunny."}]},
    "finish_reason": "COMPLETE", "usage": {"billed_units": {"input_tokens": 21, "output_tokens": 8}},
}  # fmt: skip
OLLAMA = {
    "model": "llama3.1", "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": "Sunny."},
    "done": True, "done_reason": "stop", "prompt_eval_count": 21, "eval_count": 8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("create", "body", "provider"),
    [
        (groq, CHAT, "groq"),
        (google, GOOGLE, "gcp.gemini"),
        (bedrock, BEDROCK, "aws.bedrock"),
        (cohere, COHERE, "cohere"),
        (mistral, CHAT, "mistral_ai"),
        (ollama, OLLAMA, "ollama"),
    ],
)
def test_one_call_is_one_span_through_langchain(create: Any, body: Any, provider: str, recorded: Recorded) -> None:
    with Wire(Reply(body)) as wire:
        client, ask = create(wire.url)
        with client as asking:
            Model(ask=lambda: ask(asking)).invoke("Paris?")
    span = recorded.one()
    assert span["gen_ai.provider.name"] == provider
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (21, 8)
    assert span["server.address"] == "127.0.0.1"
