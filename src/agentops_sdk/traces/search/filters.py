"""The filters: a row for each, from which come the keyword arguments, the options of every command, and the docs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, get_type_hints

from agentops_sdk import semconv
from agentops_sdk.errors import ConfigError
from agentops_sdk.traces.figures.span_facts import KIND_BITS, KINDS
from agentops_sdk.traces.search.attribute_condition import conditions_on_attributes
from agentops_sdk.traces.search.candidate import Condition, Effort
from agentops_sdk.traces.search.filter_values import amount, moment, pattern, seconds, words
from agentops_sdk.traces.search.text_condition import conditions_on_text

if TYPE_CHECKING:
    from agentops_sdk.traces.figures.columns import Columns
    from agentops_sdk.traces.search.candidate import Candidate

__all__ = ["Filter", "Filters", "attributes_of", "conditions", "table"]

Words = str | Sequence[str]
Moment = str | datetime | date | timedelta | None
Duration = float | str | timedelta
Amount = float | str | Decimal
Conditions = Callable[[str, Any], list[Condition]]


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter.

    Attributes:
        help: which runs it chooses, after "only runs".
        conditions: from its name and value.
        metavar: what stands for the value on the command line; without one it is a switch.
        repeats: whether it may be given several times.
    """

    help: str
    conditions: Conditions
    metavar: str = ""
    repeats: bool = False


def _by_words(values: Callable[[Columns, int], Iterator[Any]]) -> Conditions:
    """A span has a word that is one of those asked for."""

    def make(keyword: str, value: Any) -> list[Condition]:
        matches = pattern(words(keyword, value))

        def holds(run: Candidate) -> bool:
            return any(matches(word) for row in run.different_rows for word in values(run.columns, row))

        return [Condition(holds, Effort.WORDS)]

    return make


def _carried(*names: str) -> Callable[[Columns, int], Iterator[Any]]:
    def values(columns: Columns, row: int) -> Iterator[Any]:
        told = columns.words(row)
        for name in names:
            value = told.get(name)
            if isinstance(value, list):
                yield from value
            elif value is not None:
                yield value if isinstance(value, str) else str(value)

    return values


def _named(kind: str, attribute: str) -> Callable[[Columns, int], Iterator[Any]]:
    """The attribute, or the name of a span of this kind that lacks it."""

    def values(columns: Columns, row: int) -> Iterator[Any]:
        name = columns.words(row).get(attribute)
        if name:
            yield str(name)
        elif KINDS[columns.facts[row] & KIND_BITS] == kind:
            yield columns.name(row)

    return values


def _service(columns: Columns, row: int) -> Iterator[Any]:
    yield columns.service(row)


def _outcome(keyword: str, value: Any) -> list[Condition]:
    outcomes = words(keyword, value)
    known = (*semconv.OUTCOMES, *semconv.NOT_ENDED)
    if unknown := next((outcome for outcome in outcomes if outcome not in known), None):
        raise ConfigError(keyword, unknown, f"one of {', '.join(known)}")
    return [Condition(lambda run: run.trace.outcome in outcomes, Effort.TREE)]


def _errors(keyword: str, value: Any) -> list[Condition]:
    if not isinstance(value, bool):
        raise ConfigError(keyword, value, "True or False")
    return [Condition(lambda run: bool(run.trace.outline.errors) is value, Effort.TREE)]


def _since(keyword: str, value: Any) -> list[Condition]:
    first = moment(keyword, value)
    return [Condition(lambda run: run.start_ns >= first, Effort.START)]


def _until(keyword: str, value: Any) -> list[Condition]:
    last = moment(keyword, value, end=True)
    return [Condition(lambda run: run.start_ns < last, Effort.START)]


def _slower_than(keyword: str, value: Any) -> list[Condition]:
    limit = seconds(keyword, value)
    return [Condition(lambda run: run.trace.duration > limit, Effort.TREE)]


def _min_cost(keyword: str, value: Any) -> list[Condition]:
    least = amount(keyword, value)
    doubtful: list[str] = []

    def holds(run: Candidate) -> bool:
        cost = run.trace.sums[1]
        if cost.amount < least and cost.lower_bound:
            doubtful.append(run.trace.trace_id)
        return cost.amount >= least

    def remark() -> str | None:
        if not doubtful:
            return None
        return f"{len(doubtful)} run(s) may have cost {least} or more and are left out: their cost is not wholly known"

    return [Condition(holds, Effort.MONEY, remark=remark)]


class Filters(TypedDict, total=False):
    """Which runs are chosen: those that meet every filter. To add a filter, add a row.

    In words ``*`` stands for anything; of several words one has to match, of several texts and conditions each.
    Times without an offset are UTC. A filter that is ``None`` is none.
    """

    session: Annotated[
        Words,
        Filter("of this session or conversation", _by_words(_carried(semconv.SESSION_ID, semconv.CONVERSATION_ID)),
               "ID", True),
    ]  # fmt: skip
    user: Annotated[Words, Filter("of this user", _by_words(_carried(semconv.USER_ID)), "ID", True)]
    agent: Annotated[
        Words, Filter("in which this agent ran", _by_words(_named("agent", semconv.AGENT_NAME)), "NAME", True)
    ]
    model: Annotated[
        Words,
        Filter("in which this model was asked or answered",
               _by_words(_carried(semconv.REQUEST_MODEL, semconv.RESPONSE_MODEL)), "NAME", True),
    ]  # fmt: skip
    tool: Annotated[Words, Filter("in which this tool ran", _by_words(_named("tool", semconv.TOOL_NAME)), "NAME", True)]
    tag: Annotated[Words, Filter("with this tag", _by_words(_carried(semconv.TAGS)), "TAG", True)]
    service: Annotated[Words, Filter("of this service", _by_words(_service), "NAME", True)]
    outcome: Annotated[
        Words, Filter("that ended so: ok, error, cancelled, unfinished, running, ...", _outcome, "OUTCOME", True)
    ]
    errors: Annotated[bool, Filter("in which a step failed, whatever became of the run", _errors)]
    since: Annotated[
        Moment, Filter("that started then or later: a day, a time, or an age such as 2h or 7d", _since, "TIME")
    ]
    until: Annotated[Moment, Filter("that started before; of a day, before it was over", _until, "TIME")]
    min_cost: Annotated[Amount, Filter("that cost at least this", _min_cost, "AMOUNT")]
    slower_than: Annotated[Duration, Filter("that took longer: seconds, or 500ms, 2m, 1h", _slower_than, "DURATION")]
    text: Annotated[
        Words,
        Filter("in which a step's name, error, messages, arguments or result hold this text", conditions_on_text,
               "TEXT", True),
    ]  # fmt: skip
    where: Annotated[
        Words,
        Filter("with a step whose attribute meets 'attribute op value': =, !=, >, >=, <, <=, ~ (contains), !~",
               conditions_on_attributes, "CONDITION", True),
    ]  # fmt: skip


@cache
def table() -> dict[str, Filter]:
    """The filters by their names."""
    hints = get_type_hints(Filters, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}


def attributes_of(filters: Filters) -> list[str]:
    """What a reader keeps in columns, so that these filters are fast.

    Raises:
        ConfigError: there is no such filter, or its value is wrong.
    """
    return [name for condition in conditions(filters) for name in condition.attributes]


def conditions(filters: Filters) -> list[Condition]:
    """What a run must meet, the cheapest first. A filter that is ``None`` is none.

    Raises:
        ConfigError: there is no such filter, or its value is wrong.
    """
    rows = table()
    result: list[Condition] = []
    for name, value in filters.items():
        if name not in rows:
            raise ConfigError(name, value, f"one of the filters {', '.join(rows)}")
        if value is not None:
            result += rows[name].conditions(name, value)
    return sorted(result, key=lambda condition: condition.effort)
