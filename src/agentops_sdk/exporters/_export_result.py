"""What ``export`` returns: OpenTelemetry's own result where its SDK is loaded, as it is for whoever compares it."""

from __future__ import annotations

import sys
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExportResult

__all__ = ["export_result"]

_SDK = "opentelemetry.sdk.trace.export"


class _Result(Enum):
    SUCCESS = 0
    FAILURE = 1


def export_result(*, success: bool) -> SpanExportResult:
    """Success, or failure."""
    results = getattr(sys.modules.get(_SDK), "SpanExportResult", _Result)
    return results.SUCCESS if success else results.FAILURE  # type: ignore[return-value]  # the same names and values
