"""How much of what a program reveals its telemetry has: spans, metrics and events, by the conventions' own tables.

The share, from 0 to 100, of the attributes that apply which are there, less what is wrong. What applies: what a signal
requires, what it recommends without a condition, content where that is wanted, and of the rest what the program's
requests and replies tell. A signal that is not there lacks all that it should have had.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.conformance.scenarios import Scenario

from agentops_sdk.traces.conformance.conventions import span_type
from agentops_sdk.traces.conformance.span_rules import Span, violations

__all__ = ["Measure", "Telemetry", "model"]

_INFERENCE = ("chat", "generate_content", "text_completion")
_NOT_ALWAYS = frozenset(
    f"gen_ai.{name}"
    for name in (
        "request.temperature", "request.max_tokens", "request.top_p", "request.stop_sequences",
        "request.presence_penalty", "request.frequency_penalty", "usage.cache_creation.input_tokens",
        "usage.cache_read.input_tokens", "tool.description", "retrieval.top_k",
        "embeddings.dimension.count", "request.encoding_formats", "usage.input_tokens", "usage.output_tokens",
        "response.model", "response.finish_reasons", "response.id", "response.status",
    )
)  # fmt: skip
"""Recommended, and not told by every reply or request; those below are where there was an answer."""
_ANSWERED = ("usage.input_tokens", "usage.output_tokens", "response.model", "response.finish_reasons", "response.id")
_TOLD = {
    "chat": _ANSWERED,
    "embeddings": ("usage.input_tokens", "response.model"),
    "fetch_response": ("response.model", "response.finish_reasons", "response.status"),
    "invoke_agent": ("usage.input_tokens", "usage.output_tokens", "response.finish_reasons"),
}
_CONTENT = {
    "chat": ("input.messages", "output.messages"),
    "fetch_response": ("output.messages",),
    "invoke_agent": ("input.messages", "output.messages"),
    "invoke_workflow": ("input.messages", "output.messages"),
    "execute_tool": ("tool.call.arguments", "tool.call.result"),
    "retrieval": ("retrieval.query.text", "retrieval.documents"),
}
_ON_A_SOCKET = ("chat", "embeddings", "fetch_response")
"""Whose calls go to a server; a retriever that looks into its own memory has none."""


@cache
def model(folder: Path, state: str) -> dict[str, Any]:
    """The conventions of a state."""
    found: dict[str, Any] = json.loads((folder / f"coverage-model.{state}.json").read_text())
    return found


@dataclass
class Telemetry:
    """What left a program.

    Attributes:
        spans: of the conventions' operations.
        metrics: by name the attributes of each series.
        events: by name the attributes of each.
    """

    spans: list[Span]
    metrics: Mapping[str, list[Mapping[str, Any]]]
    events: Mapping[str, list[Mapping[str, Any]]]


@dataclass
class Measure:
    """The outcome, over any number of programs."""

    asked: Counter[str] = field(default_factory=Counter)
    missing: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    wrong: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    @property
    def score(self) -> float:
        right = self.asked.total() - self.missing.total() - self.wrong.total()
        return 100.0 * max(0, right) / self.asked.total()

    def add(self, program: Scenario, told: Telemetry, conventions: Mapping[str, Any], state: str) -> None:
        """One program's telemetry."""
        for operation, count in program.spans.items():
            spans = [one for one in told.spans if one.attributes.get("gen_ai.operation.name") == operation]
            found = len(spans)
            if found != count:
                self.wrong["spans", program.name, f"{found} of {count} {operation}"] += 1
            kind = _type_of(operation, conventions["spans"])
            levels = conventions["spans"][kind]["attributes"]
            names = _applicable(operation, levels, program)
            for one in spans:
                self._compare("spans", kind, names, one.attributes)
                type_ = span_type(state, one.kind, one.attributes)
                for broken in violations(one, type_, state):
                    self.wrong["spans", kind, f"{broken.rule} {broken.where}: {broken.what}"] += 1
                if type_ is None or type_.name != kind:
                    self.wrong["spans", kind, f"{one.kind} {one.name}"] += 1
            for _ in range(count - found):
                self._compare("spans", kind, names, {})
            for name in _metrics_of(operation, program, state):
                self._metric(name, operation, program, told, conventions["metrics"][name])
            if operation in _INFERENCE:
                event = "gen_ai.client.inference.operation.details"
                wanted = _applicable(operation, conventions["events"][event]["attributes"], program, content=False)
                records = told.events.get(event, [])
                for position in range(count):
                    fields = records[position] if position < len(records) else {}
                    self._compare("events", event, wanted, fields)
                    declared = conventions["events"][event]["attributes"]
                    for name in fields:
                        if name not in declared:
                            self.wrong["events", event, f"not declared: {name}"] += 1

    def _metric(
        self, name: str, operation: str, program: Scenario, told: Telemetry, declared: Mapping[str, Any]
    ) -> None:
        levels = declared["attributes"]
        names = _applicable(operation, levels, program, content=False)
        series = [one for one in told.metrics.get(name, []) if _of(one, operation)]
        for one in series or [{}]:
            self._compare("metrics", name, names, one)
            for attribute in one:
                if attribute not in levels and not attribute.startswith("agentops."):
                    self.wrong["metrics", name, f"not declared: {attribute}"] += 1

    def _compare(self, signal: str, of: str, names: Iterable[str], has: Mapping[str, Any]) -> None:
        for name in names:
            self.asked[signal] += 1
            if name not in has:
                self.missing[signal, of, name] += 1


def _of(series: Mapping[str, Any], operation: str) -> bool:
    return series.get("gen_ai.operation.name", operation) == operation


def _type_of(operation: str, spans: Mapping[str, Any]) -> str:
    if operation in _INFERENCE:
        operation = "inference"
    names = [name for name in spans if operation in name.split(".") and not name.startswith("mcp.")]
    return next((name for name in names if name.endswith("internal")), names[0])


def _applicable(operation: str, levels: Mapping[str, str], program: Scenario, *, content: bool = True) -> list[str]:
    like = "chat" if operation in _INFERENCE else operation
    revealed = {*program.reveals.get(operation, ()), *_TOLD.get(like, ())} - {*program.untold}
    if content:
        revealed |= {*_CONTENT.get(like, ())}
    else:
        revealed -= {"system_instructions", "tool.definitions"}
    named = {f"gen_ai.{name}" for name in revealed} | {f"gen_ai.request.{name}" for name in revealed}
    if like in _ON_A_SOCKET:
        named |= {"server.address", "server.port"}
    if like in ("chat", "embeddings"):
        named.add("gen_ai.request.model")
    return [
        name
        for name, level in levels.items()
        if name in named
        or level == "required"
        or (level == "recommended" and name not in _NOT_ALWAYS and not name.startswith("server."))
    ]


def _metrics_of(operation: str, program: Scenario, state: str) -> list[str]:
    main = state == "main"
    revealed = program.reveals.get(operation, ())
    streamed = "stream" in revealed
    if operation in _INFERENCE:
        family = "inference" if main else "operation"
        names = [f"gen_ai.client.{family}.duration"]
        if streamed:
            names += [f"gen_ai.client.{family}.{what}" for what in ("time_to_first_chunk", "time_per_output_chunk")]
        if not main:
            return [*names, "gen_ai.client.token.usage"]
        shares = ("cache_read.input_tokens", "cache_write.input_tokens", "reasoning.output_tokens")
        usage = ("input_tokens", "output_tokens", *(share for share in shares if f"usage.{share}" in revealed))
        return [
            *names,
            *(f"gen_ai.client.inference.operation.{side}_tokens" for side in ("input", "output")),
            *(f"gen_ai.client.inference.usage.{what}" for what in usage),
        ]
    if operation == "embeddings" and not main:
        return ["gen_ai.client.operation.duration", "gen_ai.client.token.usage"]
    return {
        "invoke_agent": [f"gen_ai.invoke_agent.{what}" for what in ("duration", "inference_calls", "tool_calls")],
        "execute_tool": ["gen_ai.execute_tool.duration"],
        "invoke_workflow": ["gen_ai.invoke_workflow.duration"],
    }.get(operation, ["gen_ai.client.operation.duration"])
