"""What OpenTelemetry's own variables change where ours, and the program, say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["apply"]

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def apply(values: dict[str, Any], origins: dict[str, str], environ: Mapping[str, str]) -> None:
    """An OTLP endpoint switches that sink on beside the default; a sampler sets the ratio."""
    if origins["exporters"] == "default" and environ.get("OTEL_TRACES_EXPORTER", "otlp").strip() in ("", "otlp"):
        variable = next((name for name in _ENDPOINTS if environ.get(name, "").strip()), None)
        if variable is not None:
            values["exporters"], origins["exporters"] = ("jsonl", "otlp"), f"environment {variable}"
    if origins["sample_ratio"] == "default":
        ratio = _ratio(environ)
        if ratio is not None:
            values["sample_ratio"], origins["sample_ratio"] = ratio, "environment OTEL_TRACES_SAMPLER"


def _ratio(environ: Mapping[str, str]) -> float | None:
    # Whether parent-based or not makes no difference here: a sampling decision above us always binds.
    sampler = environ.get("OTEL_TRACES_SAMPLER", "").strip().lower().removeprefix("parentbased_")
    if sampler == "always_on":
        return 1.0
    if sampler == "always_off":
        return 0.0
    if sampler != "traceidratio":
        return None
    try:
        ratio = float(environ.get("OTEL_TRACES_SAMPLER_ARG", "") or 1.0)
    except ValueError:
        return 1.0  # as the specification wants it
    return ratio if 0.0 <= ratio <= 1.0 else 1.0
