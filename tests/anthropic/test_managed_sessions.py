"""Sessions of managed agents: the events tell what was used, once; the session's own sum is a report."""

from __future__ import annotations

from typing import Any

import pytest
from tests.anthropic.test_messages import Wire, anthropic, how, stream
from tests.wire.http import Reply

if not hasattr(anthropic.resources.beta, "sessions"):
    pytest.skip(f"anthropic {anthropic.__version__} has no sessions", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Pydantic serializer:UserWarning")

USAGE = {"input_tokens": 100, "output_tokens": 10, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
AT = "2026-01-01T00:00:00Z"


def session(ident: str) -> dict[str, Any]:
    agent = {"id": "agent_1", "type": "agent", "name": "bob", "version": 1, "model": {"id": "claude-haiku-4-5"}}
    return {"id": ident, "type": "session", "agent": agent, "status": "idle", "usage": USAGE, "created_at": AT}


def ends(ident: str, *names: str) -> list[dict[str, Any]]:
    return [
        {"type": "span.model_request_end", "id": f"{ident}_{name}", "model_request_start_id": "s", "model_usage": USAGE,
         "processed_at": AT}
        for name in names
    ]  # fmt: skip


def test_each_request_counts_once(recorded: Any) -> None:
    ident = "sesn_1"
    idle = {"type": "session.status_idle", "id": "i", "processed_at": AT, "stop_reason": {"type": "end_turn"}}
    page = Reply({"data": [*ends(ident, "a", "b", "c"), idle], "next_page": None})
    first = stream(*ends(ident, "a", "b"), idle)
    with Wire(Reply(session(ident)), first, page, page) as wire, anthropic.Anthropic(**how(wire)) as client:
        client.beta.sessions.retrieve(ident)
        for event in client.beta.sessions.events.stream(ident):
            if event.type == "session.status_idle":
                break
        list(client.beta.sessions.events.list(ident))
        list(client.beta.sessions.events.list(ident))
        read, streamed, listed, again = recorded()
    assert "gen_ai.usage.input_tokens" not in read.attributes
    assert streamed.name == "sessions.events.stream"
    assert (streamed["gen_ai.usage.input_tokens"], streamed["gen_ai.usage.output_tokens"]) == (200, 20)
    assert streamed["agentops.cost.amount"] == pytest.approx((200 * 1 + 20 * 5) / 1e6, rel=1e-9)
    assert listed["gen_ai.usage.input_tokens"] == 100  # of the one that had not been seen
    assert "gen_ai.usage.input_tokens" not in again.attributes


def test_a_session_read_twice_counts_nothing(recorded: Any) -> None:
    with Wire(Reply(session("sesn_2"))) as wire, anthropic.Anthropic(**how(wire)) as client:
        client.beta.sessions.retrieve("sesn_2")
        client.beta.sessions.update("sesn_2", title="x")
        spans = recorded()
    assert [span.name for span in spans] == ["sessions.retrieve", "sessions.update"]
    assert not [span for span in spans if "gen_ai.usage.input_tokens" in span.attributes]
