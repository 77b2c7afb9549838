"""The table of spans that libraries create themselves."""

from __future__ import annotations

import pytest

import agentops_sdk as agentops
from agentops_sdk._capture.native_scopes import NATIVE_SCOPES
from agentops_sdk._pipeline.registry import find_integrations
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


@pytest.mark.guard_swallows
def test_what_a_library_tells_wrongly_is_contained() -> None:
    agentops.init(exporters=["memory"], integrations=[])
    with AdoptingTracer("gcp.vertex.agent").start_as_current_span("invoke_agent a") as span:
        span.set_attributes(None)  # type: ignore[arg-type]  # as a span that records nothing takes it
        span.set_attribute([], 1)  # type: ignore[arg-type]  # no key of a mapping
    still_open = agentops.status().spans["open"]
    agentops.shutdown()
    assert still_open == 0
