"""How a scorer is called: with what it has parameters for, and what it returns taken for a score."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from agentops_sdk.errors import ConfigError
from agentops_sdk.experiments.scorers import Score, Scorer

__all__ = ["as_score", "as_scorer", "is_async", "judges_failure", "wanted"]


def as_scorer(scorer: Any) -> Scorer:
    """A scorer, from one or from a function.

    Raises:
        ConfigError: it is neither.
    """
    if isinstance(scorer, Scorer):
        return scorer
    if not callable(scorer):
        raise ConfigError("scorers", scorer, "scorers, or functions of output and expected")
    return Scorer(getattr(scorer, "__name__", type(scorer).__name__), scorer)


def judges_failure(scorer: Scorer) -> bool:
    """Whether a scorer looks at the run and not at its output: what it cost is known of a failed one as well."""
    return "output" not in inspect.signature(scorer.score).parameters


def wanted(function: Callable[..., Any], known: dict[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return known
    return {parameter.name: known[parameter.name] for parameter in parameters if parameter.name in known}


def as_score(said: Any) -> Score:
    if isinstance(said, Score):
        return said
    if said is None:
        return Score(None)
    if isinstance(said, str):
        return Score(None, label=said)
    return Score(float(said))


def is_async(work: Callable[..., Any]) -> bool:
    while isinstance(work, functools.partial):
        work = work.func
    return inspect.iscoroutinefunction(work) or inspect.iscoroutinefunction(getattr(work, "__call__", None))  # noqa: B004 - an object with an asynchronous __call__
