"""For integrations with vector stores."""

from __future__ import annotations

from agentops_sdk._genai.vector_stores import StoreCalls, StoreQuery

__all__ = ["StoreCalls", "StoreQuery"]
