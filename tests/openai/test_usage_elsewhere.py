"""Tokens that other endpoints tell: once, however often they are read, with a price or a reason why there is none."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import openai
import pytest
from tests.openai.bodies import CHAT, MESSAGES, USAGE
from tests.openai.test_chat import client
from tests.wire.http import Reply, Request, Wire

import agentops_sdk as agentops
from agentops_sdk.testing import capture
from agentops_sdk.traces import Cost, Usage

MODEL = "gpt-4o-mini-2024-07-18"


def replies(*bodies: Any) -> list[Reply]:
    return [Reply(each) for each in bodies]


def test_a_stored_completion_that_is_read_again_counts_once() -> None:
    with Wire(Reply(CHAT)) as wire, capture() as traces:
        asking = client(wire)
        asking.chat.completions.create(model="gpt-4o", messages=MESSAGES, extra_body={"store": True})
        for _ in range(3):
            asking.get("/chat/completions/chatcmpl-1", cast_to=object)
        assert traces.usage.total == 27
        traces.assert_llm_calls(1)


def batch(status: str, **more: Any) -> dict[str, Any]:
    used = (
        {"input_tokens": 1_000_000, "output_tokens": 100_000, "total_tokens": 1_100_000}
        if status == "completed"
        else None
    )
    return {"id": "batch_1", "object": "batch", "endpoint": "/v1/responses", "status": status, "created_at": 1,
            "input_file_id": "file-1", "completion_window": "24h", "model": MODEL, "usage": used, **more}  # fmt: skip


def _batch(asking: Any, reads: int) -> None:
    asking.batches.create(input_file_id="file-1", endpoint="/v1/responses", completion_window="24h")
    for _ in range(reads):
        asking.batches.retrieve("batch_1")


def test_a_batch_counts_once_at_half_the_price() -> None:
    with Wire(*replies(batch("validating"), batch("in_progress"), batch("completed"))) as wire, capture() as traces:
        _batch(client(wire), 5)
    assert traces.usage.total == 1_100_000
    assert traces.cost == Cost((Decimal("0.15") + Decimal("0.06")) / 2)
    traces.assert_llm_calls(0)


def test_a_batch_of_which_something_is_unknown() -> None:
    with Wire(*replies(batch("validating"), batch("completed", model=None))) as wire, capture() as traces:
        _batch(client(wire), 2)
    assert traces.usage.total == 1_100_000
    assert list(traces.cost.unknowns) == ["the model is not known"]
    with Wire(*replies(batch("validating"), batch("in_progress"))) as wire, capture() as traces:
        _batch(client(wire), 2)
    assert (traces.usage.lower_bound, traces.cost.lower_bound) == (True, True)


def run(status: str) -> dict[str, Any]:
    return {"id": "run_1", "object": "thread.run", "thread_id": "thread_1", "assistant_id": "asst_1", "status": status,
            "model": "gpt-4o-2024-08-06", "usage": USAGE if status == "completed" else None}  # fmt: skip


def test_a_run_of_an_assistant_counts_once() -> None:
    def asked(asking: Any, path: str, method: str = "get", **body: Any) -> Any:
        return getattr(asking, method)(f"/threads/thread_1{path}", cast_to=object, **body)

    told = replies(run("queued"), run("requires_action"), run("in_progress"), run("completed"))
    with Wire(*told) as wire, capture() as traces:
        asking = client(wire)
        asked(asking, "/runs", "post", body={"assistant_id": "asst_1"})
        asked(asking, "/runs/run_1")
        asked(asking, "/runs/run_1/submit_tool_outputs", "post", body={"tool_outputs": []})
        for _ in range(3):
            asked(asking, "/runs/run_1")
        assert traces.usage.total == 27
        assert traces.cost == Cost(Decimal("0.00012"))


def test_a_run_that_is_streamed_counts_once() -> None:
    events: list[tuple[str, dict[str, Any]]] = [
        ("thread.run.created", run("queued")),
        ("thread.run.step.completed", {"object": "thread.run.step", "id": "s", "usage": USAGE}),
        ("thread.run.completed", run("completed")),
        ("thread.message.completed", {"object": "thread.message", "id": "m"}),
    ]
    pieces = [f"event: {name}\ndata: {json.dumps(body)}\n\n" for name, body in events]
    told = Reply(stream=[*pieces, "data: [DONE]\n\n"], content_type="text/event-stream")
    with Wire(told) as wire, capture() as traces:
        body = {"assistant_id": "a", "stream": True}
        list(client(wire).post(
            "/threads/thread_1/runs", body=body, cast_to=object, stream=True, stream_cls=openai.Stream[object]
        ))  # fmt: skip
        assert traces.usage.total == 27


@pytest.mark.parametrize("models", [[MODEL], [MODEL, "gpt-4o"]])
def test_an_evaluation_counts_once(models: list[str]) -> None:
    def evaluated(status: str) -> dict[str, Any]:
        used = [{"model_name": name, "invocation_count": 1, "cached_tokens": 0, **USAGE} for name in models]
        told = used if status == "completed" else []
        return {"id": "evalrun_1", "object": "eval.run", "eval_id": "eval_1", "status": status, "per_model_usage": told}

    with Wire(*replies(*map(evaluated, ("queued", "in_progress", "completed")))) as wire, capture() as traces:
        asking = client(wire)
        asking.post("/evals/eval_1/runs", body={"data_source": {}}, cast_to=object)
        for _ in range(4):
            asking.get("/evals/eval_1/runs/evalrun_1", cast_to=object)
    assert traces.usage.total == 27 * len(models)
    assert traces.cost.lower_bound is (len(models) > 1)
    assert traces.cost.known + traces.cost.unknown_count == 1


def test_a_training_is_no_free_lunch() -> None:
    def job(status: str, tokens: int | None) -> dict[str, Any]:
        return {
            "id": "ftjob-1",
            "object": "fine_tuning.job",
            "status": status,
            "model": MODEL,
            "trained_tokens": tokens,
        }

    with Wire(*replies(job("queued", None), job("running", None), job("succeeded", 5000))) as wire, capture() as traces:
        asking = client(wire)
        asking.post("/fine_tuning/jobs", body={"model": MODEL, "training_file": "f"}, cast_to=object)
        for _ in range(3):
            asking.get("/fine_tuning/jobs/ftjob-1", cast_to=object)
    assert traces.cost.unknowns == {"no price known for tokens of training": 1}
    assert traces.usage == Usage()
    trained = [span.attributes.get("agentops.usage.trained_tokens") for span in traces.spans]
    assert trained == [None, None, 5000, None]


@pytest.mark.parametrize("reads", [1, 3])
@pytest.mark.parametrize("model", [MODEL, "brand-new-model", None])
def test_an_endpoint_nobody_has_heard_of(reads: int, model: str | None) -> None:
    def answer(request: Request) -> Reply:
        return Reply({"id": "thing_1", "model": model, "usage": USAGE})

    with Wire(answer) as wire, capture() as traces:
        asking = client(wire)
        asking.post("/brand/new", body={"x": 1}, cast_to=object)
        for _ in range(reads):
            asking.get("/brand/new/thing_1", cast_to=object)
    assert traces.usage.total == 27
    assert traces.cost.known + traces.cost.unknown_count == 1
    assert traces.cost.lower_bound is (model != MODEL)


def test_compaction_is_a_model_call_with_its_price() -> None:
    used = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}
    compacted = {"id": "resp_c", "object": "response.compaction", "created_at": 1, "output": [], "usage": used}
    with Wire(Reply(compacted)) as wire, capture() as traces:
        body = {"model": "gpt-4o-mini", "input": "a long conversation"}
        client(wire).post("/responses/compact", body=body, cast_to=object)
        traces.assert_llm_calls(1)
        assert traces.usage.total == 120
        assert traces.cost == Cost(Decimal("0.000027"))
        assert traces.spans[0].name == "responses.compact gpt-4o-mini"


def test_a_video_has_no_price_that_its_reply_tells() -> None:
    video = {"id": "video_1", "object": "video", "status": "queued", "model": "sora-2", "seconds": "8"}
    with Wire(Reply(video)) as wire, capture() as traces:
        client(wire).post("/videos", body={"model": "sora-2", "prompt": "a cat"}, cast_to=object)
    assert traces.cost.lower_bound


def test_pricing_switched_off_is_no_price_of_nothing(recorded: Any) -> None:
    agentops.init(pricing=False)
    with Wire(Reply({"id": "t", "model": MODEL, "usage": USAGE})) as wire, capture() as traces:
        client(wire).post("/brand/new", body={}, cast_to=object)
    assert traces.cost.unknowns == {"no price recorded": 1}
