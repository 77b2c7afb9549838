"""Tables over many traces: what each model, tool, agent, session, user, day or tag did, took and cost."""

from __future__ import annotations

from array import array
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from agentops_sdk import semconv
from agentops_sdk.errors import ConfigError
from agentops_sdk.traces.classify import OUTCOMES, from_ns
from agentops_sdk.traces.figures.accounts import MODEL_KINDS, Counted
from agentops_sdk.traces.figures.attribute_shape import session_in
from agentops_sdk.traces.figures.span_facts import ENDED, KIND_BITS, KINDS, OUTCOME_BITS, OUTCOME_SHIFT, Fact
from agentops_sdk.traces.figures.table_rows import Row, Stats
from agentops_sdk.traces.formats.json_values import as_text
from agentops_sdk.traces.search.attribute_condition import SHORT_NAMES, attribute_names, first_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agentops_sdk.traces.figures.outline import Outline
    from agentops_sdk.traces.trace import Trace

    Keys = tuple[str, ...]

BY: Final = (
    *("model", "tool", "agent", "session", "user", "service", "outcome", "day", "hour", "tag", "decision", "finding"),
)
_OWN_KIND: Final = {"tool": "tool", "agent": "agent"}
_ERROR, _RUNNING, _UNFINISHED = map(OUTCOMES.index, ("error", "running", "unfinished"))
_USEFUL: Final = (OUTCOMES.index("ok"), OUTCOMES.index("running"))


def stats(traces: Iterable[Trace], by: str = "model") -> Stats:
    """Add up traces, one at a time, by one of :data:`BY` or by an attribute.

    An attribute's name has a dot; ``metadata.KEY`` is short for ``agentops.metadata.KEY``, and ``release``,
    ``environment``, ``revision``, ``variant`` and ``prompt`` are short for theirs. Tools and agents get what
    happened below them up to the next tool or agent; sessions, users, tags and attributes hold for everything below
    the span that carries them; the outcome is that of the run; days and hours are UTC. What belongs to no row key is
    under ``(no tool)`` and the like.
    By decision there is a row per choice, see :func:`~agentops_sdk.traces.decisions.decision_table.decision_stats`;
    by finding one per rule of security findings.

    Raises:
        ConfigError: another word than these.
    """
    if by not in BY and by not in SHORT_NAMES and "." not in by:
        raise ConfigError("by", by, f"one of {', '.join((*BY, *SHORT_NAMES))}, or an attribute such as metadata.KEY")
    if by == "decision":
        from agentops_sdk.traces.decisions.decision_table import decision_stats

        return decision_stats(traces)
    if by == "finding":
        return _by_finding(traces)
    many = by == "tag" or by not in BY  # a call may stand in several rows: an attribute may hold a list, as tags do
    rows: dict[str, Row] = {}
    total, keyless = Row("total"), Row("")
    for trace in traces:
        total.add_trace(trace)
        outline = trace.outline
        seen: set[str] = set()
        for keys, numbers in _by_keys(_keyed(trace, by)).items():
            for key in keys:
                row = rows.setdefault(key, Row(key))
                _add(row, outline, numbers, by)
                row.traces += key not in seen
                seen.add(key)
            if many:
                _add(total, outline, numbers, by, whole=True)
            elif not keys:
                _add(keyless, outline, numbers, by)
    for row in rows.values():
        row.durations.sort()
    if not many:  # every call stands in one row
        for row in (*rows.values(), keyless):
            total.merge(row)
    total.durations.sort()
    return Stats(by, costliest_first(rows.values()), total)


def costliest_first(rows: Iterable[Row]) -> list[Row]:
    """Rows in the order of a table."""
    return sorted(rows, key=lambda row: (-row.cost.amount, -row.usage.total, -row.calls, row.key))


def _by_finding(traces: Iterable[Trace]) -> Stats:
    """A row per rule of security findings: a *call* is one finding, a duration that of the span it was made on."""
    rows: dict[str, Row] = {}
    total = Row("total")
    for trace in traces:
        total.add_trace(trace)
        outline, seen = trace.outline, set[str]()
        for number in range(outline.count):
            for key in _attribute_keys(outline, number, names=(semconv.FINDINGS,)):
                row = rows.setdefault(key, Row(key))
                row.traces += key not in seen
                seen.add(key)
                for one in (row, total):
                    one.calls += 1
                    one.durations.append(max(0, outline.ends[number] - outline.start(number)) / 1e9)
    for row in (*rows.values(), total):
        row.durations.sort()
    return Stats("finding", sorted(rows.values(), key=lambda row: (-row.calls, row.key)), total)


def _by_keys(keyed: Iterable[tuple[int, Keys]]) -> dict[Keys, array[int]]:
    """The spans that have the same row keys."""
    spans: dict[Keys, array[int]] = {}
    for number, keys in keyed:
        numbers = spans.get(keys)
        if numbers is None:
            numbers = spans[keys] = array("I")
        numbers.append(number)
    return spans


def _add(row: Row, outline: Outline, numbers: Sequence[int], by: str, *, whole: bool = False) -> None:
    """Add spans to a row."""
    shares, rows, facts, own_kind = outline.shares, outline.rows, outline.columns.facts, _OWN_KIND.get(by)
    starts, ends, took = outline.columns.starts, outline.ends, row.durations.append
    kind = KINDS.index(own_kind) if own_kind else -1
    for number in numbers:
        row_number = rows[number]
        fact = facts[row_number]
        if (fact & KIND_BITS == kind) if own_kind else (shares[number] & Counted.CALL):
            outcome = (fact & OUTCOME_BITS) >> OUTCOME_SHIFT
            if fact & Fact.STOPPED and outcome == _ERROR:
                row.refused += 1
                continue
            row.calls += 1
            if ENDED[outcome]:
                row.errors += outcome == _ERROR
                took(max(0, ends[number] - starts[row_number]) / 1e9)
            elif not whole:
                row.running += outcome == _RUNNING
                row.unfinished += outcome == _UNFINISHED
        if fact & Fact.FIRST_CHUNK and shares[number] & Counted.CALL:
            first = outline.columns.figure(row_number, semconv.RESPONSE_TIME_TO_FIRST_CHUNK)
            if isinstance(first, (int, float)):
                row.first_chunks.append(float(first))
    outline.add_all(numbers, row.usage, row.cost)
    wasted = (n for n in numbers if shares[n] & Counted.ANY_COST and outline.outcome_number(n) not in _USEFUL)
    outline.add_all(wasted, None, row.wasted)


def _keyed(trace: Trace, by: str) -> Iterable[tuple[int, Keys]]:
    """Every span that has something to add, with its row keys: its own, or those of the nearest span above with any."""
    outline = trace.outline
    shares, own_kind = outline.shares, _OWN_KIND.get(by)
    adds = Counted.ANY if own_kind else Counted.ANY | Counted.CALL
    adding = (
        number
        for number in range(outline.count)
        if shares[number] & adds or (own_kind is not None and outline.kind(number) == own_kind)
    )
    if by == "model":
        return _by_model(outline, adding)
    if by == "outcome":
        return ((number, (trace.outcome,)) for number in adding)
    own = _OWN_KEYS.get(by) or partial(_attribute_keys, names=attribute_names(by))
    if by in _ITS_OWN:
        return ((number, own(outline, number)) for number in adding)
    table: dict[Keys, int] = {(f"(no {by})",): 0}
    inherited = array("I", bytes(4 * outline.count))
    parents = outline.parents
    for number in outline.preorder:
        keys = own(outline, number)
        if keys:
            inherited[number] = table.setdefault(keys, len(table))
        elif (above := parents[number]) >= 0:
            inherited[number] = inherited[above]
    by_number = list(table)
    return ((number, by_number[inherited[number]]) for number in adding)


def _by_model(outline: Outline, numbers: Iterable[int]) -> Iterable[tuple[int, Keys]]:
    models, texts, rows = outline.columns.models, outline.columns.texts, outline.rows
    keys = [(text,) for text in texts]
    for number in numbers:
        text = models[rows[number]]
        yield number, keys[text] if text else _model_key(outline, number)


def _model_key(outline: Outline, number: int) -> Keys:
    name = outline.model(number)
    if name is None and not outline.ended(number) and outline.kind(number) not in MODEL_KINDS:
        return ()  # what it may still use stands in the total
    return (name or "(no model)",)


def _day_key(outline: Outline, number: int) -> Keys:
    return (day(outline.start(number) // DAY_NS),)


@lru_cache(maxsize=64)
def day(number: int) -> str:
    return str(from_ns(number * DAY_NS).date())


def _hour_key(outline: Outline, number: int) -> Keys:
    return (hour(outline.start(number) // HOUR_NS),)


@lru_cache(maxsize=64)
def hour(number: int) -> str:
    return f"{from_ns(number * HOUR_NS):%Y-%m-%d %H:00}"


def _service_key(outline: Outline, number: int) -> Keys:
    return (outline.columns.service(outline.rows[number]) or "(no service)",)


def _user_key(outline: Outline, number: int) -> Keys:
    user = outline.columns.words(outline.rows[number]).get(semconv.USER_ID)
    return (as_text(user),) if user else ()


def _attribute_keys(outline: Outline, number: int, *, names: Sequence[str]) -> Keys:
    value = first_value(outline.columns, outline.rows[number], names)
    if value is None or value == "":
        return ()
    return tuple(dict.fromkeys(map(as_text, value))) if isinstance(value, list) else (as_text(value),)


def _session_key(outline: Outline, number: int) -> Keys:
    if not outline.fact(number, Fact.SESSION):
        return ()
    session = session_in(outline.told(number))
    return (session,) if session else ()


def _tag_keys(outline: Outline, number: int) -> Keys:
    tags = outline.told(number).get(semconv.TAGS)
    if isinstance(tags, str):
        return (tags,)
    return tuple(dict.fromkeys(str(tag) for tag in tags)) if isinstance(tags, list) else ()


def _tool_key(outline: Outline, number: int) -> Keys:
    return _named(outline, number, "tool", semconv.TOOL_NAME)


def _agent_key(outline: Outline, number: int) -> Keys:
    return _named(outline, number, "agent", semconv.AGENT_NAME)


def _named(outline: Outline, number: int, kind: str, attribute: str) -> Keys:
    if outline.kind(number) != kind:
        return ()
    return (str(outline.told(number).get(attribute) or outline.name(number)),)


DAY_NS: Final = 86_400 * 10**9
HOUR_NS: Final = 3_600 * 10**9
_OWN_KEYS: Final[dict[str, Callable[[Outline, int], Keys]]] = {
    "model": _model_key,
    "tool": _tool_key,
    "agent": _agent_key,
    "session": _session_key,
    "user": _user_key,
    "service": _service_key,
    "day": _day_key,
    "hour": _hour_key,
    "tag": _tag_keys,
}
_ITS_OWN: Final = frozenset(("service", "day", "hour"))
"""What every span says itself."""
