"""From a span of another recorder to ours: kind, tokens, cost, messages, outcome, in our names beside its own.

Nothing of theirs is taken away, but for figures that cannot be: a call that was answered has read something, so
zero tokens in and out are a missing figure, and so is a price of zero for tokens. Both are unknown here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk import semconv
from agentops_sdk.traces.classify import kind_of, outcome_of
from agentops_sdk.traces.formats import message_events
from agentops_sdk.traces.formats.json_values import is_figure
from agentops_sdk.traces.formats.unnamed_figures import unnamed_figures
from agentops_sdk.traces.formats.vocabularies import (
    CACHED_BESIDE,
    ERROR,
    INPUT_COST,
    OUTPUT_COST,
    TOTAL_TOKENS,
    Row,
    inner,
    offered,
    said,
    vocabularies,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["is_told", "translate"]

ZERO_PRICE: Final = "recorded as 0, which is also written where no price is known"
_MODEL_KINDS: Final = ("llm", "embedding")
_tools_in: Final = inner("tools", read=offered)
_TOKENS: Final = (semconv.USAGE_INPUT_TOKENS, semconv.USAGE_OUTPUT_TOKENS)
_PSEUDO: Final = frozenset((CACHED_BESIDE, ERROR, INPUT_COST, OUTPUT_COST, TOTAL_TOKENS, semconv.KIND, semconv.INPUT,
                            semconv.OUTPUT))  # fmt: skip
_PLACES: Final[dict[str, tuple[str, Callable[[Any], Any], str, Callable[[Any], Any]]]] = {
    "llm": (semconv.INPUT_MESSAGES, said("user"), semconv.OUTPUT_MESSAGES, said("assistant")),
    "tool": (semconv.TOOL_CALL_ARGUMENTS, written, semconv.TOOL_CALL_RESULT, written),
    "retriever": (semconv.RETRIEVAL_QUERY, written, semconv.OUTPUT, written),
}
"""By kind where a plain input and a plain output belong."""
_ANYWHERE: Final = (semconv.INPUT, written, semconv.OUTPUT, written)
_NAMED: Final = {
    "tool": (semconv.TOOL_NAME, re.compile(r"^(?:execute_tool|running tool:?|tool:?)\s+|\.tool$", re.IGNORECASE)),
    "agent": (semconv.AGENT_NAME, re.compile(r"^(?:invoke_agent|create_agent|agent:?)\s+|\.agent$", re.IGNORECASE)),
    "workflow": (semconv.WORKFLOW_NAME, re.compile(r"^invoke_workflow\s+|\.workflow$", re.IGNORECASE)),
}
"""By kind the attribute that holds its name, and what the span's name has around it."""
_CALLED: Final = re.compile(
    r"(?:^|[.\w]+\.)(chat|completions?|text_completion|generate_content|embeddings?)(?:\s+\S+)?$"
)
"""How a call of a model is called by the conventions of all ages: ``chat gpt-4o``, ``openai.chat``."""
_EXCEPTION: Final = "exception"
_TOLD: Final = frozenset((semconv.OUTPUT_MESSAGES, semconv.USAGE_OUTPUT_TOKENS, semconv.RESPONSE_FINISH_REASONS,
                          semconv.TOOL_CALL_RESULT, semconv.OUTPUT))  # fmt: skip
"""What a span says of an operation that came to its end."""
_ANSWERED: Final = frozenset(("response_data", semconv.RESPONSE_ID, semconv.OUTPUT_MESSAGES, *_TOKENS))
_MOST_NAMES: Final = 2_000

_Plan = tuple[tuple[Row, str | tuple[str, ...]], ...]


def translate(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a record with what its attributes and events tell in our names; the same where there is nothing.

    Args:
        fields: as :class:`~agentops_sdk.traces.SpanRecord` has them; not changed.
    """
    attributes = fields.get("attributes") or {}
    if semconv.KIND in attributes:  # one of ours, whoever sent it on
        return _ended(fields)
    names = tuple(attributes)
    translated = _by_plan(attributes, _plan(names) if len(names) <= _MOST_NAMES else _planned(names))
    events = fields.get("events") or ()
    in_events = message_events.attributes_of(events) if events else {}
    kind = _kind(fields, attributes, {**in_events, **translated})
    if kind == "tool" and in_events:
        in_events = message_events.told_of_tool(events)
    translated = {**in_events, **translated}
    _add_tokens(translated)
    _add_cost(attributes, translated, kind)
    _place(translated, kind)
    _add_name(fields, attributes, translated, kind)
    failed = translated.pop(ERROR, False) or _raised(fields, events, {**attributes, **translated})
    merged = {
        **attributes,
        **{name: value for name, value in translated.items() if name not in _PSEUDO or name in _KEPT},
    }
    _leave_out_zeros(merged)
    outcome = outcome_of(merged, fields.get("status", "unset"))
    stated = fields.get("outcome")
    if stated in semconv.NOT_ENDED or (stated not in (None, "ok", "error")):
        outcome = stated
    elif failed:
        outcome = "error"
    return _ended({**fields, "attributes": merged, "kind": kind, "outcome": outcome})


_KEPT: Final = frozenset((semconv.INPUT, semconv.OUTPUT))


def is_told(attributes: Mapping[str, Any]) -> bool:
    """Whether attributes are those of another recorder that a vocabulary knows."""
    return semconv.KIND not in attributes and len(attributes) <= _MOST_NAMES and bool(_plan(tuple(attributes)))


def _raised(fields: Mapping[str, Any], events: Any, told: Mapping[str, Any]) -> bool:
    """Whether an exception left the span, as far as an event alone tells: nothing says that all went well."""
    if fields.get("status", "unset") != "unset" or not events:
        return False
    for one in events:
        if isinstance(one, dict) and one.get("name") == _EXCEPTION:
            about = one.get("attributes")
            escaped = str(about.get("exception.escaped")).lower() if isinstance(about, dict) else "none"
            if escaped == "true" or (escaped != "false" and _TOLD.isdisjoint(told)):
                return True
    return False


def _ended(fields: dict[str, Any]) -> dict[str, Any]:
    """A span without an end never got one."""
    end, start = fields.get("end_ns"), fields.get("start_ns")
    if not end and isinstance(start, int) and start > 0:
        return {**fields, "end_ns": start, "outcome": "error" if fields.get("outcome") == "error" else "unfinished"}
    return fields


def _by_plan(attributes: Mapping[str, Any], plan: _Plan) -> dict[str, Any]:
    from agentops_sdk.traces.formats.chat_messages import nested

    translated: dict[str, Any] = {}
    for row, source in plan:
        if row.target in translated and (row.target != semconv.COST_AMOUNT or translated[row.target]):
            continue  # of prices 0 is also written where none is known: one that is told beside it counts
        if isinstance(source, str):
            value = row.read(attributes[source])
        else:
            first = len(row.source)
            value = row.read(nested({name[first:]: attributes[name] for name in source}))
        if value is not None:
            translated[row.target] = value
            if row.target == semconv.COST_AMOUNT:
                translated[semconv.COST_SOURCE] = row.source
    return translated


@lru_cache(maxsize=4_096)
def _plan(names: tuple[str, ...]) -> _Plan:
    return _planned(names)


def _planned(names: tuple[str, ...]) -> _Plan:
    """The rows that say something of attributes with these names, in the order in which they count."""
    exact, families = _rows()
    plan: list[tuple[int, Row, str | tuple[str, ...]]] = []
    members: dict[str, list[str]] = {}
    for name in names:
        plan += [(position, row, name) for position, row in exact.get(name, ())]
        start = name.find(".")
        while start >= 0:
            if (prefix := name[: start + 1]) in families:
                members.setdefault(prefix, []).append(name)
            start = name.find(".", start + 1)
    for prefix, of_family in members.items():
        plan += [(position, row, tuple(of_family)) for position, row in families[prefix]]
    plan.sort(key=lambda item: item[0])
    return (*((row, source) for _, row, source in plan), *unnamed_figures(names))


@lru_cache(maxsize=1)
def _rows() -> tuple[dict[str, list[tuple[int, Row]]], dict[str, list[tuple[int, Row]]]]:
    exact: dict[str, list[tuple[int, Row]]] = {}
    families: dict[str, list[tuple[int, Row]]] = {}
    every = [row for vocabulary in vocabularies() for row in vocabulary.rows]
    for position, row in enumerate(every):
        (families if row.source.endswith(".") else exact).setdefault(row.source, []).append((position, row))
    return exact, families


def _kind(fields: Mapping[str, Any], attributes: Mapping[str, Any], translated: Mapping[str, Any]) -> str:
    stated = translated.get(semconv.KIND) or kind_of(attributes)
    if stated == "llm" and _only_asked(fields, attributes):
        return "task"
    if stated != "span":
        return str(stated)
    if fields.get("kind") not in (None, "span") and fields["kind"] in semconv.KINDS:
        return str(fields["kind"])

    def has(*names: str) -> bool:
        return any(name in translated or name in attributes for name in names)

    tokens = any(translated.get(name) for name in _TOKENS)
    called = _CALLED.match(str(fields.get("name", "")))
    if called and (tokens or has(semconv.OUTPUT_MESSAGES)):
        return "embedding" if called[1].startswith("embed") else "llm"
    model = has(semconv.REQUEST_MODEL, semconv.RESPONSE_MODEL)
    if has(semconv.TOOL_CALL_ID, semconv.TOOL_NAME) and not tokens and not model:
        return "tool"
    if semconv.REQUEST_MODEL in attributes and fields.get("span_kind") == "CLIENT" and not has(semconv.AGENT_NAME):
        return "embedding" if "embed" in str(fields.get("name", "")).lower() else "llm"
    if tokens and not model and has(semconv.PROVIDER_NAME, semconv.OUTPUT_MESSAGES, semconv.INPUT_MESSAGES):
        return "llm"
    if model and (tokens or has(semconv.PROVIDER_NAME, semconv.OUTPUT_MESSAGES, semconv.INPUT_MESSAGES)):
        name = str(fields.get("name", "")).lower()
        if has(semconv.AGENT_NAME) and "agent" in name:
            return "agent"
        return "embedding" if "embed" in name else "llm"
    return "span"


def _only_asked(fields: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
    """Whether a span is how Logfire writes that a stream began: what was said and used stands in a second one."""
    return (
        attributes.get("logfire.span_type") == "span"
        and "request_data" in attributes
        and fields.get("status") != "error"
        and _ANSWERED.isdisjoint(attributes)
    )


def _add_tokens(translated: dict[str, Any]) -> None:
    """Of input, output and their sum the one that was not told; to the input what a cache had, where it lacks that."""
    beside = translated.pop(CACHED_BESIDE, None) is not None
    total = translated.pop(TOTAL_TOKENS, None)
    input_tokens, answered = translated.get(semconv.USAGE_INPUT_TOKENS), translated.get(semconv.USAGE_OUTPUT_TOKENS)
    cached = sum(translated.get(name, 0) for name in (semconv.USAGE_CACHE_READ, semconv.USAGE_CACHE_CREATION))
    if input_tokens is not None and (beside or cached > input_tokens):  # more cannot be a part of it
        translated[semconv.USAGE_INPUT_TOKENS] = input_tokens + cached
    elif total is not None and (input_tokens is None) != (answered is None):
        missing, told = (_TOKENS[0], answered) if input_tokens is None else (_TOKENS[1], input_tokens)
        translated[missing] = max(0, total - told)


def _add_cost(attributes: Mapping[str, Any], translated: dict[str, Any], kind: str) -> None:
    input_cost, answered = translated.pop(INPUT_COST, None), translated.pop(OUTPUT_COST, None)
    if semconv.COST_AMOUNT in attributes:  # ours
        translated.pop(semconv.COST_AMOUNT, None)
        translated.pop(semconv.COST_SOURCE, None)
        return
    if semconv.COST_AMOUNT not in translated and input_cost is not None and answered is not None:
        translated[semconv.COST_AMOUNT] = input_cost + answered
        translated[semconv.COST_SOURCE] = "the trace's prices of input and output"
    amount = translated.get(semconv.COST_AMOUNT)
    if amount is None:
        return
    if not amount:  # on what is around calls it is the sum of prices that nobody knew
        del translated[semconv.COST_AMOUNT]
        if any(translated.get(name) for name in _TOKENS):
            translated[semconv.COST_UNKNOWN_REASON] = ZERO_PRICE
        else:
            del translated[semconv.COST_SOURCE]
    elif kind not in _MODEL_KINDS:
        translated[semconv.COST_TOTAL] = True


def _place(translated: dict[str, Any], kind: str) -> None:
    """Plain inputs and outputs where those of this kind belong, unless something better stands there."""
    to_input, read_input, to_output, read_output = _PLACES.get(kind, _ANYWHERE)
    asked = translated.get(semconv.INPUT)
    if kind == "llm" and isinstance(asked, str) and '"tools"' in asked:  # the request as it was sent
        tools = translated.get(semconv.TOOL_DEFINITIONS) or _tools_in(asked)
        translated.update({} if tools is None else {semconv.TOOL_DEFINITIONS: tools})
    for source, target, read in ((semconv.INPUT, to_input, read_input), (semconv.OUTPUT, to_output, read_output)):
        if source == target or source not in translated:
            continue
        value = translated.pop(source)
        if target not in translated and (value := read(value)) is not None:
            translated[target] = value


def _add_name(fields: Mapping[str, Any], attributes: Mapping[str, Any], translated: dict[str, Any], kind: str) -> None:
    if kind not in _NAMED:
        return
    attribute, around = _NAMED[kind]
    if attribute not in translated and attribute not in attributes:
        names = ("traceloop.entity.name", f"{kind}_name", "graph.node.id" if kind == "agent" else "")
        entity = next((attributes[name] for name in names if name in attributes), None)
        translated[attribute] = (
            entity if isinstance(entity, str) else around.sub("", str(fields.get("name", ""))).strip()
        )


def _leave_out_zeros(merged: dict[str, Any]) -> None:
    for name in (*_TOKENS, semconv.USAGE_CACHE_READ, semconv.USAGE_CACHE_CREATION, semconv.USAGE_REASONING):
        figure = merged.get(name, 0)
        if is_figure(figure) and figure < 0:  # as some write where they know none
            del merged[name]
    figures = [merged[name] for name in _TOKENS if name in merged]
    if figures and all(is_figure(figure) and not figure for figure in figures):
        for name in _TOKENS:
            merged.pop(name, None)
    if merged.get(semconv.OPERATION_COST) == 0 and semconv.COST_AMOUNT not in merged:
        merged.pop(semconv.OPERATION_COST)
