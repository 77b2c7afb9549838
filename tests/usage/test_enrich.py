"""What leaves after an ended model call: source of its tokens, its cost or the reason why nobody knows it."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from agentops_sdk import prices
from agentops_sdk._usage.enrich import enrich
from agentops_sdk.integration import semconv

HOSTILE = [True, "12", "", -1, 1.5, float("nan"), float("inf"), 10**30, [], {}, object(), b"1"]


@pytest.fixture(autouse=True)
def _offline_and_published_prices(monkeypatch: pytest.MonkeyPatch) -> Any:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    prices.clear()
    yield
    prices.clear()


def call(**extra: Any) -> dict[str, Any]:
    attributes = {
        semconv.KIND: "llm",
        semconv.OUTCOME: "ok",
        semconv.PROVIDER_NAME: "openai",
        semconv.REQUEST_MODEL: "gpt-4o",
        semconv.RESPONSE_MODEL: "gpt-4o-2024-08-06",
    }
    return attributes | {getattr(semconv, name): value for name, value in extra.items()}


def said(text: str, role: str = "assistant") -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def test_reported_tokens_cost_what_is_published() -> None:
    attributes = call(USAGE_INPUT_TOKENS=1000, USAGE_OUTPUT_TOKENS=100, USAGE_CACHE_READ=400)
    enrich(attributes)
    assert attributes[semconv.USAGE_SOURCE] == "reported"
    # 600 × 2.50 + 400 × 1.25 + 100 × 10 dollars per million
    assert attributes[semconv.COST_AMOUNT] == attributes[semconv.OPERATION_COST] == 0.003
    assert attributes[semconv.COST_CURRENCY] == "USD"
    assert attributes[semconv.COST_SOURCE] == "genai-prices"
    assert attributes[semconv.COST_VERSION]
    assert semconv.COST_ESTIMATED not in attributes
    assert semconv.COST_UNKNOWN_REASON not in attributes


def test_injected_stays_injected() -> None:
    attributes = call(USAGE_INPUT_TOKENS=10, USAGE_OUTPUT_TOKENS=1, USAGE_SOURCE="injected")
    enrich(attributes)
    assert attributes[semconv.USAGE_SOURCE] == "injected"


def test_an_unknown_price_is_unknown_and_never_zero() -> None:
    attributes = call(USAGE_INPUT_TOKENS=10, RESPONSE_MODEL="our-own", REQUEST_MODEL="our-own")
    enrich(attributes)
    assert semconv.COST_AMOUNT not in attributes
    assert semconv.OPERATION_COST not in attributes
    assert attributes[semconv.COST_UNKNOWN_REASON] == "no price known for model our-own of openai"


def test_a_deployments_name_is_priced_by_the_model_that_answered() -> None:
    attributes = call(
        PROVIDER_NAME="azure.ai.openai", REQUEST_MODEL="prod-eu", USAGE_INPUT_TOKENS=1_000_000, USAGE_OUTPUT_TOKENS=0
    )
    enrich(attributes)
    assert attributes[semconv.COST_AMOUNT] == 2.5


def test_an_alias_prices_a_deployment_that_no_reply_explains() -> None:
    prices.alias("prod-eu", "gpt-4o")
    attributes = call(
        PROVIDER_NAME="azure.ai.openai", REQUEST_MODEL="prod-eu", RESPONSE_MODEL="prod-eu", USAGE_INPUT_TOKENS=1_000_000
    )
    enrich(attributes)
    assert attributes[semconv.COST_AMOUNT] == 2.5


def test_a_cost_in_the_reply_is_passed_on_unchanged() -> None:
    attributes = call(USAGE_INPUT_TOKENS=10, COST_AMOUNT=0.01058775, COST_CURRENCY="USD", COST_SOURCE="provider")
    enrich(attributes)
    assert attributes[semconv.COST_AMOUNT] == attributes[semconv.OPERATION_COST] == 0.01058775
    assert attributes[semconv.COST_SOURCE] == "provider"


def test_a_refused_call_has_neither_tokens_nor_cost_nor_a_question() -> None:
    attributes = call(OUTCOME="error", INPUT_MESSAGES=said("hello", "user"))
    before = dict(attributes)
    enrich(attributes)
    assert attributes == before


def test_an_abandoned_stream_is_worked_out_and_says_so() -> None:
    attributes = call(
        OUTCOME="abandoned", INPUT_MESSAGES=said("Tell me a story", "user"), OUTPUT_MESSAGES=said("Once upon a time")
    )
    enrich(attributes)
    assert attributes[semconv.USAGE_INPUT_TOKENS] > 3
    assert attributes[semconv.USAGE_OUTPUT_TOKENS] >= 3
    assert attributes[semconv.USAGE_SOURCE] in ("counted", "estimated")
    assert attributes[semconv.COST_AMOUNT] > 0
    assert attributes[semconv.COST_ESTIMATED] is True


def test_a_call_given_up_before_the_first_word_is_unknown() -> None:
    attributes = call(OUTCOME="cancelled", INPUT_MESSAGES=said("Tell me a story", "user"))
    enrich(attributes)
    assert semconv.USAGE_INPUT_TOKENS not in attributes
    assert attributes[semconv.COST_UNKNOWN_REASON] == "no usage was reported, and there was nothing to count"


@pytest.mark.parametrize("answer", [said("Once upon a time"), None], ids=["said", "not captured"])
def test_a_stream_that_reports_its_prompt_only_is_not_priced_as_if_it_said_nothing(answer: str | None) -> None:
    attributes = call(USAGE_INPUT_TOKENS=10, REQUEST_STREAM=True, **({"OUTPUT_MESSAGES": answer} if answer else {}))
    enrich(attributes)
    if answer:
        assert (attributes[semconv.USAGE_INPUT_TOKENS], attributes[semconv.USAGE_SOURCE]) == (10, "estimated")
        assert attributes[semconv.USAGE_OUTPUT_TOKENS] >= 3
        assert attributes[semconv.COST_ESTIMATED] is True
    else:
        assert semconv.COST_AMOUNT not in attributes
        assert attributes[semconv.COST_UNKNOWN_REASON] == "a streamed reply did not say how long it was"


@pytest.mark.parametrize("value", HOSTILE, ids=[repr(value)[:20] for value in HOSTILE])
def test_hostile_counts_never_raise_and_never_count(value: object) -> None:
    for name in ("USAGE_INPUT_TOKENS", "USAGE_OUTPUT_TOKENS", "USAGE_CACHE_READ", "USAGE_AUDIO_INPUT"):
        attributes = call(**{"USAGE_INPUT_TOKENS": 10, name: value})
        enrich(attributes)
        assert getattr(semconv, name) not in attributes
        assert semconv.COST_AMOUNT not in attributes
        assert "is not a count" in attributes[semconv.COST_UNKNOWN_REASON]
    attributes = call(USAGE_INPUT_TOKENS=10, COST_AMOUNT=value)
    enrich(attributes)
    assert isinstance(attributes.get(semconv.COST_AMOUNT, 0.0), float)
    attributes = call(USAGE_INPUT_TOKENS=10) | dict.fromkeys(
        (semconv.RESPONSE_MODEL, semconv.REQUEST_MODEL, semconv.PROVIDER_NAME, semconv.USAGE_SERVICE_TIER), value
    )
    enrich(attributes)
    enrich(call() | {semconv.INPUT_MESSAGES: value, semconv.OUTPUT_MESSAGES: value, semconv.TOOL_DEFINITIONS: value})
    enrich(
        call() | {semconv.OUTPUT_MESSAGES: json.dumps([{"parts": [{"type": "text"}, 3, None, {"type": "blob"}]}, 4])}
    )


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"USAGE_CACHE_READ": 2000}, "cache read tokens (2000) exceed input tokens (1000)"),
        ({"USAGE_AUDIO_INPUT": 500}, "no price for audio input tokens"),
        ({"OPENAI_RESPONSE_SERVICE_TIER": "flex"}, "no price known for service tier flex of model gpt-4o-2024-08-06"),
        (
            {"OPENAI_RESPONSE_SERVICE_TIER": "scale"},
            "reserved capacity is paid by time, not by token; set your own price",
        ),
        ({"USAGE_CACHE_CREATION": 10, "USAGE_CACHE_CREATION_1H": 10}, "no price for tokens cached for one hour"),
    ],
)
def test_traps_are_refused_with_a_reason(extra: dict[str, Any], reason: str) -> None:
    attributes = call(USAGE_INPUT_TOKENS=1000, USAGE_OUTPUT_TOKENS=10, **extra)
    enrich(attributes)
    assert semconv.COST_AMOUNT not in attributes
    assert attributes[semconv.COST_UNKNOWN_REASON] == reason


def test_a_failing_callback_leaves_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    prices.set_callback(lambda *_: 1 / 0)
    attributes = call(USAGE_INPUT_TOKENS=10)
    with pytest.raises(ZeroDivisionError):
        enrich(attributes)  # the consumer's guard swallows it in production
    assert attributes[semconv.COST_UNKNOWN_REASON] == "working out the price failed"
