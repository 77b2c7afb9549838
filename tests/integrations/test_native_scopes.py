"""The table of spans that libraries create themselves."""

from __future__ import annotations

import pytest

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
