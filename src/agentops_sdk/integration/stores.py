"""For integrations with vector stores."""

from __future__ import annotations

from agentops_sdk._genai.vector_statements import (
    VectorStatement,
    copied_into,
    has_vector,
    read_statement,
    row_document,
)
from agentops_sdk._genai.vector_stores import StoreCalls, StoreQuery, StoreWrite

__all__ = [
    "StoreCalls",
    "StoreQuery",
    "StoreWrite",
    "VectorStatement",
    "copied_into",
    "has_vector",
    "read_statement",
    "row_document",
]
