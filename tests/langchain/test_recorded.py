"""Real replies of OpenAI's, replayed over HTTP: one span for both layers of a call, with the true figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.openai import recorded
from tests.wire.http import Reply, Wire

pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")

EXCHANGES = [
    each
    for each in recorded.exchanges()
    if each["api"] == "chat.completions" and each["status"] == 200 and each["provider"] == "openai"
]
if not EXCHANGES:
    pytest.skip("the recorded exchanges are not beside this checkout", allow_module_level=True)


@pytest.mark.parametrize("exchange", EXCHANGES[:60], ids=lambda each: str(each["id"])[:60])
def test_recorded_reply(exchange: dict[str, Any], spans: Callable[[], Any]) -> None:
    from langchain_openai import ChatOpenAI

    stream = bool(exchange["stream"])
    kind = "text/event-stream" if stream else "application/json"
    with Wire(Reply(body=exchange["response_body"], content_type=kind)) as wire:
        model = ChatOpenAI(base_url=wire.url, api_key="local", model="gpt-4o-mini", max_retries=0, stream_usage=True)  # type: ignore[arg-type]  # pydantic's SecretStr takes text
        if stream:
            for _ in model.stream("hello"):
                pass
        else:
            model.invoke("hello")
    (span,) = spans()
    said = recorded.said(exchange)
    told = span.attributes
    assert {name: told.get(name) for name in said.usage} == said.usage
    assert told.get("gen_ai.response.id") == said.id
    assert span.name == "chat gpt-4o-mini"
