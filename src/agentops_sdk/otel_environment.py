"""Settings from OpenTelemetry's own environment variables, where neither the program nor ours set them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

__all__ = ["SINKS", "endpoint", "exporters", "sample_ratio", "semconv"]

SINKS = ("none", "console", "otlp", "jsonl", "memory")
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def exporters(environ: Mapping[str, str], tell: Callable[[str], None]) -> tuple[tuple[str, ...], str] | None:
    """What ``OTEL_TRACES_EXPORTER`` lists, beside the default, and the variable; ``None`` if it says nothing.

    Args:
        environ: the environment.
        tell: takes a sentence about a name that is no sink here.
    """
    variable = "OTEL_TRACES_EXPORTER"
    listed = [part.strip().lower() for part in environ.get(variable, "").split(",") if part.strip()]
    for name in listed:
        if name not in SINKS:
            tell(f"{variable}: {name} is not a sink; the sinks are {', '.join(SINKS)}. It is ignored.")
    if not listed:
        return None
    further = [] if "none" in listed else [name for name in listed if name in SINKS and name != "jsonl"]
    return ("jsonl", *dict.fromkeys(further)), f"environment {variable}"


def endpoint(environ: Mapping[str, str]) -> tuple[tuple[str, ...], str] | None:
    """An OTLP endpoint alone switches that sink on beside the default."""
    variable = next((name for name in _ENDPOINTS if environ.get(name, "").strip()), None)
    return (("jsonl", "otlp"), f"environment {variable}") if variable is not None else None


def sample_ratio(environ: Mapping[str, str]) -> tuple[float, str] | None:
    """The share that ``OTEL_TRACES_SAMPLER`` keeps, and the variable."""
    # Whether parent-based or not makes no difference here: a sampling decision above us always binds.
    sampler = environ.get("OTEL_TRACES_SAMPLER", "").strip().lower().removeprefix("parentbased_")
    ratio = {"always_on": 1.0, "always_off": 0.0, "traceidratio": _ratio(environ)}.get(sampler)
    return None if ratio is None else (ratio, "environment OTEL_TRACES_SAMPLER")


def semconv(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """The state of the GenAI conventions that ``OTEL_SEMCONV_STABILITY_OPT_IN`` opts in to, and the variable."""
    variable = "OTEL_SEMCONV_STABILITY_OPT_IN"
    words = [word.strip().lower() for word in environ.get(variable, "").split(",")]
    return ("main", f"environment {variable}") if "gen_ai_latest_experimental" in words else None


def _ratio(environ: Mapping[str, str]) -> float:
    try:
        ratio = float(environ.get("OTEL_TRACES_SAMPLER_ARG", "") or 1.0)
    except ValueError:
        return 1.0  # as the specification wants it
    return ratio if 0.0 <= ratio <= 1.0 else 1.0
