"""A TracerProvider of the program's own, set as a program sets one: which it can once in its life."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util._once import Once


def set_provider(patch: pytest.MonkeyPatch, exporter: InMemorySpanExporter) -> None:
    """Set one, as if it were the first; ``exporter`` gets what goes through it."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    patch.setattr(trace, "_TRACER_PROVIDER", None)
    patch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    trace.set_tracer_provider(provider)
