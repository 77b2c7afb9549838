"""The vendor's client, patched by an integration of a dozen lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.method_clients import acme

from agentops_sdk.integration import Patches
from agentops_sdk.integration.clients import Asked, Endpoint, Endpoints, Method, MethodClient
from agentops_sdk.integration.dialects import openai_chat

CHAT = Endpoint(
    path="chat/completions",
    request=openai_chat.chat_request,
    response=openai_chat.response,
    fold=openai_chat.assemble,
    end_mark=re.compile(rb'"finish_reason":\s*"'),
)


def _asked(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked | None:
    path, body = args
    if client is None:  # a function of the module; its model is left to be found in the body
        return Asked(path, body, url=path)
    return Asked(path, body, url=client.url, model=body["model"])


def _methods(owner: str, *names: str, **more: Any) -> list[Method]:
    return [Method(acme.__name__, owner, name, _asked, body=lambda reply: reply.text, **more) for name in names]


integration = MethodClient(
    "acme",
    acme.__name__,
    ">=1",
    provider="acme",
    endpoints=Endpoints([CHAT]),
    methods=[
        *_methods("Client", "send", "generate", "ask", "stream"),
        *_methods("Client", "hold", stream=lambda reply: "stream"),
        *_methods("Client", "exchange", "open", http=True),
        *_methods("AsyncClient", "send", "generate", "ask", "later", "stream"),
        *_methods("AsyncClient", "exchange", "open", http=True),
        *_methods("", "send"),
        *_methods("Client", "gone"),
        *_methods("Nobody", "send"),
    ],
)


@pytest.fixture
def patches() -> Iterator[Patches]:
    patches = Patches("acme")
    integration.install(acme, patches)
    yield patches
    patches.undo()


@pytest.fixture(autouse=True)
def _patched(collected: None, patches: Patches) -> None:
    """In each test here, until the SDK has stopped."""
