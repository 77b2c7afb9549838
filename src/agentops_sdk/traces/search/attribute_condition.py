"""``attribute op value``: a condition on any attribute of a span or its resource."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.errors import ConfigError
from agentops_sdk.traces.classify import OUTCOMES
from agentops_sdk.traces.figures.span_facts import KIND_BITS, KINDS, OUTCOME_BITS, OUTCOME_SHIFT
from agentops_sdk.traces.search.candidate import Condition, Effort
from agentops_sdk.traces.search.filter_values import seconds, words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentops_sdk.traces.figures.columns import Columns
    from agentops_sdk.traces.search.candidate import Candidate

__all__ = ["SHORT_NAMES", "attribute_name", "attribute_names", "conditions_on_attributes", "first_value", "order_in"]

_SYNTAX: Final = re.compile(
    r"\s*(?P<name>[^\s=!<>~]+)\s*(?:(?P<operator>!?~|(?:==|!=|>=|<=|=|>|<)(?![=!<>~]))\s*(?P<value>.*?))?\s*", re.DOTALL
)
"""``<>`` or ``=~`` is no operator followed by a value that begins with a sign."""
_RIGHT: Final = "'attribute op value' with =, !=, >, >=, <, <=, ~ (contains) or !~; the attribute alone: it is there"
_FIELDS: Final[dict[str, Callable[[Columns, int], Any]]] = {
    "name": lambda columns, row: columns.name(row),
    "kind": lambda columns, row: KINDS[columns.facts[row] & KIND_BITS],
    "outcome": lambda columns, row: OUTCOMES[(columns.facts[row] & OUTCOME_BITS) >> OUTCOME_SHIFT],
    "duration": lambda columns, row: max(0, columns.ends[row] - columns.starts[row]) / 1e9,
}
"""What is asked of a span that is no attribute."""
_SHARED: Final = frozenset(("name", "kind"))
_EMPTY: Final = ("=", "==", "!=")
"""Operators that may be followed by nothing."""


SHORT_NAMES: Final = {
    "release": semconv.SERVICE_VERSION,
    "environment": semconv.DEPLOYMENT_ENVIRONMENT,
    "revision": semconv.VCS_REVISION,
    "variant": semconv.VARIANT,
    "prompt": semconv.PROMPT_VERSION_NAME,
}
"""Attributes that have a word of their own where runs are grouped, chosen and compared."""


def attribute_name(name: str) -> str:
    """An attribute's whole name: ``metadata.KEY`` is short for ours."""
    return f"agentops.{name}" if name.startswith("metadata.") else name


def attribute_names(name: str) -> tuple[str, ...]:
    """The attributes that a word stands for: one of its own name, which a program may have set, and the usual one."""
    return (name, SHORT_NAMES[name]) if name in SHORT_NAMES else (attribute_name(name),)


def first_value(columns: Columns, row: int, names: Sequence[str]) -> Any:
    """The value of the first of these attributes that a span or its resource has."""
    for name in names:
        value = columns.attribute(row, name)
        if value is not None:
            return value
    return None


def order_in(text: str) -> tuple[str, str, float] | None:
    """Name, operator and number of a condition that asks whether a value is larger or smaller; ``None`` of another."""
    match = _SYNTAX.fullmatch(text)
    if match is None or match["operator"] not in (">", ">=", "<", "<=") or match["name"] in _FIELDS:
        return None
    number = _number(_unquoted(match["value"] or ""))
    return None if number is None else (attribute_name(match["name"]), match["operator"], number)


def value_test(text: str) -> tuple[tuple[str, ...], Callable[[Any], bool]] | None:
    """The attributes that a condition looks at, the first that is there counts, and what their value has to meet.

    ``None`` where it is none on attributes, or on one that holds content.
    """
    match = _SYNTAX.fullmatch(text)
    if match is None or match["operator"] is None or (name := attribute_name(match["name"])) in _FIELDS:
        return None
    operand = _unquoted(match["value"] or "")
    if name in semconv.CONTENT or name in semconv.STRUCTURED or (not operand and match["operator"] not in _EMPTY):
        return None
    return attribute_names(name), _comparison(match["operator"], operand)


def conditions_on_attributes(keyword: str, value: Any) -> list[Condition]:
    """A condition for each text; a run meets it if one of its spans does.

    Raises:
        ConfigError: a text is no condition.
    """
    return [_condition(keyword, text) for text in words(keyword, value)]


def _condition(keyword: str, text: str) -> Condition:
    match = _SYNTAX.fullmatch(text)
    if match is None:
        raise ConfigError(keyword, text, _RIGHT)
    name, operator, operand = attribute_name(match["name"]), match["operator"], _unquoted(match["value"] or "")
    if operator is not None and not operand and operator not in _EMPTY:
        raise ConfigError(keyword, text, _RIGHT)
    if name == "duration" and operator is not None:
        operand = repr(seconds(keyword, operand))
    holds = _comparison(operator, operand)
    if field := _FIELDS.get(name):

        def in_field(run: Candidate) -> bool:
            # How a span ended, its last line says: the tree has found it among those written while it was open.
            rows = run.different_rows if name in _SHARED else run.trace.outline.rows
            return any(holds(field(run.columns, row)) for row in rows)

        return Condition(in_field, Effort.WORDS if name in _SHARED else Effort.TREE)

    def in_attributes(run: Candidate) -> bool:
        columns = run.columns
        rows: Sequence[int] = run.different_rows if all(map(columns.has_words, names)) else run.rows
        return any(holds(first_value(columns, row, names)) for row in rows)

    names = attribute_names(name)
    attributes = () if name in semconv.CONTENT or name in semconv.STRUCTURED else names
    return Condition(in_attributes, Effort.WORDS if attributes else Effort.LINES, attributes)


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _comparison(operator: str | None, operand: str) -> Callable[[Any], bool]:
    """Whether a value meets it; what a span does not carry never does."""
    if operator is None:
        return lambda value: value is not None
    compare = _OPERATORS[operator]
    number = _number(operand)

    def holds(value: Any) -> bool:
        if value is None:
            return False
        if isinstance(value, (list, tuple)):
            some = [compare(item, operand, number) for item in value]
            return all(some) if operator in ("!=", "!~") else any(some)
        return compare(value, operand, number)

    return holds


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _is(value: Any, operand: str, number: float | None) -> bool:
    if isinstance(value, bool):
        return operand.lower() == str(value).lower()
    if isinstance(value, (int, float)) and number is not None:
        return value == number
    return str(value) == operand


def _contains(value: Any, operand: str, _number: float | None) -> bool:
    return operand.lower() in str(value).lower()


def _order(holds: Callable[[Any, Any], bool]) -> Callable[[Any, str, float | None], bool]:
    def compare(value: Any, operand: str, number: float | None) -> bool:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return number is not None and holds(value, number)
        return number is None and isinstance(value, str) and holds(value, operand)

    return compare


_OPERATORS: Final[dict[str, Callable[[Any, str, float | None], bool]]] = {
    "=": _is,
    "==": _is,
    "!=": lambda value, operand, number: not _is(value, operand, number),
    ">": _order(lambda value, operand: value > operand),
    ">=": _order(lambda value, operand: value >= operand),
    "<": _order(lambda value, operand: value < operand),
    "<=": _order(lambda value, operand: value <= operand),
    "~": _contains,
    "!~": lambda value, operand, number: not _contains(value, operand, number),
}
