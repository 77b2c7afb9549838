"""What an integration for a framework is made of that reports runs by id, through callbacks of its own."""

from __future__ import annotations

from agentops_sdk._capture.handoff import offer as offer_handoff
from agentops_sdk._capture.runs import Run, Runs

__all__ = ["Run", "Runs", "offer_handoff"]
