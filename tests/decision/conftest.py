"""Spans of decisions as they leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter


@pytest.fixture
def spans() -> Callable[[], list[dict[str, Any]]]:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter], integrations=[])

    def read() -> list[dict[str, Any]]:
        agentops.flush()
        return [dict(span.attributes, _name=span.name) for span in exporter.finished_spans()]

    return read
