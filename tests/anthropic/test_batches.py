"""Batches: their results tell what they used, each by its own price, and once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.anthropic.test_messages import ASKED, WHOLE, Wire, anthropic, how
from tests.wire.http import Reply, Request

if not hasattr(anthropic.resources.messages, "batches"):
    pytest.skip(f"anthropic {anthropic.__version__} has no batches", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SONNET, HAIKU = "claude-sonnet-4-5", "claude-haiku-4-5"


def answer(model: str, **usage: int) -> dict[str, Any]:
    figures = {"input_tokens": 0, "output_tokens": 0, **usage, "service_tier": "batch"}
    return {**WHOLE, "model": model, "usage": figures}


RESULTS: list[dict[str, Any]] = [
    {"custom_id": "a", "result": {"type": "succeeded", "message": answer(SONNET, input_tokens=150_000)}},
    {"custom_id": "b", "result": {"type": "succeeded", "message": answer(SONNET, input_tokens=150_000)}},
    {"custom_id": "c", "result": {"type": "succeeded", "message": answer(HAIKU, output_tokens=1_000)}},
    {"custom_id": "d", "result": {"type": "errored", "error": {"type": "error", "error": {"type": "x"}}}},
]
# Per million: 3 in of Sonnet below its long context, 5 out of Haiku; half of it in a batch.
COST = (300_000 * 3 + 1_000 * 5) / 1e6 / 2


def service(ident: str) -> Any:
    def reply(request: Request) -> Reply:
        if request.path.partition("?")[0].endswith("/results"):
            return Reply("".join(json.dumps(line) + "\n" for line in RESULTS), content_type="application/x-jsonl")
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        url = f"http://{request.headers.get('Host') or request.headers['host']}/v1/messages/batches/{ident}/results"
        return Reply({
            "id": ident, "type": "message_batch", "processing_status": "ended", "request_counts": counts,
            "results_url": url, "created_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-02T00:00:00Z",
            "ended_at": None, "archived_at": None, "cancel_initiated_at": None,
        })  # fmt: skip

    return reply


def check(spans: list[Any], ident: str, *, first: bool) -> None:
    results = spans[-1]
    assert results.name == "messages.batches.results"
    assert {span["agentops.usage.of"] for span in spans} == {ident}
    assert all("gen_ai.usage.input_tokens" not in span.attributes for span in spans[:-1])
    if not first:
        assert "gen_ai.usage.input_tokens" not in results.attributes
        assert "agentops.cost.amount" not in results.attributes
        return
    assert results["gen_ai.usage.input_tokens"] == 300_000
    assert results["gen_ai.usage.output_tokens"] == 1_000
    assert results["agentops.usage.source"] == "reported"
    assert results["agentops.cost.amount"] == pytest.approx(COST, rel=1e-9)
    assert results.json("agentops.output")["errored"] == 1


@pytest.mark.parametrize("beta", [False, True])
def test_created_read_and_read_again(recorded: Any, beta: bool) -> None:
    ident = f"msgbatch_{beta}"
    with Wire(service(ident)) as wire, anthropic.Anthropic(**how(wire)) as client:
        batches = (client.beta if beta else client).messages.batches
        batch = batches.create(requests=[{"custom_id": "a", "params": {**ASKED, "model": SONNET}}])
        assert [line.custom_id for line in batches.results(batch.id)] == ["a", "b", "c", "d"]
        spans = recorded()
        names = ["messages.batches.create", "messages.batches.retrieve", "messages.batches.results"]
        assert [span.name for span in spans] == names
        check(spans, ident, first=True)
        list(batches.results(batch.id))
        check(recorded(), ident, first=False)


async def test_asynchronous(recorded: Any) -> None:
    with Wire(service("msgbatch_async")) as wire:
        async with anthropic.AsyncAnthropic(**how(wire)) as client:
            assert [line.custom_id async for line in await client.messages.batches.results("msgbatch_async")]
    check(recorded(), "msgbatch_async", first=True)


def test_results_that_are_not_read_to_their_end_are_read_later(recorded: Any) -> None:
    with Wire(service("msgbatch_left")) as wire, anthropic.Anthropic(**how(wire)) as client:
        results = client.messages.batches.results("msgbatch_left")
        next(iter(results))
        results.http_response.close()
        _, left = recorded()
        assert "gen_ai.usage.input_tokens" not in left.attributes
        assert left["agentops.cost.unknown_reason"] == "the results were not read to their end"
        list(client.messages.batches.results("msgbatch_left"))
        check(recorded(), "msgbatch_left", first=True)
