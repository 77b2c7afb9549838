"""Tokens that were written to a cache have the name of the chosen state of the conventions, whoever wrote which."""

from __future__ import annotations

from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk import semconv
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.traces import Usage

OLDER, NEWER = semconv.USAGE_CACHE_CREATION, semconv.USAGE_CACHE_WRITE


def recorded(pricing: bool, state: str | None = None, **counts: Any) -> dict[str, Any]:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[], pricing=pricing, semconv=state)
    with agentops.span("claude-sonnet-4-6", kind="llm") as span:
        span.set(semconv.PROVIDER_NAME, "anthropic")
        span.set(semconv.USAGE_INPUT_TOKENS, 1_000)
        span.set(semconv.USAGE_OUTPUT_TOKENS, 0)
        for name, value in counts.items():
            span.set({"older": OLDER, "newer": NEWER}[name], value)
    assert agentops.flush()
    (ended,) = exporter.finished_spans()
    return dict(ended.attributes or {})


@pytest.mark.parametrize("pricing", [True, False])
@pytest.mark.parametrize(("state", "names"), [("pin", {OLDER}), ("main", {NEWER}), (None, {OLDER, NEWER})])
@pytest.mark.parametrize("name", ["older", "newer"])
def test_the_names_of_the_state_are_written(name: str, state: str | None, names: set[str], pricing: bool) -> None:
    attributes = recorded(pricing, state, **{name: 400})
    assert {key: attributes[key] for key in (OLDER, NEWER) if key in attributes} == dict.fromkeys(names, 400)
    if pricing:
        assert attributes[semconv.COST_AMOUNT] == pytest.approx(600 * 3e-6 + 400 * 3.75e-6)


@pytest.mark.parametrize(
    ("ours", "standard", "names"),
    [
        ("", "http/dup, gen_ai_latest_experimental", {NEWER}),
        ("", "http/dup", {OLDER, NEWER}),
        ("pin", "gen_ai_latest_experimental", {OLDER}),
        ("main", "", {NEWER}),
    ],
)
def test_variables_choose_the_state(monkeypatch: pytest.MonkeyPatch, ours: str, standard: str, names: set[str]) -> None:
    monkeypatch.setenv("AGENTOPS_SEMCONV", ours)
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", standard)
    assert {OLDER, NEWER} & recorded(False, older=400).keys() == names


def test_neither_is_made_up() -> None:
    assert not {OLDER, NEWER} & recorded(True).keys()


@pytest.mark.parametrize("name", ["older", "newer"])
def test_what_is_no_count_is_under_neither(name: str) -> None:
    attributes = recorded(True, **{name: "many"})
    assert not {OLDER, NEWER} & attributes.keys()
    assert semconv.COST_UNKNOWN_REASON in attributes


def test_they_are_read_as_one_count() -> None:
    for told in ({OLDER: 5}, {NEWER: 5}, {OLDER: 5, NEWER: 5}):
        usage = Usage.of(told)
        assert usage is not None
        assert usage.cache_creation == 5
