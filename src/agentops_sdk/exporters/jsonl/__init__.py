"""The JSONL sink: one line per span, one file per process run, whole lines only, readable by its owner only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk._lazy import make_lazy

if TYPE_CHECKING:
    from agentops_sdk.exporters.jsonl.jsonl_exporter import JsonlExporter as JsonlExporter
    from agentops_sdk.exporters.jsonl.jsonl_exporter import create as create

__all__ = ["JsonlExporter", "create"]
make_lazy(__name__, {"jsonl_exporter": "JsonlExporter create"})
