"""How a scorer is called: with what it has parameters for, and what it returns taken for a score."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from agentops_sdk.errors import ConfigError
from agentops_sdk.experiments.scorers import Score, Scorer

__all__ = ["as_score", "as_scorer", "is_async", "judges_failure", "wanted"]


_GIVEN: Final = ("output", "expected", "input", "case", "trace", "seconds")


def as_scorer(scorer: Any) -> Scorer:
    """A scorer, from one or from a function.

    Raises:
        ConfigError: it is neither, or wants something that no scorer is given.
    """
    if isinstance(scorer, Scorer):
        made = scorer
    elif callable(scorer):
        made = Scorer(getattr(scorer, "__name__", type(scorer).__name__), scorer)
    else:
        raise ConfigError("scorers", scorer, "scorers, or functions of output and expected")
    try:
        parameters = inspect.signature(made.score).parameters.values()
    except ValueError:
        raise ConfigError("scorers", made.name, "a function whose parameters can be seen") from None
    for each in parameters:
        if each.default is not each.empty or each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            continue
        if each.name not in _GIVEN or each.kind is each.POSITIONAL_ONLY:
            raise ConfigError("scorers", f"{made.name}({each.name})", f"parameters among {', '.join(_GIVEN)}")
    return made


def judges_failure(scorer: Scorer) -> bool:
    """Whether a scorer looks at the run and not at its output: what it cost is known of a failed one as well."""
    return "output" not in inspect.signature(scorer.score).parameters


def wanted(function: Callable[..., Any], known: dict[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return known
    return {parameter.name: known[parameter.name] for parameter in parameters if parameter.name in known}


def as_score(said: Any) -> Score:
    """A score of what a scorer returned; what is no number, such as NaN, is unknown.

    Raises:
        TypeError, ValueError, OverflowError: it is nothing that scores.
    """
    if isinstance(said, Score):
        is_number = said.value is None or math.isfinite(said.value)
        return said if is_number else replace(said, value=None, comment=f"{said.value} is no number to go by")
    if said is None:
        return Score(None)
    if isinstance(said, str):
        return Score(None, label=said)
    value = float(said)
    return Score(value) if math.isfinite(value) else Score(None, comment=f"{value} is no number to go by")


def is_async(work: Callable[..., Any]) -> bool:
    while isinstance(work, functools.partial):
        work = work.func
    return inspect.iscoroutinefunction(work) or inspect.iscoroutinefunction(getattr(work, "__call__", None))  # noqa: B004 - an object with an asynchronous __call__
