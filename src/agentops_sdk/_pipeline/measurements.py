"""What an ended span measures: its durations, tokens, calls and cost, as the metrics of one state of the conventions.

Consumer thread only. Each span is measured once, whether it is sampled or not.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from opentelemetry.trace import SpanKind

from agentops_sdk import semconv
from agentops_sdk import semconv_metrics as metric
from agentops_sdk._named_tuple import NamedTuple
from agentops_sdk._recorder.ended_spans import EndedSpans
from agentops_sdk.semconv_metrics import MetricRow

__all__ = ["LABELS", "EndedWork", "Measurement", "Measurements"]

Measurement = tuple[MetricRow, tuple[Any, ...], float, int]
"""A metric, the values of its attributes, the amount, and how often it was measured."""

_INFERENCE: Final = frozenset(("chat", "generate_content", "text_completion"))
_WITHOUT_TOKENS: Final = frozenset(("invoke_agent", "invoke_workflow", "create_agent"))
"""Operations that use no tokens themselves: what they report are those of calls below them, or elsewhere."""
_REMEMBERED: Final = 10_000
_MOST_CHUNKS: Final = 10_000  # of one stream that are measured one by one
_MODALITIES: Final = ("audio", "image")
_MODEL_KINDS: Final = ("llm", "embedding", "retriever")
_COUNTED: Final = frozenset((*_MODEL_KINDS, "tool", "agent"))
_MEASURED: Final = frozenset((
    semconv.OPERATION_NAME, semconv.MCP_METHOD_NAME, semconv.COST_AMOUNT, semconv.DECISION_NAME,
    semconv.DECISION_CHOSEN,
))  # fmt: skip
"""Of the others, what is measured tells of itself by one of these."""
_FIGURES: Final = (int, float)

LABELS: Final = tuple(dict.fromkeys(name for row in metric.ROWS for name in row.attributes))
"""Every attribute that a series may have."""


class EndedWork(NamedTuple):
    """What is looked at of an ended span.

    Attributes:
        attributes: worked out: with tokens and cost.
        kind: OpenTelemetry's.
        seconds: how long it took.
        failed: whether its status says so.
        span_id: its own.
        parent_id: that of the span above in this process; 0 where there is none.
        events: names and attributes of its events.
    """

    attributes: Mapping[str, Any]
    kind: SpanKind
    seconds: float
    failed: bool
    span_id: int
    parent_id: int
    events: Collection[tuple[str, Mapping[str, Any]]]


class _Calls:
    """Model and tool calls below a span that has not ended."""

    __slots__ = ("models", "requests", "tools")

    def __init__(self) -> None:
        self.models = self.tools = self.requests = 0
        # A request to an MCP server is a tool call, unless it is how a tool does its work.


class Measurements:
    """Makes measurements of spans; remembers what one span does not tell.

    Args:
        state: of the conventions, ``pin`` or ``main``.
    """

    def __init__(self, state: str) -> None:
        self._main = state == "main"
        self.below: OrderedDict[int, _Calls] = OrderedDict()
        """By the id of an open span: what was called below it."""
        self._ended = EndedSpans()
        self._told: OrderedDict[str, None] = OrderedDict()
        """Ids of replies whose tokens have been counted: whoever reads one again has used none."""
        self._paid: OrderedDict[str, None] = OrderedDict()
        """The same of their cost."""

    def forget_ended(self, still_open: Collection[int], consumed: int, waiting: int) -> None:
        """Let go of calls below spans that had ended before: see :meth:`EndedSpans.among`."""
        for span_id in self._ended.among(self.below, still_open, consumed, waiting):
            del self.below[span_id]

    def of_step(self, attributes: Mapping[str, Any], events: Sequence[Any], *, failed: bool) -> list[Measurement]:
        """What a step of the program's own measures, as most spans are; nothing where :meth:`of` tells more."""
        kind = attributes.get(semconv.KIND)
        if kind in _COUNTED or self.below or events or not _MEASURED.isdisjoint(attributes):
            return []
        return [_ended(kind, attributes.get(semconv.OUTCOME), failed=failed)]

    def of(self, span: EndedWork) -> list[Measurement]:
        """What ``span`` measures."""
        attributes = span.attributes
        get = attributes.get
        kind = get(semconv.KIND)
        found = [_ended(kind, get(semconv.OUTCOME), failed=span.failed)]
        outcome = found[0][1][1]
        if kind not in _COUNTED and _MEASURED.isdisjoint(attributes) and not self.below and not span.events:
            return found
        error = get(semconv.ERROR_TYPE)
        operation = get(semconv.OPERATION_NAME)
        answered = get(semconv.CACHED) is True  # by the program itself: no model was asked
        container = semconv.MODEL_CALLS in attributes  # what it did stands on the calls below it
        method = get(semconv.MCP_METHOD_NAME)
        ours = kind in _MODEL_KINDS or span.kind is SpanKind.CLIENT
        if ours and operation is not None and method is None and not answered and not container:
            self._model_call(found, span, str(operation), outcome, error)
        if operation == "execute_tool" and kind == "tool":  # else whoever asked for it tells of the same execution
            tool = get(semconv.TOOL_NAME), get(semconv.TOOL_TYPE), get(semconv.AGENT_NAME), error
            found.append((metric.TOOL_DURATION, tool, span.seconds, 1))
        elif operation == "invoke_agent" and span.kind is not SpanKind.CLIENT:
            agent = get(semconv.AGENT_NAME), get(semconv.REQUEST_MODEL), error
            found.append((metric.AGENT_DURATION, agent, span.seconds, 1))
        elif operation == "invoke_workflow":
            found.append((metric.WORKFLOW_DURATION, (get(semconv.WORKFLOW_NAME), error), span.seconds, 1))
        if method is not None:
            row = metric.MCP_SERVER_DURATION if span.kind is SpanKind.SERVER else metric.MCP_CLIENT_DURATION
            found.append((row, tuple(map(get, row.attributes)), span.seconds, 1))
        if semconv.COST_AMOUNT in attributes and not answered and not container:
            self._cost(found, attributes, kind, operation)
        if span.parent_id or self.below or kind == "agent":
            self._count_calls(found, span, kind, countable=not answered and not container)
        if semconv.DECISION_NAME in attributes or semconv.DECISION_CHOSEN in attributes:
            _decision(found, attributes)
        for event, fields in span.events:
            if event == semconv.DECISION_EVENT:
                _decision(found, fields)
        return found

    def _model_call(self, found: list[Measurement], span: EndedWork, operation: str, outcome: str, error: Any) -> None:
        attributes = span.attributes
        get = attributes.get
        inference = operation in _INFERENCE
        model = (
            operation, get(semconv.PROVIDER_NAME), get(semconv.REQUEST_MODEL), get(semconv.RESPONSE_MODEL),
            get(semconv.SERVER_ADDRESS), get(semconv.SERVER_PORT),
        )  # fmt: skip
        row = metric.INFERENCE_DURATION if inference else metric.OPERATION_DURATION
        found.append((row, (*model, error), span.seconds, 1))
        first: Any
        chunks: Any
        first, chunks = get(semconv.RESPONSE_TIME_TO_FIRST_CHUNK), get(semconv.STREAM_CHUNKS)
        if type(first) in _FIGURES and inference:
            found.append((metric.TIME_TO_FIRST_CHUNK, model, first, 1))
            if type(chunks) is int and chunks > 1 and outcome == "ok" and span.seconds >= first:
                rest = min(chunks - 1, _MOST_CHUNKS)
                found.append((metric.TIME_PER_OUTPUT_CHUNK, model, (span.seconds - first) / (chunks - 1), rest))
        if operation in _WITHOUT_TOKENS or self._repeats(attributes, operation):
            return
        source = get(semconv.USAGE_SOURCE)
        ours = (*model, source if source in ("counted", "estimated") else None)
        if operation == "fetch_response":  # the tokens are those of the call whose reply is fetched
            ours = ("chat", *ours[1:])
            inference = True
        if not self._main:
            for name, side in ((semconv.USAGE_INPUT_TOKENS, "input"), (semconv.USAGE_OUTPUT_TOKENS, "output")):
                count = get(name)
                if type(count) is int:
                    found.append((metric.TOKEN_USAGE, (*ours, side), count, 1))
        elif inference:
            _tokens_of_main(found, attributes, ours, error)
        if semconv.COST_UNKNOWN_REASON in attributes:
            found.append((metric.COST_UNKNOWN, model, 1, 1))

    def _cost(self, found: list[Measurement], attributes: Mapping[str, Any], kind: Any, operation: Any) -> None:
        get = attributes.get
        amount: Any = get(semconv.COST_AMOUNT)
        is_sum = kind not in _MODEL_KINDS and get(semconv.COST_SOURCE) != "user"
        if type(amount) not in _FIGURES or is_sum or get(semconv.COST_TOTAL):
            return  # of a sum, the calls inside tell their own parts
        if type(ident := get(semconv.USAGE_OF, get(semconv.RESPONSE_ID))) is str:
            if ident in self._paid:
                if semconv.USAGE_OF in attributes or operation == "fetch_response":
                    return
            else:
                _remember(self._paid, ident)
        model = tuple(map(get, metric.COST.attributes[:-2]))
        currency, estimated = get(semconv.COST_CURRENCY, "USD"), get(semconv.COST_ESTIMATED) or None
        found.append((metric.COST, (*model, currency, estimated), amount, 1))

    def _repeats(self, attributes: Mapping[str, Any], operation: str) -> bool:
        """Whether the tokens are those of a reply that has been counted already."""
        lasting = attributes.get(semconv.USAGE_OF)
        ident = lasting or attributes.get(semconv.RESPONSE_ID)
        if type(ident) is not str or semconv.USAGE_INPUT_TOKENS not in attributes:
            return False
        if ident in self._told:
            return lasting is not None or operation == "fetch_response"
        _remember(self._told, ident)
        return False

    def _count_calls(self, found: list[Measurement], span: EndedWork, kind: Any, *, countable: bool) -> None:
        """Each call belongs to the one invocation of an agent that it was made in."""
        calls = self.below.pop(span.span_id, None)
        if kind == "agent" and span.attributes.get(semconv.OPERATION_NAME) == "invoke_agent":
            calls = calls or _Calls()
            name = (span.attributes.get(semconv.AGENT_NAME),)
            found.append((metric.AGENT_INFERENCE_CALLS, name, calls.models, 1))
            found.append((metric.AGENT_TOOL_CALLS, name, calls.tools + calls.requests, 1))
            return
        model, tool = kind == "llm" and countable, kind == "tool"
        if not span.parent_id or not (calls or model or tool):
            return
        above = self.below.get(span.parent_id)
        if above is None:
            above = self.below[span.parent_id] = _Calls()
            if len(self.below) > _REMEMBERED:
                self.below.popitem(last=False)
        request = tool and semconv.MCP_METHOD_NAME in span.attributes
        above.models += model + (calls.models if calls else 0)
        above.tools += (tool and not request) + (calls.tools if calls else 0)
        above.requests += request + (calls.requests if calls and not tool else 0)


def _ended(kind: Any, outcome: Any, *, failed: bool) -> Measurement:
    """That a span of that kind has ended so."""
    outcome = outcome or ("error" if failed else "ok")
    outcome = outcome if outcome in semconv.OUTCOMES else "ok"
    return metric.SPANS, (kind if kind in semconv.SPAN_KINDS else "span", outcome), 1, 1


def _remember(known: OrderedDict[str, None], ident: str) -> None:
    known[ident] = None
    if len(known) > _REMEMBERED:
        known.popitem(last=False)


def _tokens_of_main(found: list[Measurement], attributes: Mapping[str, Any], ours: tuple[Any, ...], error: Any) -> None:
    get = attributes.get
    counts = get(semconv.USAGE_INPUT_TOKENS), get(semconv.USAGE_OUTPUT_TOKENS)
    for row, count in zip((metric.INPUT_TOKENS, metric.OUTPUT_TOKENS), counts, strict=True):
        if type(count) is int or error is not None:
            found.append((row, (*ours, error), count if type(count) is int else 0, 1))
    for row, total, prefix, suffix in (
        (metric.USAGE_INPUT, counts[0], "", "input_tokens"),
        (metric.USAGE_OUTPUT, counts[1], "", "output_tokens"),
        (metric.USAGE_CACHE_READ, get(semconv.USAGE_CACHE_READ), "cache_read.", "input_tokens"),
        (metric.USAGE_CACHE_WRITE, get(semconv.USAGE_CACHE_WRITE, get(semconv.USAGE_CACHE_CREATION)), "", ""),
        (metric.USAGE_REASONING, get(semconv.USAGE_REASONING), "", ""),
    ):
        rest = total if type(total) is int else 0
        known = False
        for modality in (*_MODALITIES, "text") if suffix else ():
            name = f"usage.{modality}.{prefix}{suffix}"
            part = get(f"gen_ai.{name}", get(f"agentops.{name}"))
            if type(part) is int and 0 < part <= rest:
                found.append((row, (*ours, modality), part, 1))
                rest, known = rest - part, True
        if rest or not known:
            found.append((row, (*ours, "unknown"), rest, 1))


def _decision(found: list[Measurement], fields: Mapping[str, Any]) -> None:
    name, by = fields.get(semconv.DECISION_NAME), fields.get(semconv.DECISION_BY)
    found.append((metric.DECISIONS, (name, by, fields.get(semconv.DECISION_CHOSEN)), 1, 1))
    confidence: Any = fields.get(semconv.DECISION_CONFIDENCE)
    if type(confidence) in _FIGURES:
        found.append((metric.DECISION_CONFIDENCE, (name, by), confidence, 1))
