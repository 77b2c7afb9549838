"""For whom content is recorded: by rules, and nothing at all inside of ``private()``."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from opentelemetry import trace

import agentops_sdk as agentops
from agentops_sdk.config import resolve
from agentops_sdk.content_rules import captures, parse
from agentops_sdk.errors import ConfigError

pytestmark = pytest.mark.once


def test_the_first_rule_that_fits_decides_span_by_span(seen: Any) -> None:
    agentops.configure(content_rules=["off agent=billing", "on tenant=acme-*", "off"])

    @agentops.tool
    def look(word: str) -> str:
        return word

    for agent, tenant in (("billing", "acme-1"), ("support", "acme-1"), ("support", "other")):
        with agentops.context(metadata={"tenant": tenant}), agentops.span(agent, kind="agent"):
            look(f"{agent} {tenant}")
    looks = [span.attributes for span in seen.all() if span.name == "execute_tool look"]
    assert [("gen_ai.tool.call.arguments" in each, "gen_ai.tool.call.result" in each) for each in looks] == [
        (False, False), (True, True), (False, False),
    ]  # fmt: skip
    assert [each["agentops.outcome"] for each in looks] == ["ok"] * 3


def test_a_share_is_of_whole_traces_and_other_than_the_one_that_is_sampled() -> None:
    rules = [parse("on 25%"), parse("off")]
    ids = [number << 64 | number * 7 for number in range(0, 2**64, 2**54)]
    assert sum(captures(rules, {}, trace_id) for trace_id in ids) == len(ids) // 4
    assert captures(rules, {"a": 1}, ids[5]) == captures(rules, {"b": 2}, ids[5])


@pytest.mark.parametrize("wrong", ["perhaps", "on 200%", "off agent", 3, ["on", 4]])
def test_a_rule_that_is_none(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="content_rules"):
        resolve({"content_rules": wrong})


def test_private_tells_that_something_happened_and_nothing_of_it(seen: Any) -> None:
    @agentops.tool
    def diagnose(letter: str) -> str:
        agentops.current_span().set("note", "pestilence")
        trace.get_current_span().add_event("pestilence", {"who": "pestilence"})
        agentops.decide("pestilence", options=["pestilence"], chosen="pestilence")
        raise ValueError(f"pestilence: {letter}")

    def elsewhere() -> None:
        with agentops.span("pestilence"):
            pass

    with (
        agentops.context(
            user_id="pestilence", session_id="pestilence", tags=["pestilence"], metadata={"a": "pestilence"}
        ),
        agentops.private(),
    ):
        with agentops.span("pestilence"), pytest.raises(ValueError, match="pestilence"):
            diagnose("pestilence")
        other = threading.Thread(target=elsewhere)
        other.start()
        other.join()
        headers = agentops.inject({})
    spans = seen.all()
    assert len(spans) == 4
    for span in spans:
        text = span.to_json() + repr(span.events)
        assert "pestilence" not in text
        assert "diagnose" not in text
        assert span.attributes["agentops.private"] is True
    assert sorted(span.attributes["agentops.outcome"] for span in spans) == ["error", "ok", "ok", "ok"]
    assert "pestilence" not in headers["baggage"]
    with agentops.extract(headers), agentops.span("pestilence"):
        pass
    assert "pestilence" not in seen.all()[-1].to_json()


def test_private_is_a_decorator_and_ends_with_its_block(seen: Any) -> None:
    @agentops.private()
    def inside() -> None:
        with agentops.span("hidden"):
            pass

    inside()
    with agentops.span("shown"):
        pass
    assert seen.names() == ["shown", "task"]
