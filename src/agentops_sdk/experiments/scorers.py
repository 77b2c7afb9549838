"""Scorers: what a case's output is worth, by rules. A scorer is any function; these are the usual ones.

A function gets those of ``output``, ``expected``, ``input``, ``case`` and ``trace`` that it has parameters for, and
returns a number, True or False, a label, a :class:`Score`, or ``None`` where it cannot tell. It may be asynchronous.

Long because the scorers are looked for in one place, each with its docstring.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk._version import DISTRIBUTION
from agentops_sdk.errors import ConfigError

if TYPE_CHECKING:
    from agentops_sdk.testing.results import CapturedTrace

__all__ = [
    "Score", "Scorer", "asserts", "contains", "cost", "decision", "embedding", "exact", "json_schema", "latency",
    "numeric", "regex", "tools_used",
]  # fmt: skip

_NUMBER: Final = re.compile(r"-?\d[\d,_]*(?:\.\d+)?(?:[eE][-+]?\d+)?|-?\.\d+")


@dataclass(frozen=True, slots=True)
class Score:
    """What a scorer says.

    Attributes:
        value: a number, 1 for right and 0 for wrong; ``None`` where nothing can be said.
        label: in a word.
        comment: why.
        cost: what asking cost, in ``currency``; ``None`` where nothing was asked, or nobody knows.
        currency: of the cost.
        unknown_cost: why the cost is not known.
    """

    value: float | None = None
    label: str | None = None
    comment: str | None = None
    cost: float | None = None
    currency: str = "USD"
    unknown_cost: str | None = None


@dataclass(frozen=True, slots=True)
class Scorer:
    """A function with a name, and whether more is better.

    Attributes:
        name: under which its scores stand.
        score: the function.
        lower_is_better: whether a smaller number is the better one.
        people: the key of a case's metadata that holds what people said, to see how far the scorer agrees.
    """

    name: str
    score: Callable[..., Any]
    lower_is_better: bool = False
    people: str | None = None


def exact(*, name: str = "exact", ignore_case: bool = False, strip: bool = True) -> Scorer:
    """Whether the output is what was expected; texts without blanks around them."""

    def plain(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        value = value.strip() if strip else value
        return value.casefold() if ignore_case else value

    def score(output: Any, expected: Any) -> bool | None:
        return None if expected is None else bool(plain(output) == plain(expected))

    return Scorer(name, score)


def contains(*wanted: str, name: str = "contains", ignore_case: bool = True, every: bool = True) -> Scorer:
    """Whether the output holds these texts; without any, what was expected (a text, or a list of them)."""

    def score(output: Any, expected: Any) -> Score | None:
        texts: Any = wanted or ([expected] if isinstance(expected, str) else expected)
        if texts is None:
            return None
        said = _text(output)
        found = [(str(text), _in(str(text), said, ignore_case)) for text in texts]
        right = all(is_in for _, is_in in found) if every else any(is_in for _, is_in in found)
        missing = [text for text, is_in in found if not is_in]
        return Score(float(right), comment=None if right else f"missing: {', '.join(missing)}")

    return Scorer(name, score)


def _in(text: str, said: str, ignore_case: bool) -> bool:
    return text.casefold() in said.casefold() if ignore_case else text in said


def regex(pattern: str | None = None, *, name: str = "regex", flags: int = 0) -> Scorer:
    """Whether a regular expression is found in the output; without one, the expectation is it.

    Raises:
        ConfigError: it is none.
    """
    if pattern is not None:
        try:
            re.compile(pattern, flags)
        except re.error as error:
            raise ConfigError("pattern", pattern, f"a regular expression ({error})") from None

    def score(output: Any, expected: Any) -> bool | None:
        wanted = pattern if pattern is not None else expected
        return None if wanted is None else re.search(str(wanted), _text(output), flags) is not None

    return Scorer(name, score)


def json_schema(schema: Any = None, *, name: str = "json_schema") -> Scorer:
    """Whether the output is JSON of this form.

    Args:
        schema: a JSON Schema, for which ``jsonschema`` must be installed, or a pydantic model; without one, the output
            has to be JSON.
        name: under which its scores stand.

    Raises:
        ConfigError: the schema cannot work, or ``jsonschema`` is missing.
    """
    check = _schema_check(schema)

    def score(output: Any) -> Score:
        try:
            value = json.loads(output) if isinstance(output, str | bytes) else output
        except ValueError as error:
            return Score(0.0, comment=f"no JSON: {error}")
        wrong = check(value)
        return Score(float(wrong is None), comment=wrong)

    return Scorer(name, score)


def _schema_check(schema: Any) -> Callable[[Any], str | None]:
    if schema is None:
        return lambda value: None
    if isinstance(schema, Mapping):
        try:
            import jsonschema  # type: ignore[import-untyped]  # it ships no types
        except ImportError:
            raise ConfigError(
                "schema", "a JSON Schema", f'jsonschema to be installed: pip install "{DISTRIBUTION}[experiments]"'
            ) from None
        kind = jsonschema.validators.validator_for(schema)
        try:
            kind.check_schema(schema)
        except jsonschema.SchemaError as error:
            raise ConfigError("schema", "a JSON Schema", f"a valid one: {error.message}") from None
        validator = kind(schema)

        def by_schema(value: Any) -> str | None:
            error = next(iter(sorted(validator.iter_errors(value), key=str)), None)
            return None if error is None else f"{error.json_path}: {error.message}"

        return by_schema
    if not hasattr(schema, "model_validate"):
        raise ConfigError("schema", schema, "a JSON Schema (a dict) or a pydantic model")

    def by_model(value: Any) -> str | None:
        try:
            schema.model_validate(value)
        except ValueError as error:
            return str(error)
        return None

    return by_model


def numeric(*, tolerance: float = 0.0, relative: float = 0.0, name: str = "numeric") -> Scorer:
    """Whether the last number in the output is the expected one, within a tolerance or a share of it."""

    def score(output: Any, expected: Any) -> Score | None:
        wanted, said = _number(expected), _number(output)
        if wanted is None:
            return None
        if said is None:
            return Score(0.0, comment="no number in the output")
        right = abs(said - wanted) <= max(tolerance, relative * abs(wanted), 1e-12 * abs(wanted))
        return Score(float(right), comment=None if right else f"{said:g} is not {wanted:g}")

    return Scorer(name, score)


def _number(value: Any) -> float | None:
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    found = _NUMBER.findall(_text(value)) if value is not None else []
    return float(found[-1].replace(",", "").replace("_", "")) if found else None


def embedding(
    embed: Callable[[str], Sequence[float] | Awaitable[Sequence[float]]], *, name: str = "embedding",
    min: float | None = None,  # noqa: A002 - reads as what it is
) -> Scorer:  # fmt: skip
    """How near the output is to what was expected: the cosine of their embeddings, or whether it is ``min`` at least.

    Args:
        embed: gives the vector of a text, with a client of yours; may be asynchronous.
        name: under which its scores stand.
        min: from which cosine on the output is right.
    """
    known: dict[str, Sequence[float]] = {}

    async def vector(text: str) -> Sequence[float]:
        if text not in known:
            value = embed(text)
            known[text] = await value if isinstance(value, Awaitable) else value
        return known[text]

    async def score(output: Any, expected: Any) -> Score | None:
        if expected is None:
            return None
        one, other = await vector(_text(output)), await vector(_text(expected))
        length = math.sqrt(math.fsum(x * x for x in one) * math.fsum(y * y for y in other))
        if not length or len(one) != len(other):
            return Score(None, comment="a vector of no length, or of another one")
        cosine = math.fsum(x * y for x, y in zip(one, other, strict=True)) / length
        return Score(cosine) if min is None else Score(float(cosine >= min), comment=f"cosine {cosine:.3f}")

    return Scorer(name, score)


def asserts(check: Callable[[CapturedTrace], Any], *, name: str | None = None) -> Scorer:
    """Whether assertions on the case's trace hold: ``asserts(lambda trace: trace.assert_llm_calls(max=3))``."""

    def score(trace: CapturedTrace | None) -> Score:
        if trace is None:
            return Score(None, comment="nothing was recorded")
        try:
            check(trace)
        except AssertionError as error:
            return Score(0.0, comment=str(error).partition("\n")[0])
        return Score(1.0)

    own = getattr(check, "__name__", "")
    return Scorer(name or (own if own.isidentifier() else "asserts"), score)


def tools_used(*names: str, ordered: bool = False, exact: bool = False, name: str = "tools_used") -> Scorer:
    """Whether these tools ran, each as often as it is named; without any, those of the expectation.

    Args:
        names: of the tools.
        ordered: in this order.
        exact: no other tool ran, and none more often.
        name: under which its scores stand.
    """

    def score(trace: CapturedTrace | None, expected: Any) -> Score | None:
        wanted = names or ([expected] if isinstance(expected, str) else expected)
        if wanted is None:
            return None
        tools = list(map(str, wanted))
        result: Score = asserts(lambda run: run.assert_tools(tools, ordered=ordered, exact=exact)).score(trace)
        return result

    return Scorer(name, score)


def decision(decided: str, chosen: str | None = None, *, name: str | None = None) -> Scorer:
    """Whether the run decided so: the last decision of this name; without a choice, the expectation is it."""

    def score(trace: CapturedTrace | None, expected: Any) -> Score | None:
        wanted = chosen if chosen is not None else expected
        if wanted is None or trace is None:
            return None if wanted is None else Score(None, comment="nothing was recorded")
        made = [each for each in trace.decisions if each.name == decided]
        if not made:
            return Score(0.0, label="(none)", comment=f"no decision {decided}")
        label = ", ".join(made[-1].choices) or "(undecided)"
        return Score(float(label == str(wanted)), label=label)

    return Scorer(name or f"decision {decided}", score)


def cost(*, max: float | None = None, name: str = "cost") -> Scorer:  # noqa: A002 - reads as what it is
    """What the case cost, or whether that is ``max`` at most; what nobody knows is unknown and not 0."""

    def score(trace: CapturedTrace | None) -> Score:
        if trace is None:
            return Score(None, comment="nothing was recorded")
        spent = trace.cost
        amount = float(spent.amount)
        if max is not None and spent.known and amount > max:
            return Score(0.0, comment=str(spent))
        if spent.unknowns:
            return Score(None, comment=f"unknown: {'; '.join(spent.unknowns)}")
        return Score(amount) if max is None else Score(1.0, comment=str(spent))

    return Scorer(name, score, lower_is_better=max is None)


def latency(*, max: float | None = None, name: str = "latency") -> Scorer:  # noqa: A002 - reads as what it is
    """How many seconds the case took, or whether that is ``max`` at most."""

    def score(seconds: float) -> float:
        return seconds if max is None else float(seconds <= max)

    return Scorer(name, score, lower_is_better=max is None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
