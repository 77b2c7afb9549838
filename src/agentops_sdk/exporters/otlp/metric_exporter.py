"""Metrics by OTLP: data points become protobuf requests that wait in a spool of their own, as spans do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentops_sdk.exporters._metric_points import metrics_data
from agentops_sdk.exporters._official_exporter import OfficialExporter, official_metrics
from agentops_sdk.exporters.otlp.destination import Endpoint, grpc_package, protocol
from agentops_sdk.exporters.otlp.signal_exporter import SignalExporter

if TYPE_CHECKING:
    from agentops_sdk.config import Settings
    from agentops_sdk.exporters._metric_points import Point

__all__ = ["OTLPMetricExporter", "create_metrics"]


class OTLPMetricExporter(SignalExporter):
    """Takes data points."""

    imports: tuple[str, ...] = ("opentelemetry.exporter.otlp.proto.common.metrics_encoder",)

    def encode(self, items: Sequence[Point]) -> bytes:
        """One ``ExportMetricsServiceRequest``."""
        from opentelemetry.exporter.otlp.proto.common._internal.metrics_encoder import EncodingException
        from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics

        try:
            return bytes(encode_metrics(metrics_data(items)).SerializeToString())
        except EncodingException as error:
            raise ValueError(type(error.original_exception).__name__) from None


def create_metrics(argument: str | None, settings: Settings) -> OTLPMetricExporter | OfficialExporter:
    """``"otlp"`` sends where ``OTEL_EXPORTER_OTLP_METRICS_*`` or ``OTEL_EXPORTER_OTLP_*`` say, ``"otlp:URL"`` to a URL.

    Raises:
        ConfigError: the address or a variable cannot work.
    """
    if argument is None and protocol("metrics") == "grpc":
        with grpc_package("metrics"):
            from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (  # type: ignore[import-not-found,unused-ignore]  # an extra
                OTLPMetricExporter as GrpcMetricExporter,
            )
        return official_metrics(GrpcMetricExporter())
    return OTLPMetricExporter.by_settings(Endpoint.resolve(argument, signal="metrics"), settings)
