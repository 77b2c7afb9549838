"""Endpoints other than chat and responses: embeddings, moderations, decisions, searches, fetched replies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_sdk.integration import decision_attributes, semconv, snapshot
from agentops_sdk.integration.clients import Json, generic_request, generic_response, merged
from agentops_sdk.integration.dialects import openai_chat as chat
from agentops_sdk.integration.dialects import openai_items as items
from agentops_sdk.integration.dialects import openai_responses as responses
from agentops_sdk.integration.dialects import text_value


def assemble(events: list[dict[str, Any]]) -> dict[str, Any]:
    """A stream of an endpoint without a row: of an Assistants run, the run; its steps and messages come in between."""
    runs = [event for event in events if event.get("object") == "thread.run"]
    return runs[-1] if runs else merged(events)


def usage(body: Json) -> Json | None:
    """The usage object of any reply; of an evaluation, what all its models used together."""
    each = [one for one in body.get("per_model_usage") or () if isinstance(one, Mapping)]
    if not each:
        return chat.usage(body)
    return {
        name: sum(one[name] for one in each if isinstance(one.get(name), int))
        for name in ("prompt_tokens", "completion_tokens", "cached_tokens", "total_tokens")
    }


def evaluation(body: Json, asked: Json) -> dict[str, Any]:
    """A run of an evaluation: what its models used is told together, and has a price where they are one."""
    models = {str(one.get("model_name")) for one in body.get("per_model_usage") or () if isinstance(one, Mapping)}
    attributes = generic_response(body, asked)
    if len(models) == 1:
        attributes[semconv.RESPONSE_MODEL] = models.pop()
    elif models:
        attributes[semconv.COST_UNKNOWN_REASON] = "tokens of several models were told together"
    return attributes


def batch(body: Json, asked: Json) -> dict[str, Any]:
    """A batch; what it used costs less."""
    return {**generic_response(body, asked), semconv.USAGE_SERVICE_TIER: "batch"}


def training(body: Json, asked: Json) -> dict[str, Any]:
    """A fine-tuning job; training is priced by itself, and differs by model and method."""
    tokens = body.get("trained_tokens")
    attributes = generic_response(body, asked)
    if isinstance(tokens, int) and tokens > 0:
        attributes[semconv.USAGE_TRAINED] = tokens
        attributes[semconv.COST_UNKNOWN_REASON] = "no price known for tokens of training"
    return attributes


def video_request(body: Json) -> dict[str, Any]:
    """A video is priced by the second, which its reply does not tell."""
    return {**generic_request(body), semconv.OUTPUT_TYPE: "video"}


def fetch_request(query: Json) -> dict[str, Any]:
    """What is asked in the query: of a stream that is taken up again, from where."""
    return {semconv.OPENAI_API_TYPE: "responses", semconv.REQUEST_STREAM_CURSOR: query.get("starting_after")}


def fetched(body: Json, asked: Json) -> dict[str, Any]:
    """A reply that was asked for elsewhere: it tells its instructions and tools, too."""
    asked_there = responses.request({name: body.get(name) for name in ("instructions", "tools")})
    told = {name: asked_there.get(name) for name in (semconv.SYSTEM_INSTRUCTIONS, semconv.TOOL_DEFINITIONS)}
    return {**told, **responses.response(body, asked)}


def moderation_request(body: Json) -> dict[str, Any]:
    return {
        semconv.INPUT: body.get("input"),
        semconv.REQUEST_MODEL: text_value(body.get("model")),
    }


def moderation(body: Json, _asked: Json) -> dict[str, Any]:
    results = [each for each in body.get("results") or () if isinstance(each, Mapping)]
    attributes = {
        semconv.RESPONSE_ID: text_value(body.get("id")),
        semconv.RESPONSE_MODEL: text_value(body.get("model")),
        semconv.OUTPUT: results,
    }
    if not results:  # nothing was looked at, so nothing has passed
        return attributes
    flagged = sorted(
        {name for each in results for name, on in (each.get("categories") or {}).items() if on is True}
    )  # fmt: skip
    verdict = "flag" if any(each.get("flagged") for each in results) else "pass"
    return attributes | decision_attributes(
        verdict, name="moderation", options=["pass", "flag"], reason=", ".join(flagged) or None, by="model"
    )


def decision_request(body: Json) -> dict[str, Any]:
    return {
        semconv.INPUT_MESSAGES: items.messages(body.get("input")),
        semconv.INPUT: body.get("questions"),
        semconv.OUTPUT_TYPE: "json",
    }


def decision(body: Json, asked: Json) -> dict[str, Any]:
    """The answers; what the model chose is a decision, by question where there are several."""
    answers = [each for each in body.get("answers") or () if isinstance(each, Mapping)]
    questions = [each for each in asked.get("questions") or () if isinstance(each, Mapping)]
    names = [
        str(answer.get("name") or text_value(question.get("name")) or index + 1)
        for index, (answer, question) in enumerate(zip(answers, [*questions, *({},) * len(answers)], strict=False))
    ]
    attributes: dict[str, Any] = {
        semconv.RESPONSE_MODEL: text_value(body.get("model")),
        semconv.RESPONSE_ID: text_value(body.get("id")),
        semconv.OUTPUT_MESSAGES: [
            {
                "role": "assistant",
                "parts": [{**each, "type": str(each.get("type", "answer"))} for each in answers],
            }
        ],
    }
    chosen = {name: _answer(answer) for name, answer in zip(names, answers, strict=True)}
    offered = {
        name: question.get("choices") or question.get("levels") or ["true", "false"]
        for name, question in zip(names, questions, strict=False)
    }
    if len(answers) == 1:
        name, scores = names[0], _probabilities(answers[0])
        confidence = answers[0].get("confidence", max(scores.values(), default=None))
        attributes |= decision_attributes(
            _as_text(chosen[name]),
            name=name,
            options=offered.get(name, []),
            confidence=confidence if isinstance(confidence, int | float) else None,
            scores=scores or None,
            by="model",
        )
    elif answers:
        options = [{"name": name, "options": offered.get(name)} for name in names]
        attributes |= decision_attributes(_as_text(chosen), name="decisions", options=options, by="model")
    return attributes


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else snapshot(value).decode()


def _probabilities(answer: Json) -> dict[str, Any]:
    """How probable each option is; of a predicate, the reply says how probable it is that it holds."""
    if (holds := _holds(answer)) is not None:
        return {"true": holds, "false": round(1 - holds, 12)}
    each = [one for one in answer.get("probabilities") or () if isinstance(one, Mapping)]
    return {_as_text(one.get("label", one.get("value"))): one.get("probability") for one in each}


def _holds(answer: Json) -> float | None:
    probability = answer.get("probability")
    return probability if answer.get("type") == "predicate" and isinstance(probability, int | float) else None


def _answer(answer: Json) -> Any:
    if (holds := _holds(answer)) is not None:
        return "true" if holds >= 0.5 else "false"
    for field in ("choice", "score", "probability"):
        if field in answer:
            return answer[field]
    return answer.get("type")


def search_request(body: Json) -> dict[str, Any]:
    query, count = body.get("query"), body.get("max_num_results")
    return {
        semconv.RETRIEVAL_QUERY: query,
        semconv.RETRIEVAL_TOP_K: count if isinstance(count, int) else None,
    }


def search(body: Json, _asked: Json) -> dict[str, Any]:
    results = [each for each in body.get("data") or () if isinstance(each, Mapping)]
    documents = [
        {
            "id": str(each.get("file_id") or each.get("filename") or ""),
            "score": each.get("score"),
            "content": "\n".join(
                str(block.get("text")) for block in each.get("content") or () if isinstance(block, Mapping)
            ),
        }
        for each in results
    ]
    return {semconv.RETRIEVAL_DOCUMENTS: documents}
