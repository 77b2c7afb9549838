"""For integrations with frameworks that report runs by id through callbacks."""

from __future__ import annotations

from agentops_sdk._capture.handoff import offer as offer_handoff
from agentops_sdk._capture.runs import Run, Runs

__all__ = ["Run", "Runs", "offer_handoff"]
