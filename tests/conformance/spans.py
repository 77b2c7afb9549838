"""Holds the spans that tests capture against the conventions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agentops_sdk import semconv
from agentops_sdk.traces.conformance.conventions import span_type
from agentops_sdk.traces.conformance.source import span_of
from agentops_sdk.traces.conformance.span_rules import Span, Violation, state_only_names, violations

OWN_SCOPE = "agentops_sdk"
STATES = ("pin", "main")
_UNDER_BOTH_NAMES = ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write.input_tokens")
"""Written beside each other where no state is chosen."""
_right_in_main: set[tuple[str, str, frozenset[str]]] = set()
"""Spans by kind, operation and names: their values are looked at in the other state."""


def in_state(span: Span, state: str) -> Span:
    """A span that was recorded where no state was chosen, as it is read in one: without the name that it has twice."""
    other = state_only_names("main" if state == "pin" else "pin")
    if not all(name in span.attributes for name in _UNDER_BOTH_NAMES):
        return span
    return span._replace(attributes={name: value for name, value in span.attributes.items() if name not in other})


def wrong(spans: Iterable[Any], state: str | None = None) -> list[tuple[str, Violation]]:
    """What is wrong in spans of ours, as OpenTelemetry's exporters get them, each with its span's name.

    Args:
        spans: all of them; those of other instrumentations are passed over.
        state: that was chosen; where none was, both are looked at.
    """
    found = []
    for each in spans:
        if each.instrumentation_scope is not None and each.instrumentation_scope.name != OWN_SCOPE:
            continue
        span = span_of(each)
        if state is not None:
            found += _wrong(span, state)
            continue
        found += _wrong(in_state(span, "pin"), "pin")
        of_main = in_state(span, "main")
        seen = (span.kind, str(span.attributes.get(semconv.OPERATION_NAME)), frozenset(of_main.attributes))
        if seen not in _right_in_main:
            wrong_in_main = _wrong(of_main, "main")
            found += [one for one in wrong_in_main if one not in found]
            if not wrong_in_main:
                _right_in_main.add(seen)
    return found


def _wrong(span: Span, state: str) -> list[tuple[str, Violation]]:
    return [
        (span.name, one)
        for one in violations(span, span_type(state, span.kind, span.attributes), state)
        if one.rule != "span name" or _names_itself(span)
    ]


def _names_itself(span: Any) -> bool:
    """Frameworks have names of their own for what they begin; the conventions' is for calls whose model is known."""
    return span.attributes.get(semconv.KIND) in ("llm", "embedding") and semconv.REQUEST_MODEL in span.attributes


def check(spans: Iterable[Any], state: str | None = None) -> None:
    """Nothing in them breaks the conventions."""
    found = wrong(spans, state)
    assert found == [], found
