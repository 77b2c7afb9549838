"""Options and choices as attributes: one form for decisions that people state and that libraries reveal."""

from __future__ import annotations

import enum
import types
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from agentops_sdk import semconv
from agentops_sdk._capture.invalid_values import Check, is_text, list_of, pairs_of
from agentops_sdk._host.guard import guard
from agentops_sdk._snapshot.data_fields import derives, instance_dict, mro
from agentops_sdk._snapshot.snapshot import snapshot, text_of
from agentops_sdk._snapshot.text import CUT, clip
from agentops_sdk._snapshot.type_forms import form_of

DECIDERS = ("model", "code", "human")
ANSWERED = "answer"
"""The option that a model offered tools always has as well: to answer itself."""

_MAX_OPTIONS = 200
_MAX_NAME = 200
_SEVERAL = (list, tuple, set, frozenset)
_NAMED = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)


def option_name(option: Any) -> str:
    """What an option is called: a text itself, a mapping's or object's name, an enum member's value."""
    if is_text(option):
        return text_of(option)
    kind = type(option)
    if derives(kind, enum.Enum):
        return _text(vars_of(option).get("_name_")) or option_text(option)
    if derives(kind, dict):
        return _text(dict.get(option, "name")) or "?"
    # A function or class by its name, any other object by the name it holds; no property of its is run.
    if any(kind is each for each in _NAMED):
        return _text(option.__name__) or option_text(option)
    if derives(kind, type):
        return _text(type.__dict__["__name__"].__get__(option)) or option_text(option)
    name = _text(held_by(option).get("name"))
    if name is None and callable(option):
        with guard("choice.name"):  # a wrapper of a function: its own code answers
            name = _text(getattr(option, "__name__", None))
    return name or option_text(option)


def option_text(option: Any) -> str:
    """A short text of a value that has no name: numbers and truth values by themselves, others by their form."""
    return clip(text_of(option), _MAX_NAME)


def vars_of(value: Any) -> Mapping[str, Any]:
    """The instance dictionary of ``value``, empty where it has none."""
    getter = instance_dict(mro(type(value)))
    attributes = getter.__get__(value) if getter is not None else None
    return attributes if type(attributes) is dict else {}


def held_by(value: Any) -> Mapping[str, Any]:
    """The members of a mapping, or what an object holds; for a data class with slots, its fields."""
    pairs = pairs_of(value)
    if pairs is not None:
        return {name: member for name, member in pairs if type(name) is str}
    form = form_of(value)
    return form if type(form) is dict else vars_of(value)


def _text(value: Any) -> str | None:
    return text_of(value) if is_text(value) else None


def options_json(options: Iterable[Any]) -> tuple[list[str], str]:
    """The options' names, and the JSON list of ``{"name", "description"}`` that the span carries."""
    members = list_of(options)
    if members is None:
        members = [options]
    rows: list[dict[str, str]] = []
    for option in members[:_MAX_OPTIONS]:
        row = {"name": option_name(option)}
        description = None if is_text(option) else _text(held_by(option).get("description"))
        if description:
            row["description"] = description
        rows.append(row)
    names = [row["name"] for row in rows]
    if len(members) > _MAX_OPTIONS:
        rows.append({"name": f"{CUT}{len(members) - _MAX_OPTIONS} items]"})
    return names, orjson.dumps(rows).decode()


class _Undecided:
    """Stands for no choice yet; ``None`` may be one."""


UNDECIDED = _Undecided()


def decision_attributes(
    chosen: Any = UNDECIDED,
    *,
    name: str | None = None,
    options: Any = None,
    among: Iterable[str] | None = None,
    reason: Any = None,
    confidence: Any = None,
    evidence: Any = None,
    scores: Any = None,
    rejected: Any = None,
    by: Any = None,
    by_name: Any = None,
    policy: Any = None,
    model: Any = None,
    prompt_fingerprint: Any = None,
    forced: bool = False,
    waited: float | None = None,
    inputs: Any = None,
    check: Check | None = None,
) -> dict[str, Any]:
    """The one writer of ``agentops.decision.*``: of a decision that was made, or of what is known before it is.

    Args:
        chosen: one option or a list of them.
        name: what is decided.
        options: what there was to choose from: a JSON list of names or of ``{"name", "description"}``, or its text.
        among: names of all options, where a choice that is none of them is to be marked.
        reason: why, in a sentence.
        confidence: from 0 to 1.
        evidence: what supports it; recorded as content.
        scores: a score for each option.
        rejected: for each option that was not taken, why.
        by: one of :data:`DECIDERS`.
        by_name: the name of the model, rule or person.
        policy: the policy or rule that decided.
        model: the model that is asked.
        prompt_fingerprint: of the prompt that the model is given.
        forced: whether it had to choose one of the options.
        waited: seconds that it took somebody to decide.
        inputs: JSON text of what the decision is about; recorded as content.
        check: takes note of what is not as documented; without one nobody is told.
    """
    check = Check("choice") if check is None else check
    attributes: dict[str, Any] = {
        semconv.DECISION_NAME: name,
        semconv.DECISION_OPTIONS: options,
        semconv.DECISION_REASON: check.text("reason", reason),
        semconv.DECISION_CONFIDENCE: check.number("confidence", confidence, 0, 1),
        semconv.DECISION_BY: decider(by, check),
        semconv.DECISION_BY_NAME: check.text("by_name", by_name),
        semconv.DECISION_POLICY: check.text("policy", policy),
        semconv.DECISION_MODEL: check.text("model", model),
        semconv.DECISION_PROMPT_FINGERPRINT: check.text("prompt_fingerprint", prompt_fingerprint),
        semconv.DECISION_FORCED: forced or None,
        semconv.DECISION_WAITED: waited,
        semconv.DECISION_INPUTS: inputs,
    }
    if chosen is not UNDECIDED:
        many = list_of(chosen, _MAX_OPTIONS + 1) if any(derives(type(chosen), kind) for kind in _SEVERAL) else None
        names = [option_name(item) for item in ((chosen,) if many is None else many[:_MAX_OPTIONS])]
        shown = [*names, f"{CUT}more]"] if many is not None and len(many) > _MAX_OPTIONS else names
        # One choice is its name, so that any backend can filter by it; several are a JSON list.
        attributes[semconv.DECISION_CHOSEN] = shown[0] if len(shown) == 1 else orjson.dumps(shown).decode()
        known = set(among or ())
        if known and not known.issuperset(names):
            attributes[semconv.DECISION_UNLISTED] = True
    if evidence is not None:
        attributes[semconv.DECISION_EVIDENCE] = snapshot(evidence).decode()
    for argument, attribute, value in (("scores", semconv.DECISION_SCORES, scores),
                                       ("rejected", semconv.DECISION_REJECTED, rejected)):  # fmt: skip
        pairs = pairs_of(value) if value is not None else ()
        if pairs is None:
            check.note(argument, value, "a mapping of options")
            attributes[attribute] = snapshot(value).decode()
        elif pairs:
            attributes[attribute] = snapshot({option_name(option): figure for option, figure in pairs}).decode()
    return {name: value for name, value in attributes.items() if value is not None}


def decider(by: Any, check: Check) -> str | None:
    """Who decides, as text; noted unless it is one of :data:`DECIDERS`."""
    if by is None:
        return None
    text = option_name(by)
    if text not in DECIDERS:
        check.note("by", by, "one of " + ", ".join(DECIDERS))
    return text


_SAYING = ("allowed", "passed", "approved", "safe", "ok", "flagged", "blocked", "denied", "tripwire_triggered")
_NAMING = ("action", "verdict", "decision", "result", "outcome")
_MAX_WORD = 40


def verdict_attributes(result: Any, *, words: bool = True) -> dict[str, Any]:
    """``agentops.decision.*`` of a guardrail that returned ``result``; empty where it says nothing by itself.

    The verdict is what the guardrail said, never what it might mean: a truth value, a single word, or the
    field of a mapping or object that holds one. Anything longer is content, and no verdict; without
    ``words`` only truth values are taken.
    """
    verdict, held = _word(result, words), held_by(result)
    if verdict is None:
        for key in (*_SAYING, *_NAMING):
            word = _word(held.get(key), words)
            if word is not None:
                verdict = (key if word == "true" else f"not {key}") if word in ("true", "false") else word
                break
    if verdict is None:
        return {}
    return decision_attributes(verdict, reason=_text(held.get("reason")) or None, by="code")


def _word(value: Any, words: bool) -> str | None:
    if type(value) is bool:
        return "true" if value else "false"
    name = option_name(value) if words and (is_text(value) or derives(type(value), enum.Enum)) else ""
    return name if name and len(name) <= _MAX_WORD and not any(letter.isspace() for letter in name) else None
