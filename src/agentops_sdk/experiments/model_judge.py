"""A model as a judge: its verdict, what asking it cost, and how far it agrees with people."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from agentops_sdk.errors import ConfigError
from agentops_sdk.experiments.scorers import Score, Scorer

__all__ = ["judge"]

_PROMPT: Final = """You judge the output of a program. Judge by this alone: {criteria}

Input:
{input}

Output:
{output}
{expected}
Answer with one JSON object and nothing else: {{"verdict": {form}, "reason": "one sentence"}}"""
_OBJECT: Final = re.compile(r"\{.*\}", re.DOTALL)


def judge(
    ask: Callable[[str], str | Awaitable[str]],
    criteria: str,
    *,
    labels: Sequence[str] | None = None,
    name: str = "judge",
    people: str | None = None,
) -> Scorer:
    """Have a model judge.

    It is asked in a trace of its own: what that costs is no part of what the case cost, and is added up apart.

    Args:
        ask: sends a text to a model, with a client of yours, and returns what it says; may be asynchronous.
        criteria: by what it judges, in a sentence or more.
        labels: the words it may choose from, the best first; they count from 1 down to 0. Without them it gives a
            number from 0 to 1.
        name: under which its scores stand.
        people: the key of a case's metadata that holds what people said; :attr:`Results.agreement` compares.

    Raises:
        ConfigError: fewer than two labels.
    """
    if labels is not None and len(set(labels)) < 2:
        raise ConfigError("labels", list(labels), "at least two words")
    words = list(labels or ())
    form = " or ".join(json.dumps(word) for word in words) if words else "a number from 0 (bad) to 1 (good)"

    async def score(input: Any, output: Any, expected: Any) -> Score:  # noqa: A002 - the word for it
        prompt = _PROMPT.format(
            criteria=criteria,
            input=_text(input),
            output=_text(output),
            expected=f"\nWhat was expected:\n{_text(expected)}\n" if expected is not None else "",
            form=form,
        )
        said: Any = ask(prompt)
        if inspect.isawaitable(said):
            said = await said
        return _read(str(said), words)

    return Scorer(name, score, people=people)


def _read(said: str, words: list[str]) -> Score:
    match = _OBJECT.search(said)
    try:
        told = json.loads(match[0]) if match else json.loads(said)
    except ValueError:
        told = said.strip().strip('."')
    verdict, reason = (told.get("verdict"), told.get("reason")) if isinstance(told, dict) else (told, None)
    comment = None if reason is None else str(reason)
    if words:
        chosen = next((word for word in words if str(verdict).strip().casefold() == word.casefold()), None)
        if chosen is None:
            return Score(None, comment=f"the judge's answer is none of its labels: {said[:200]}")
        return Score(1 - words.index(chosen) / (len(words) - 1), label=chosen, comment=comment)
    try:
        value = float(verdict)  # type: ignore[arg-type]  # whatever it said
    except (TypeError, ValueError):
        return Score(None, comment=f"the judge's answer holds no number: {said[:200]}")
    if not 0 <= value <= 1:
        return Score(None, comment=f"the judge's number is not from 0 to 1: {value:g}")
    return Score(value, comment=comment)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
