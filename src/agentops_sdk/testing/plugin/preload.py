"""What a captured run may need of this package, imported before it begins.

In production such imports wait until something needs them, some on a thread beside the program. In a test that is too
late: the test may import the same libraries at that moment, on another thread, or have changed what imports need
(``sys.path``, the file system, the clock).
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

from agentops_sdk._host.guard import guard

_MODULES: Final = (
    "agentops_sdk._capture.exception_record",
    "agentops_sdk._propagation.w3c_headers",
    "agentops_sdk._scrub.redact",
    "agentops_sdk._usage.token_count",
    "agentops_sdk._usage.enrich",
    "agentops_sdk._usage.provider_usage",
    "agentops_sdk.context",
    "agentops_sdk.decision",
    "agentops_sdk.feedback",
    "agentops_sdk.integration",
    "agentops_sdk.prices.pricing",
    "agentops_sdk.spans",
    "agentops_sdk.testing.records",
    "agentops_sdk.testing.assertions.assertion_message",
    "agentops_sdk.testing.determinism",
    "agentops_sdk.testing.replay",
    "agentops_sdk.testing.stable_lines",
    "agentops_sdk.traces.decisions.effects",
    "agentops_sdk.traces.formats.from_otel",
    "agentops_sdk.traces.figures.loops",
    "agentops_sdk.traces.display.render",
    "agentops_sdk.track",
    "rich.console",
    "rich.text",
)


def preload(*more: str) -> None:
    """Import all of it, and ``more``. What fails here is counted, and says so again where it is needed."""
    for name in (*_MODULES, *more):
        with guard("testing.preload"):
            import_module(name)
