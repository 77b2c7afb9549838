"""The table of spans that libraries create themselves."""

from __future__ import annotations

import pytest

import agentops_sdk as agentops
from agentops_sdk._capture.native_scopes import NATIVE_SCOPES
from agentops_sdk._pipeline.registry import find_integrations
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.integration.frameworks import AdoptingTracer


@pytest.mark.parametrize("scope", NATIVE_SCOPES)
def test_each_row_has_its_integration(scope: str) -> None:
    row = NATIVE_SCOPES[scope]
    assert row.reporter in find_integrations()
    if row.treatment == "adopt":
        AdoptingTracer(scope)
    else:
        with pytest.raises(ValueError, match="not adopted"):
            AdoptingTracer(scope)


@pytest.mark.parametrize(("figures", "told"), [((0, 0), (None, None)), ((0, 3), (0, 3)), ((5, 0), (5, 0))])
def test_nothing_counted_is_no_count(figures: tuple[int, int], told: tuple[int | None, int | None]) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[])
    names = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
    with AdoptingTracer("strands.telemetry.tracer").start_as_current_span("chat") as span:
        span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"})
        span.set_attributes(dict(zip(names, figures, strict=True)))
    agentops.shutdown()
    (chat,) = exporter.finished_spans()
    assert tuple(map(chat.attributes.get, names)) == told
    assert ("agentops.cost.amount" in chat.attributes) == (told[0] is not None)


@pytest.mark.guard_swallows
def test_what_a_library_tells_wrongly_is_contained() -> None:
    agentops.init(exporters=["memory"], integrations=[])
    with AdoptingTracer("gcp.vertex.agent").start_as_current_span("invoke_agent a") as span:
        span.set_attributes(None)  # type: ignore[arg-type]  # as a span that records nothing takes it
        span.set_attribute([], 1)  # type: ignore[arg-type]  # no key of a mapping
    still_open = agentops.status().spans["open"]
    agentops.shutdown()
    assert still_open == 0
