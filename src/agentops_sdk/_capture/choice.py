"""Options and choices as attributes: one form for decisions that people state and that libraries reveal."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from agentops_sdk import semconv
from agentops_sdk._capture.content import snapshot
from agentops_sdk.traces.encodable import utf8

DECIDERS = ("model", "code", "human")
ANSWERED = "answer"
"""The option that a model offered tools always has as well: to answer itself."""

_MAX_OPTIONS = 200


def option_name(option: Any) -> str:
    """What an option is called: a text itself, a mapping's or object's name, an enum member's value."""
    return utf8(_name(option))


def _name(option: Any) -> str:
    if isinstance(option, str) and not isinstance(option, enum.Enum):
        return option
    if isinstance(option, enum.Enum):
        value = option._value_
        return value if isinstance(value, str) else option._name_
    if isinstance(option, Mapping):
        return str(option.get("name", "?"))
    # A function or class by its name, any other object by the name it holds; no property of its is run.
    for holder, key in ((option, "__name__"), (option, "name")):
        if key == "__name__" and not isinstance(holder, type) and not callable(holder):
            continue
        name = getattr(holder, "__name__", None) if key == "__name__" else vars_of(holder).get(key)
        if isinstance(name, str):
            return name
    return option_text(option)


def option_text(option: Any) -> str:
    """A short text of a value that has no name: numbers and truth values by themselves, others by their form."""
    if option is None or isinstance(option, bool | int | float):
        return str(option)
    return snapshot(option).decode()[:200]


def vars_of(value: Any) -> Mapping[str, Any]:
    """The instance dictionary of ``value``, empty where it has none."""
    found = getattr(value, "__dict__", None)
    return found if isinstance(found, dict) else {}


def options_json(options: Iterable[Any]) -> tuple[list[str], str]:
    """The options' names, and the JSON list of ``{"name", "description"}`` that the span carries."""
    rows: list[dict[str, str]] = []
    for option in options:
        if len(rows) >= _MAX_OPTIONS:
            break
        row = {"name": option_name(option)}
        held = option if isinstance(option, Mapping) else vars_of(option)
        description = held.get("description")
        if isinstance(description, str) and description:
            row["description"] = utf8(description)
        rows.append(row)
    return [row["name"] for row in rows], orjson.dumps(rows).decode()


def choice_attributes(
    options: Sequence[str] | None,
    chosen: Any,
    *,
    reason: str | None = None,
    confidence: float | None = None,
    evidence: Any = None,
    scores: Mapping[Any, float] | None = None,
    rejected: Mapping[Any, str] | None = None,
    by: str | None = None,
    by_name: str | None = None,
    policy: str | None = None,
) -> dict[str, Any]:
    """``agentops.decision.*`` of a choice that was made. ``chosen`` may be one option or a list of them."""
    many = isinstance(chosen, list | tuple | set | frozenset)
    names = [option_name(item) for item in chosen] if many else [option_name(chosen)]
    attributes: dict[str, Any] = {
        # One choice is its name, so that any backend can filter by it; several are a JSON list.
        semconv.DECISION_CHOSEN: names[0] if len(names) == 1 else orjson.dumps(names).decode(),
        semconv.DECISION_REASON: reason,
        semconv.DECISION_CONFIDENCE: float(confidence) if confidence is not None else None,
        semconv.DECISION_BY: by,
        semconv.DECISION_BY_NAME: by_name,
        semconv.DECISION_POLICY: policy,
    }
    if evidence is not None:
        attributes[semconv.DECISION_EVIDENCE] = snapshot(evidence).decode()
    if scores:
        attributes[semconv.DECISION_SCORES] = snapshot(
            {option_name(option): score for option, score in scores.items()}
        ).decode()
    if rejected:
        attributes[semconv.DECISION_REJECTED] = snapshot(
            {option_name(option): why for option, why in rejected.items()}
        ).decode()
    if options and not set(names) <= set(options):
        attributes[semconv.DECISION_UNLISTED] = True
    return {name: value for name, value in attributes.items() if value is not None}


_SAYING = ("allowed", "passed", "approved", "safe", "ok", "flagged", "blocked", "denied", "tripwire_triggered")
_NAMING = ("action", "verdict", "decision", "result", "outcome")
_MAX_WORD = 40


def verdict_attributes(result: Any, *, words: bool = True) -> dict[str, Any]:
    """``agentops.decision.*`` of a guardrail that returned ``result``; empty where it says nothing by itself.

    The verdict is what the guardrail said, never what it might mean: a truth value, a single word, or the
    field of a mapping or object that holds one. Anything longer is content, and no verdict; without
    ``words`` only truth values are taken.
    """
    said, held = _word(result, words), result if isinstance(result, Mapping) else vars_of(result)
    if said is None:
        for key in (*_SAYING, *_NAMING):
            word = _word(held.get(key), words)
            if word is not None:
                said = (key if word == "true" else f"not {key}") if word in ("true", "false") else word
                break
    if said is None:
        return {}
    reason = held.get("reason")
    attributes = {semconv.DECISION_CHOSEN: said, semconv.DECISION_BY: "code"}
    if isinstance(reason, str) and reason:
        attributes[semconv.DECISION_REASON] = reason
    return attributes


def _word(value: Any, words: bool) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    name = option_name(value) if words and isinstance(value, str | enum.Enum) else ""
    return name if name and len(name) <= _MAX_WORD and not any(letter.isspace() for letter in name) else None
