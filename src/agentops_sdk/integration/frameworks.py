"""For integrations with frameworks that report runs by id, or create spans that are adopted."""

from __future__ import annotations

from agentops_sdk._capture.adopted_spans import AdoptingTracer
from agentops_sdk._capture.handoff import offer as offer_handoff
from agentops_sdk._capture.runs import Run, Runs

__all__ = ["AdoptingTracer", "Run", "Runs", "offer_handoff"]
