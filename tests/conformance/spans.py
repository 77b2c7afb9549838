"""Holds the spans that tests capture against the conventions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agentops_sdk import semconv
from agentops_sdk.traces.conformance.conventions import span_type
from agentops_sdk.traces.conformance.source import span_of
from agentops_sdk.traces.conformance.span_rules import Violation, violations

OWN_SCOPE = "agentops_sdk"
_UNDER_BOTH_NAMES = "gen_ai.usage.cache_write.input_tokens"
"""Written beside its older name where no state is chosen."""


def wrong(spans: Iterable[Any], state: str = "pin") -> list[tuple[str, Violation]]:
    """What is wrong in spans of ours, as OpenTelemetry's exporters get them, each with its span's name."""
    found = []
    for each in spans:
        if each.instrumentation_scope is not None and each.instrumentation_scope.name != OWN_SCOPE:
            continue
        span = span_of(each)
        kind = span_type(state, span.kind, span.attributes)
        found += [
            (span.name, one)
            for one in violations(span, kind, state)
            if (one.where != _UNDER_BOTH_NAMES or state == "main") and (one.rule != "span name" or _names_itself(span))
        ]
    return found


def _names_itself(span: Any) -> bool:
    """Frameworks have names of their own for what they begin; the conventions' is for calls whose model is known."""
    return span.attributes.get(semconv.KIND) in ("llm", "embedding") and semconv.REQUEST_MODEL in span.attributes


def check(spans: Iterable[Any], state: str = "pin") -> None:
    """Nothing in them breaks the conventions."""
    found = wrong(spans, state)
    assert found == [], found
