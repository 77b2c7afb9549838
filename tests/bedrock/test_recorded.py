"""Real traffic through the real client, in every way to read a reply: the span says what the raw reply says."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.bedrock.clients import client, package
from tests.model_clients import recordings
from tests.openai.recorded import Said
from tests.wire.http import Wire

EXCHANGES = recordings.of_provider("bedrock")
UNKNOWN = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
"""What is asked where only the reply was recorded."""


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with Wire() as running:
        yield running


@pytest.fixture(scope="module")
def asking(wire: Wire) -> Iterator[Any]:
    package()
    with client(wire.url) as made:
        yield made


@recordings.each(EXCHANGES)
def test_span_says_what_the_reply_says(exchange: dict[str, Any], recorded: Any, wire: Wire, asking: Any) -> None:
    wire.replies = [recordings.reply_of(exchange)]
    model = model_of(exchange)
    ways = [converse] if exchange["api"] == "bedrock.converse" else [read, read_in_pieces, lines, chunks, parse, leave]
    for way in ways:
        problem = recordings.asked(way, asking, model, exchange)
        span = recorded.one()
        if exchange["status"] >= 400:
            recordings.refused(span, problem)
            continue
        assert problem is None, repr(problem)
        if way is leave:
            assert (span.outcome, span.text) == ("abandoned", "")
        else:
            expected = said(exchange)
            if "reasoningContent" not in asking.meta.service_model.shape_for("ContentBlock").members:
                expected.thoughts = []  # which this version of the client does not hand on
            recordings.check(span, expected, "aws.bedrock", model)


def model_of(exchange: dict[str, Any]) -> str:
    found = re.search("/model/([^/]+)/", exchange["path"])
    assert found
    return found[1]


# --- every way to ask ------------------------------------------------------------------------------


def converse(asking: Any, model: str, exchange: dict[str, Any]) -> Any:
    """What ``converse`` of this client gives: a reply, or what is to be awaited."""
    known = asking.meta.service_model.operation_model("Converse").input_shape.members
    asked = exchange["request"] or UNKNOWN
    return asking.converse(modelId=model, **{name: value for name, value in asked.items() if name in known})


def _body(asking: Any, model: str, exchange: dict[str, Any]) -> Any:
    return asking.invoke_model(modelId=model, body=json.dumps(exchange["request"]))["body"]


def read(asking: Any, model: str, exchange: dict[str, Any]) -> None:
    assert _body(asking, model, exchange).read().decode() == exchange["response_body"]


def read_in_pieces(asking: Any, model: str, exchange: dict[str, Any]) -> None:
    body = _body(asking, model, exchange)
    while body.read(50):
        pass


def lines(asking: Any, model: str, exchange: dict[str, Any]) -> None:
    list(_body(asking, model, exchange).iter_lines())


def chunks(asking: Any, model: str, exchange: dict[str, Any]) -> None:
    with contextlib.closing(_body(asking, model, exchange)) as body:
        list(body)


def parse(asking: Any, model: str, exchange: dict[str, Any]) -> None:
    json.load(_body(asking, model, exchange))


def leave(asking: Any, model: str, exchange: dict[str, Any]) -> None:
    _body(asking, model, exchange).close()


# --- what the reply says, worked out by other means than ours ---------------------------------------


def said(exchange: dict[str, Any]) -> Said:
    reply = json.loads(exchange["response_body"])
    made = Said(usage=_figures(reply))
    if "output" in reply:  # Converse, and Nova
        blocks = reply["output"]["message"]["content"]
        made.finish = [reply["stopReason"]]
        made.text = "".join(block.get("text", "") for block in blocks)
        uses = [block["toolUse"] for block in blocks if "toolUse" in block]
        made.calls = [(use["name"], use["input"]) for use in uses]
        thoughts = [block["reasoningContent"]["reasoningText"] for block in blocks if "reasoningContent" in block]
        made.thoughts = [thought["text"] for thought in thoughts]
    elif "content" in reply:  # Claude
        made.id, made.model, made.finish = reply["id"], reply["model"], [reply["stop_reason"]]
        made.text = "".join(block.get("text", "") for block in reply["content"])
        made.calls = [(block["name"], block["input"]) for block in reply["content"] if block["type"] == "tool_use"]
    elif "completion" in reply:  # Claude of old
        made.finish, made.text = [reply["stop_reason"]], reply["completion"]
    elif "results" in reply:  # Titan
        made.finish = [result["completionReason"] for result in reply["results"]]
        made.text = "".join(result["outputText"] for result in reply["results"])
    else:  # Cohere
        made.id = reply["id"]
        made.finish = [each["finish_reason"] for each in reply["generations"]]
        made.text = "".join(each["text"] for each in reply["generations"])
    return made


def _figures(reply: dict[str, Any]) -> dict[str, int]:
    usage = reply.get("usage") or reply
    read = usage.get("cacheReadInputTokens") or usage.get("cache_read_input_tokens") or 0
    written = usage.get("cacheWriteInputTokens") or usage.get("cache_creation_input_tokens") or 0
    given = usage.get("inputTokens") or usage.get("input_tokens") or usage.get("inputTextTokenCount") or 0
    results = sum(result["tokenCount"] for result in reply.get("results", ()))
    lifetimes = usage.get("cache_creation") or {}
    told = {
        "gen_ai.usage.input_tokens": given + read + written,
        "gen_ai.usage.output_tokens": usage.get("outputTokens") or usage.get("output_tokens") or results,
        "gen_ai.usage.cache_read.input_tokens": read,
        "gen_ai.usage.cache_creation.input_tokens": written,
        "agentops.usage.cache_creation_5m.input_tokens": lifetimes.get("ephemeral_5m_input_tokens", 0),
    }
    return {name: figure for name, figure in told.items() if figure}
