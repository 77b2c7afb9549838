"""The OTLP sink: spans become protobuf requests that wait in a durable spool until a backend has accepted them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk._lazy import make_lazy

if TYPE_CHECKING:
    from agentops_sdk.exporters.otlp.otlp_exporter import OTLPExporter as OTLPExporter
    from agentops_sdk.exporters.otlp.otlp_exporter import create as create

__all__ = ["OTLPExporter", "create"]
make_lazy(__name__, {"otlp_exporter": "OTLPExporter create"})
