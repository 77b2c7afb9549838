"""Answers of models that decide, as Google's API and Ollama's have them: by question a truth, a choice or a score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_sdk import semconv
from agentops_sdk._capture.decision_attributes import decision_attributes
from agentops_sdk._snapshot.snapshot import snapshot

Json = Mapping[str, Any]


def response(body: Json, asked: Json) -> dict[str, Any]:
    """The answers; what the model chose is a decision, by question where there are several."""
    answers = {str(name): each for name, each in (body.get("answers") or {}).items() if isinstance(each, Mapping)}
    questions = asked.get("questions") or {}
    content_parts = [{**answer, "type": str(answer.get("type")), "name": name} for name, answer in answers.items()]
    attributes: dict[str, Any] = {
        semconv.RESPONSE_MODEL: body.get("model") or None,
        semconv.OUTPUT_MESSAGES: [{"role": "assistant", "parts": content_parts}] if content_parts else None,
    }
    chosen = {name: _chosen(answer) for name, answer in answers.items()}
    options = {name: _options(questions.get(name)) for name in answers}
    if len(answers) == 1:
        ((name, answer),) = answers.items()
        attributes |= decision_attributes(
            chosen[name], name=name, options=options[name], confidence=answer.get("confidence"),
            scores=_scores(answer), by="model",
        )  # fmt: skip
    elif answers:
        each = [{"name": name, "options": options[name]} for name in answers]
        attributes |= decision_attributes(snapshot(chosen).decode(), name="decisions", options=each, by="model")
    return attributes


def _chosen(answer: Json) -> str:
    if answer.get("type") == "noul":
        return "true" if (answer.get("noul") or 0) >= 0.5 else "false"
    return str(answer.get("choice", answer.get("score")))


def _scores(answer: Json) -> Any:
    holds = answer.get("noul")
    if isinstance(holds, int | float):
        return {"true": holds, "false": round(1 - holds, 12)}
    return answer.get("probabilities") or None


def _options(question: Any) -> list[str]:
    criteria = question.get("criteria") if isinstance(question, Mapping) else None
    is_truth = isinstance(question, Mapping) and question.get("type") == "noul"
    return ["true", "false"] if is_truth else [str(each) for each in criteria or ()]
