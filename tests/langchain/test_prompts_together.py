"""Several prompts that a completion model sends together: what the reply used counts once."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models.llms import BaseLLM
from langchain_core.outputs import Generation, LLMResult
from langchain_openai import OpenAI
from tests.wire.http import Reply, Request, Wire

from agentops_sdk import semconv
from agentops_sdk.testing import capture

PROMPTS = ["one", "two", "three"]


def answer(request: Request) -> Reply:
    choices = [{"index": at, "text": "yes", "finish_reason": "stop", "logprobs": None} for at in range(len(PROMPTS))]
    assert request.body["prompt"] == PROMPTS
    usage = {"prompt_tokens": 9, "completion_tokens": 6, "total_tokens": 15}
    return Reply({"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "gpt-3.5-turbo-instruct",
                  "choices": choices, "usage": usage})  # fmt: skip


class Local(BaseLLM):
    """A model that asks nobody, and tells what all its prompts took."""

    @property
    def _llm_type(self) -> str:
        return "local"

    def _generate(self, prompts: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> LLMResult:
        usage = {"prompt_tokens": 9, "completion_tokens": 6, "total_tokens": 15}
        return LLMResult(generations=[[Generation(text="yes")] for _ in prompts], llm_output={"token_usage": usage})


def told(spans: Any, name: str) -> list[Any]:
    return [span.attributes[name] for span in spans if name in span.attributes]


def test_the_providers_call_has_the_usage_of_all() -> None:
    with capture() as run, Wire(answer) as wire:
        given: Any = {"base_url": wire.url, "api_key": "none", "max_retries": 0}
        model = OpenAI(model="gpt-3.5-turbo-instruct", **given)
        assert len(model.generate(PROMPTS).generations) == 3
        model.client._client.close()
    spans = run.spans
    assert len(spans) == 4
    assert told(spans, semconv.PROVIDER_NAME) == ["openai"] * 4
    assert told(spans, semconv.USAGE_INPUT_TOKENS) == [9]
    assert len(told(spans, semconv.COST_AMOUNT)) == 1
    assert (run.usage.input, run.usage.output) == (9, 6)


def test_a_model_without_a_client_tells_it_once() -> None:
    with capture() as run:
        Local().generate(PROMPTS)
    assert told(run.spans, semconv.USAGE_INPUT_TOKENS) == [9]
    assert told(run.spans, semconv.USAGE_SOURCE) == ["reported"]
