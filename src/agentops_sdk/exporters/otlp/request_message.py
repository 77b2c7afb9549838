"""The protobuf message that a request of each signal is."""

from __future__ import annotations

from typing import Any

__all__ = ["request_message"]


def request_message(signal: str) -> Any:
    """Its class, for ``traces``, ``metrics`` or ``logs``."""
    if signal == "metrics":
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

        return ExportMetricsServiceRequest
    if signal == "logs":
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

        return ExportLogsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    return ExportTraceServiceRequest
