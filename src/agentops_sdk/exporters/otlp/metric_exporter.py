"""Metrics by OTLP: data points become protobuf requests that wait in a spool of their own, as spans do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk.errors import ConfigError
from agentops_sdk.exporters._metric_points import metrics_data
from agentops_sdk.exporters._official_metrics import OfficialMetrics
from agentops_sdk.exporters.otlp.destination import Endpoint, protocol
from agentops_sdk.exporters.otlp.signal_exporter import SignalExporter

if TYPE_CHECKING:
    from agentops_sdk.config import Settings
    from agentops_sdk.exporters._metric_points import Point

__all__ = ["OTLPMetricExporter", "create_metrics"]


class OTLPMetricExporter(SignalExporter):
    """Takes data points."""

    imports: tuple[str, ...] = ("opentelemetry.exporter.otlp.proto.common.metrics_encoder", "httpx2")

    def encode(self, items: Sequence[Point]) -> bytes:
        """One ``ExportMetricsServiceRequest``."""
        from opentelemetry.exporter.otlp.proto.common._internal.metrics_encoder import EncodingException
        from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics

        try:
            return bytes(encode_metrics(metrics_data(items)).SerializeToString())
        except EncodingException as error:
            raise ValueError(type(error.original_exception).__name__) from None


def create_metrics(argument: str | None, settings: Settings) -> OTLPMetricExporter | OfficialMetrics:
    """``"otlp"`` sends where ``OTEL_EXPORTER_OTLP_METRICS_*`` or ``OTEL_EXPORTER_OTLP_*`` say, ``"otlp:URL"`` to a URL.

    Raises:
        ConfigError: the address or a variable cannot work.
    """
    if argument is None and protocol("metrics") == "grpc":
        try:
            from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (  # type: ignore[import-not-found,unused-ignore]  # an extra
                OTLPMetricExporter as GrpcMetricExporter,
            )
        except ImportError:
            package = "opentelemetry-exporter-otlp-proto-grpc"
            wanted = f"http/protobuf, or the package {package} to be installed"
            raise ConfigError("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc", wanted) from None
        return OfficialMetrics(GrpcMetricExporter())
    return OTLPMetricExporter(
        Endpoint.resolve(argument, signal="metrics"),
        directory=Path(settings.directory) / "spool",
        max_bytes=settings.spool_max_bytes,
        max_age=settings.spool_max_days * 86_400,
    )
