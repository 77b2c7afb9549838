"""Events by OTLP: log records become protobuf requests that wait in a spool of their own, as spans do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentops_sdk.exporters._event_records import readable_records
from agentops_sdk.exporters._official_exporter import OfficialExporter, official_events
from agentops_sdk.exporters.otlp.destination import Endpoint, grpc_package, protocol
from agentops_sdk.exporters.otlp.signal_exporter import SignalExporter

if TYPE_CHECKING:
    from agentops_sdk.config import Settings
    from agentops_sdk.exporters._event_records import SentEvent

__all__ = ["OTLPEventExporter", "create_events"]


class OTLPEventExporter(SignalExporter):
    """Takes events."""

    imports: tuple[str, ...] = ("opentelemetry.exporter.otlp.proto.common._log_encoder",)

    def encode(self, items: Sequence[SentEvent]) -> bytes:
        """One ``ExportLogsServiceRequest``."""
        from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs

        return bytes(encode_logs(readable_records(items)).SerializeToString())


def create_events(argument: str | None, settings: Settings) -> OTLPEventExporter | OfficialExporter:
    """``"otlp"`` sends where ``OTEL_EXPORTER_OTLP_LOGS_*`` or ``OTEL_EXPORTER_OTLP_*`` say, ``"otlp:URL"`` to a URL.

    Raises:
        ConfigError: the address or a variable cannot work.
    """
    if argument is None and protocol("logs") == "grpc":
        with grpc_package("logs"):
            from opentelemetry.exporter.otlp.proto.grpc._log_exporter import (  # type: ignore[import-not-found,unused-ignore]  # an extra
                OTLPLogExporter,
            )
        return official_events(OTLPLogExporter())
    return OTLPEventExporter.by_settings(Endpoint.resolve(argument, signal="logs"), settings)
