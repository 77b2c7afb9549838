"""Work that goes on at the provider's: begun once, read often, also in other processes; one call, its tokens once."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
import pytest
from tests.openai.bodies import RESPONSE, RESPONSE_EVENTS
from tests.openai.test_chat import client
from tests.wire.http import Reply, Wire, sse

from agentops_sdk.testing import capture
from agentops_sdk.traces import Cost, Usage, load

if not hasattr(openai.OpenAI, "responses"):
    pytest.skip(f"openai {openai.__version__} has no Responses API", allow_module_level=True)

MODEL = "gpt-4o-mini-2024-07-18"
TOKENS = {
    "input_tokens": 100, "output_tokens": 20, "total_tokens": 120, "input_tokens_details": {"cached_tokens": 0},
    "output_tokens_details": {"reasoning_tokens": 0},
}  # fmt: skip
PRICE = Decimal("0.000027")


def reply(status: str, usage: Any = None, ident: str = "resp_1", **more: Any) -> dict[str, Any]:
    output = RESPONSE["output"] if status == "completed" else []
    told = TOKENS if status == "completed" and usage is None else usage
    return {**RESPONSE, "id": ident, "model": MODEL, "background": True, "status": status, "output": output,
            "usage": told, **more}  # fmt: skip


def replies(*statuses: Any) -> list[Reply]:
    return [Reply(reply(each) if isinstance(each, str) else each) for each in statuses]


def begin(asking: Any, **more: Any) -> Any:
    return asking.responses.create(model="gpt-4o-mini", input="x", background=True, **more)


def one_call(traces: Any, tokens: int = 120, outcome: str = "ok") -> None:
    traces.assert_cost_below(0.01)
    traces.assert_tokens_below(1000)
    traces.assert_llm_calls(1)
    assert traces.usage.total == tokens
    assert traces.llm_calls[0].outcome == outcome


def test_create_and_polling_are_one_call() -> None:
    with Wire(*replies("queued", "queued", "in_progress", "completed")) as wire, capture() as traces:
        asking = client(wire)
        pending = begin(asking)
        while pending.status in ("queued", "in_progress"):
            pending = asking.responses.retrieve(pending.id)
        one_call(traces)
        assert traces.cost == Cost(PRICE)
        call = traces.llm_calls[0]
        assert (call.usage.total, call.text) == (120, "Hello")
        assert call.attributes["gen_ai.request.model"] == "gpt-4o-mini"
        for _ in range(3):
            asking.responses.retrieve("resp_1")
        one_call(traces)
        assert len(traces.decisions) == 1


def test_nobody_reads_the_end() -> None:
    with Wire(*replies("queued", "in_progress")) as wire, capture() as traces:
        begin(client(wire))
        client(wire).responses.retrieve("resp_1")
    assert traces.usage == Usage(unknown=1)
    assert traces.cost.lower_bound
    with pytest.raises(AssertionError, match="cannot be verified"):
        traces.assert_cost_below(1)


def test_a_stream_that_is_left_and_taken_up_again() -> None:
    going = [{**event, "response": {**event["response"], "background": True}} if "response" in event else event
             for event in RESPONSE_EVENTS]  # fmt: skip
    going[-1] = {**going[-1], "response": reply("completed")}
    with Wire(sse(*going, done=False), sse(*going[5:], done=False)) as wire, capture() as traces:
        asking = client(wire)
        with begin(asking, stream=True) as stream:
            for event in stream:
                if event.type == "response.function_call_arguments.delta":
                    break
        list(asking.responses.retrieve("resp_1", stream=True, starting_after=4))
        one_call(traces)
        assert traces.cost == Cost(PRICE)


def test_a_stream_that_is_read_to_its_end_and_fetched() -> None:
    going = [*RESPONSE_EVENTS[:-1], {**RESPONSE_EVENTS[-1], "response": reply("completed")}]
    with Wire(sse(*going, done=False), Reply(reply("completed"))) as wire, capture() as traces:
        asking = client(wire)
        list(begin(asking, stream=True))
        asking.responses.retrieve("resp_1")
        one_call(traces)


def test_a_stream_that_died_and_was_told_of_later() -> None:
    """Not in the background, but stored: what was worked out for the part that came makes way for what is told."""
    died, whole = sse(*RESPONSE_EVENTS[:10], done=False), Reply(reply("completed", background=False))
    with Wire(died, whole) as wire, capture() as traces:
        asking = client(wire)
        with asking.responses.create(model="gpt-4o-mini", input="x", stream=True) as stream:
            list(stream)
        assert traces.usage.is_estimated
        asking.responses.retrieve("resp_1")
        one_call(traces)
        assert not traces.usage.is_estimated


@pytest.mark.parametrize(
    ("before", "end", "unknown"),
    [
        (["queued"], reply("cancelled"), False),
        (["queued", "in_progress"], reply("cancelled"), True),  # something was used, and nobody says what
        (["queued", "in_progress"], reply("cancelled", TOKENS), False),
    ],
)
def test_cancelled(before: list[str], end: dict[str, Any], unknown: bool) -> None:
    with Wire(*replies(*before, end)) as wire, capture() as traces:
        asking = client(wire)
        begin(asking)
        for _ in before[1:]:
            asking.responses.retrieve("resp_1")
        asking.responses.cancel("resp_1")
        traces.assert_llm_calls(1)
        assert traces.usage.unknown == int(unknown)
        assert traces.cost.lower_bound is unknown
        if not unknown:
            one_call(traces, 120 if end["usage"] else 0, "cancelled")


def test_failed() -> None:
    failed = reply("failed", error={"code": "server_error", "message": "no"})
    with Wire(*replies("queued", "in_progress", failed, failed)) as wire, capture() as traces:
        asking = client(wire)
        begin(asking)
        for _ in range(3):
            asking.responses.retrieve("resp_1")
        one_call(traces, 0, "error")
        assert len(traces.errors) == 1
        assert traces.errors[0].attributes["error.type"] == "server_error"
        assert traces.errors[0].status == "error"


def test_deleting_it_is_not_reading_its_end() -> None:
    gone = {"id": "resp_1", "object": "response", "deleted": True}
    with Wire(*replies("queued", gone)) as wire, capture() as traces:
        begin(client(wire))
        client(wire).responses.delete("resp_1")
    traces.assert_llm_calls(1)
    assert traces.usage == Usage(unknown=1)


def test_a_server_that_gives_every_reply_the_same_id() -> None:
    with Wire(*replies("queued", "completed", "queued", "completed", "completed")) as wire, capture() as traces:
        asking = client(wire)
        for reads in (1, 2):
            begin(asking)
            for _ in range(reads):
                asking.responses.retrieve("resp_1")
        traces.assert_llm_calls(2)
        assert traces.usage.total == 240
        assert not traces.usage.lower_bound


def test_a_reply_that_came_at_once_counts_once() -> None:
    body = reply("completed", background=False)
    with Wire(Reply(body)) as wire, capture() as traces:
        asking = client(wire)
        asking.responses.create(model="gpt-4o-mini", input="x")
        for _ in range(3):
            asking.responses.retrieve("resp_1")
        one_call(traces)
        assert len(traces.decisions) == 1


# --- in other processes ---------------------------------------------------------------------------

PROGRAM = """
import sys, openai
import agentops_sdk as agentops
agentops.init(exporters=["jsonl"], directory=sys.argv[2], propagate_processes=False)
asking = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
for step in sys.argv[3:]:
    if step == "read":
        asking.responses.retrieve("resp_1")
    else:
        asking.responses.create(model="gpt-4o-mini", input="x", background=step == "begin")
"""


def process(wire: Wire, folder: Path, *steps: str) -> None:
    hidden = ("AGENTOPS_", "OTEL_", "TRACEPARENT")
    env = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, wire.url, str(folder), *steps],
        env=env, check=True, timeout=120, cwd=folder,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("statuses", "processes"),
    [
        (["queued", "queued", "completed"], [("begin",), ("read", "read")]),
        (["queued", "completed", "completed", "completed"], [("begin",), ("read",), ("read", "read")]),
        (["completed", "completed", "completed"], [("ask",), ("read",), ("read",)]),
        (["completed", "completed"], [("read",), ("read",)]),
    ],
)
def test_other_processes(tmp_path: Path, statuses: list[str], processes: list[tuple[str, ...]]) -> None:
    with Wire(*replies(*statuses)) as wire:
        for steps in processes:
            process(wire, tmp_path, *steps)
    traces = list(load(tmp_path))
    assert len(traces) >= len(processes)
    assert sum((trace.usage for trace in traces), Usage()) == Usage({"reported": {
        "input": 100, "output": 20, "cache_read": 0, "reasoning": 0,
    }})  # fmt: skip
    assert Cost.sum(trace.cost for trace in traces) == Cost(PRICE)
    assert sum(len(trace.llm_calls) for trace in traces) == 1
    assert sum(len(trace.decisions) for trace in traces) == 1


def test_begun_here_and_read_nowhere(tmp_path: Path) -> None:
    with Wire(*replies("queued")) as wire:
        process(wire, tmp_path, "begin")
    [trace] = load(tmp_path)
    assert trace.usage.unknown == 1
    assert list(trace.cost.unknowns) == ["in the background: its tokens are told to whoever reads its end"]


def test_a_reply_that_cannot_be_fetched_is_known_by_its_id() -> None:
    missing = Reply({"error": {"message": "no such response", "type": "invalid_request_error"}}, 404)
    with Wire(missing) as wire, capture() as traces:
        with pytest.raises(openai.NotFoundError):
            client(wire).responses.retrieve("resp_gone")
        (span,) = traces.spans
        assert span.attributes["gen_ai.response.id"] == "resp_gone"
        assert traces.usage == Usage()
