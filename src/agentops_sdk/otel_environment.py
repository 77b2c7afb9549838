"""Settings from OpenTelemetry's own environment variables, where neither the program nor ours set them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agentops_sdk._named_tuple import NamedTuple

__all__ = [
    "SINKS",
    "Batching",
    "batching",
    "disabled",
    "endpoint",
    "event_content",
    "exporters",
    "log_level",
    "sampling",
    "semconv",
    "signal_sinks",
]

_SAMPLERS = ("always_on", "always_off", "traceidratio")
_SHOWN = 40

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


def sampling(environ: Mapping[str, str], tell: Callable[[str], None]) -> dict[str, tuple[Any, str]]:
    """What ``OTEL_TRACES_SAMPLER`` says, as settings of ours with the variable."""
    variable = "OTEL_TRACES_SAMPLER"
    name = environ.get(variable, "").strip().lower()
    if not name:
        return {}
    sampler = name.removeprefix("parentbased_")
    if sampler not in _SAMPLERS:
        tell(f"{variable}: {name[:_SHOWN]!r} is not a sampler; expected one of {', '.join(_SAMPLERS)}, each also with "
             "parentbased_ before it. It is ignored.")  # fmt: skip
        return {}
    ratio = {"always_on": 1.0, "always_off": 0.0}.get(sampler)
    settings: dict[str, Any] = {"sample_ratio": _ratio(environ, tell) if ratio is None else ratio}
    settings["parent_based"] = name != sampler
    if sampler == "always_off":
        settings["keep_errors"] = False  # nothing is nothing
    return {setting: (value, f"environment {variable}") for setting, value in settings.items()}


def semconv(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """The state of the GenAI conventions that ``OTEL_SEMCONV_STABILITY_OPT_IN`` opts in to, and the variable."""
    variable = "OTEL_SEMCONV_STABILITY_OPT_IN"
    words = [word.strip().lower() for word in environ.get(variable, "").split(",")]
    return ("main", f"environment {variable}") if "gen_ai_latest_experimental" in words else None


def disabled(environ: Mapping[str, str], tell: Callable[[str], None]) -> tuple[bool, str] | None:
    """What ``OTEL_SDK_DISABLED`` says of the setting ``enabled``, and the variable."""
    variable = "OTEL_SDK_DISABLED"
    word = environ.get(variable, "").strip().lower()
    if word not in ("", "true", "false"):
        tell(f"{variable} is {word[:_SHOWN]!r}; expected true or false. It is taken to be false.")
    return (False, f"environment {variable}") if word == "true" else None


def _ratio(environ: Mapping[str, str], tell: Callable[[str], None]) -> float:
    variable = "OTEL_TRACES_SAMPLER_ARG"
    text = environ.get(variable, "").strip()
    try:
        ratio = float(text or 1.0)
    except ValueError:
        ratio = -1.0
    if not 0.0 <= ratio <= 1.0:  # as the specification wants it
        tell(f"{variable} is {text[:_SHOWN]!r}; expected a number from 0 to 1. It is ignored, and everything is kept.")
        return 1.0
    return ratio


class Batching(NamedTuple):
    """How items of a signal wait for an OTLP backend, where variables say so: seconds, seconds, items."""

    delay: float | None = None
    timeout: float | None = None
    size: int | None = None


_BATCHING = {
    "traces": ("OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"),
    "logs": ("OTEL_BLRP_SCHEDULE_DELAY", "OTEL_BLRP_EXPORT_TIMEOUT", "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"),
    "metrics": ("", "OTEL_METRIC_EXPORT_TIMEOUT", ""),
}


def batching(signal: str, environ: Mapping[str, str], tell: Callable[[str], None]) -> Batching:
    """What the variables of a signal's batches say: two times in milliseconds, and a number of items."""
    values: list[int | None] = []
    for variable in _BATCHING[signal]:
        text = environ.get(variable, "").strip()
        number = int(text) if text.isdecimal() and int(text) > 0 else None
        if text and number is None:
            tell(f"{variable} is {text[:_SHOWN]!r}; expected a whole number above 0. It is ignored.")
        values.append(number)
    delay, timeout, size = values
    return Batching(None if delay is None else delay / 1000, None if timeout is None else timeout / 1000, size)


_LOG_LEVELS = {
    "trace": "debug", "verbose": "debug", "debug": "debug", "info": "info", "warn": "warning", "warning": "warning",
    "error": "error", "fatal": "critical", "critical": "critical",
}  # fmt: skip


def log_level(environ: Mapping[str, str], tell: Callable[[str], None]) -> tuple[str, str] | None:
    """What ``OTEL_LOG_LEVEL`` says of the setting ``log_level``, and the variable."""
    variable = "OTEL_LOG_LEVEL"
    word = environ.get(variable, "").strip().lower()
    if word and word not in _LOG_LEVELS:
        tell(f"{variable} is {word[:_SHOWN]!r}; expected one of {', '.join(_LOG_LEVELS)}. It is ignored.")
    return (_LOG_LEVELS[word], f"environment {variable}") if word in _LOG_LEVELS else None


def signal_sinks(
    signal: str, environ: Mapping[str, str], tell: Callable[[str], None]
) -> tuple[tuple[str, ...], str] | None:
    """Where ``OTEL_METRICS_EXPORTER`` or ``OTEL_LOGS_EXPORTER`` sends, or an endpoint of the signal's own.

    An endpoint that is for every signal alone says nothing of metrics and events: many backends take spans only.

    Args:
        signal: ``metrics`` or ``logs``.
        environ: the environment.
        tell: takes a sentence about a name that is no sink here.
    """
    variable = f"OTEL_{signal.upper()}_EXPORTER"
    known = ("otlp", "console", "none")
    listed = [part.strip().lower() for part in environ.get(variable, "").split(",") if part.strip()]
    for name in listed:
        if name not in known:
            instead = " Prometheus reads /metrics of serve_status()." if name == "prometheus" else ""
            tell(f"{variable}: {name} is not a sink of {signal}; they are {', '.join(known)}. It is ignored.{instead}")
    if "none" in listed:
        return ("none",), f"environment {variable}"
    if sinks := tuple(dict.fromkeys(name for name in listed if name in known)):
        return sinks, f"environment {variable}"
    variable = f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"
    return (("otlp",), f"environment {variable}") if environ.get(variable, "").strip() else None


def event_content(environ: Mapping[str, str]) -> tuple[bool, str] | None:
    """Whether content is wanted on events, by OpenTelemetry's words for where it goes, and the variable."""
    for variable in ("AGENTOPS_CAPTURE_CONTENT", "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"):
        if word := environ.get(variable, "").strip().lower():
            return (True, f"environment {variable}") if word in ("event_only", "span_and_event") else None
    return None
