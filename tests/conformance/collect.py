"""What the spans of the tests have of the conventions, by integration: the source of a table in the documentation.

    COLLECT_CONFORMANCE=1 python -m pytest tests/openai tests/anthropic …
    python scripts/generate.py

Each run adds to ``docs/conformance.json``, and replaces what stands there of the integrations that it runs; with
``COLLECT_CONFORMANCE=add`` it replaces nothing, for tests that are run apart from the others.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.spans import OWN_SCOPE, STATES, in_state, wrong
from tests.integrations.driver import installed

from agentops_sdk._pipeline import process_runtime
from agentops_sdk._pipeline.registry import find_integrations
from agentops_sdk.exporters.memory import MemoryExporter
from agentops_sdk.traces.conformance.conventions import span_type
from agentops_sdk.traces.conformance.source import span_of

WRITTEN = Path(__file__).parents[2] / "docs" / "conformance.json"
_ALSO = ("track",)
"""Folders whose tests are about no integration, and have a row all the same."""
_NOT_PROGRAMS = ("test_odd_servers", "hostile")


class Collector:
    """A plugin of pytest's: keeps what the spans that the in-memory sink gets have, by the integration of the test.

    A span that was recorded where no state was chosen counts in both.
    """

    def __init__(self) -> None:
        self._present: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        self._violations: Counter[tuple[str, str, str]] = Counter()
        self._ran: set[str] = set()
        self._integration = ""
        export = MemoryExporter.export

        def keeping(exporter: MemoryExporter, spans: Any) -> Any:
            if self._integration:
                for span in spans:
                    if span.instrumentation_scope.name == OWN_SCOPE:
                        self._keep(span)
            return export(exporter, spans)

        MemoryExporter.export = keeping  # type: ignore[method-assign]  # for this run of pytest

    def _keep(self, ended: Any) -> None:
        settings = process_runtime.settings_in_force()
        chosen = settings.semconv if settings is not None else ""
        for state in (chosen,) if chosen else STATES:
            span = in_state(span_of(ended), state)
            if (kind := span_type(state, span.kind, span.attributes)) is not None:
                key = self._integration, kind.short, state
                self._present[key].update(name for name in span.attributes if name in kind.levels)
                self._violations[key] += len(wrong([ended], chosen or None))

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._integration = _integration_of(item)
        if not self._integration:
            return
        if self._integration in _ALSO or installed(find_integrations()[self._integration].target):
            self._ran.add(self._integration)

    def pytest_sessionfinish(self) -> None:
        known = json.loads(WRITTEN.read_text()) if WRITTEN.exists() else {}
        adds = os.environ["COLLECT_CONFORMANCE"] == "add"
        known |= {name: known.get(name, {}) if adds else {} for name in self._ran}
        for (integration, kind, state), present in sorted(self._present.items()):
            before = known[integration].get(kind, {}).get(state, {}) if adds else {}
            present = present.union(before.get("present", ()))
            known[integration].setdefault(kind, {})[state] = {
                "present": sorted(present), "violations": self._violations[integration, kind, state],
            }  # fmt: skip
        WRITTEN.write_text(_text(known))


def _text(known: dict[str, Any]) -> str:
    """A line for each type of span."""
    integrations = []
    for name, kinds in sorted(known.items()):
        lines = [f"\n {json.dumps(kind)}: {json.dumps(states)}" for kind, states in kinds.items()]
        integrations.append(f"{json.dumps(name)}: {{{','.join(lines)}}}")
    return "{\n" + ",\n".join(integrations) + "\n}\n"


def _integration_of(item: pytest.Item) -> str:
    """Whose test it is: what its folder says, or, where that is of several, its parameter."""
    names = {*find_integrations(), *_ALSO}
    call = getattr(item, "callspec", None)
    params = call.params.values() if call is not None else ()
    of_call = [getattr(value, "name", getattr(value, "__name__", value)) for value in params]
    told = [one for one in (item.path.parent.name, *of_call) if isinstance(one, str) and one in names]
    return told[0] if told and not any(one in item.nodeid for one in _NOT_PROGRAMS) else ""
