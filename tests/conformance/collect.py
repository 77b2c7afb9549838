"""What the spans of the tests have of the conventions, by integration: the source of a table in the documentation.

    AGENTOPS_COLLECT_CONFORMANCE=1 python -m pytest tests/openai tests/anthropic …
    python scripts/generate.py

Each run adds to ``docs/conformance.json``, and replaces what stands there of the integrations that it runs.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.spans import OWN_SCOPE

from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.traces.conformance import check
from agentops_sdk.traces.conformance.source import span_of
from agentops_sdk.traces.conformance.span_rules import Span, state_only_names

WRITTEN = Path(__file__).parents[2] / "docs" / "conformance.json"
_NOT_PROGRAMS = ("test_endings", "test_limits", "test_odd_servers", "test_contract", "hostile")


class Collector:
    """A plugin of pytest's: keeps what the in-memory sink gets, by the folder of the test."""

    def __init__(self) -> None:
        self._spans: dict[str, list[Span]] = defaultdict(list)
        self._folder = ""
        export, of_main = MemoryExporter.export, state_only_names("main")

        def keeping(exporter: MemoryExporter, spans: Any) -> Any:
            for span in map(span_of, (one for one in spans if one.instrumentation_scope.name == OWN_SCOPE)):
                written_twice = "gen_ai.usage.cache_creation.input_tokens" in span.attributes
                if self._folder and (written_twice or of_main.isdisjoint(span.attributes)):
                    attributes = {name: value for name, value in span.attributes.items() if name not in of_main}
                    self._spans[self._folder].append(span._replace(attributes=attributes))
            return export(exporter, spans)

        MemoryExporter.export = keeping  # type: ignore[method-assign]  # for this run of pytest

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        counts = not any(name in item.nodeid for name in _NOT_PROGRAMS)
        self._folder = item.path.parent.name if counts else ""

    def pytest_sessionfinish(self) -> None:
        known = json.loads(WRITTEN.read_text()) if WRITTEN.exists() else {}
        for folder, spans in self._spans.items():
            kinds = check(spans, "pin").kinds.values()
            known[folder] = {
                kind.name: {"present": sorted(kind.present), "violations": kind.violations.total()}
                for kind in kinds
                if kind.levels
            }
        WRITTEN.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")
