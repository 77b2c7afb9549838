"""What leaves the building with LangChain's models and tools: a vendor is told nothing, the program's services are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from opentelemetry import propagate
from tests.openai.bodies import CHAT_CHUNKS, EMBEDDINGS, completion
from tests.wire.http import Reply, Request, Wire, sse

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

INCOMING = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "baggage": "user.id=u-17"}


@pytest.fixture(autouse=True)
def _recording() -> Iterator[None]:
    agentops.init(exporters=[MemoryExporter()])
    yield
    agentops.shutdown()


def answer(request: Request) -> Reply:
    if request.path.endswith("embeddings"):
        return Reply(EMBEDDINGS)
    return (
        sse(*CHAT_CHUNKS) if request.body.get("stream") else Reply(completion({"role": "assistant", "content": "Hi"}))
    )


def carrier() -> dict[str, str]:
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers


def test_openai_models_and_embeddings() -> None:
    hooks: Any = {"request": [lambda request: propagate.inject(request.headers)]}
    with Wire(answer) as wire, openai.DefaultHttpxClient(event_hooks=hooks, verify=False) as transport:
        given: Any = {"base_url": wire.url, "api_key": "none", "max_retries": 0, "http_client": transport}
        with agentops.extract(INCOMING), agentops.span("run"):
            model = ChatOpenAI(model="gpt-4o", **given)
            model.invoke("Hi")
            list(model.stream("Hi"))
            OpenAIEmbeddings(model="text-embedding-3-small", check_embedding_ctx_length=False, **given).embed_query(
                "Hi"
            )
            assert carrier()["baggage"] == INCOMING["baggage"]
        assert len(wire.requests) == 3
        for request in wire.requests:
            assert {"traceparent", "tracestate", "baggage"}.isdisjoint(request.headers)


def test_a_model_of_the_programs_own_and_a_tool() -> None:
    seen: dict[str, dict[str, str]] = {}

    class Model(GenericFakeChatModel):
        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            seen["model"] = carrier()
            return super()._generate(*args, **kwargs)

    @tool
    def look_up(text: str) -> str:
        """Look it up."""
        seen["tool"] = carrier()
        return text

    with agentops.extract(INCOMING):
        Model(messages=iter([AIMessage("Hi")])).invoke("Hi")
        look_up.invoke({"text": "x"})
    assert seen["model"] == {}
    assert seen["tool"]["baggage"] == INCOMING["baggage"]
    assert seen["tool"]["traceparent"].startswith(f"00-{'a' * 32}")
