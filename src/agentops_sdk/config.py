"""Settings: one row and one sentence each; keyword beats environment beats pyproject.toml beats default.

A bad keyword raises :class:`ConfigError` at once. A bad environment variable or pyproject entry
warns once and falls back to the next source: what a deployment sets must not stop a program.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import tomllib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentops_sdk import setting_values as be
from agentops_sdk.errors import ConfigError
from agentops_sdk.setting_values import Parser, WrongValueError

Origin = str
"""``keyword``, ``environment NAME``, ``pyproject`` or ``default``."""


def _row(
    default: Any, parse: Parser, sentence: str, *, env: Sequence[str] = (), live: bool = False, secret: bool = False
) -> Any:
    about = {"parse": parse, "sentence": sentence, "env": tuple(env), "live": live, "secret": secret}
    if callable(default):
        return field(default_factory=default, metadata=about)
    return field(default=default, metadata=about)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting with its resolved value. ``origins`` says where each value came from."""

    enabled: bool = _row(True, be.flag, "Record anything at all.", env=["AGENTOPS_ENABLED"], live=True)
    exporters: tuple[Any, ...] = _row(
        ("jsonl",),
        be.exporters,
        "Where spans go: exporter strings or OpenTelemetry SpanExporter instances.",
        env=["AGENTOPS_EXPORTERS"],
        live=True,
    )
    directory: str = _row(
        "./.agentops", be.path, "The directory that traces and spools are written below.", env=["AGENTOPS_DIR"]
    )
    integrations: tuple[str, ...] | None = _row(
        None,
        be.names,
        "Names of the libraries to capture; every supported one that is installed when not given.",
        env=["AGENTOPS_INTEGRATIONS"],
    )
    service_name: str = _row(
        "", be.text, "The service.name of every span; the script's name when not given.", env=["OTEL_SERVICE_NAME"]
    )
    resource_attributes: dict[str, Any] = _row(
        dict, be.table, "Attributes that describe this process on every span.", env=["OTEL_RESOURCE_ATTRIBUTES"]
    )
    capture_content: bool = _row(
        True,
        be.flag,
        "Record messages, arguments and results; figures and names are recorded either way.",
        env=["AGENTOPS_CAPTURE_CONTENT", "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"],
        live=True,
    )
    max_value_bytes: int = _row(
        65_536,
        be.whole(256),
        "How many bytes of one captured value are kept; the rest is cut, visibly.",
        env=["AGENTOPS_MAX_VALUE_BYTES"],
        live=True,
    )
    redact: bool = _row(
        True, be.flag, "Replace secrets (keys, tokens, passwords) before anything is written or sent.",
        env=["AGENTOPS_REDACT"],
    )  # fmt: skip
    redact_patterns: tuple[str, ...] = _row(
        (), be.patterns, "Further regular expressions whose matches are replaced.", env=["AGENTOPS_REDACT_PATTERNS"]
    )
    queue_size: int = _row(
        10_000, be.whole(1), "How many ended spans may wait; further ones are dropped and counted.",
        env=["AGENTOPS_QUEUE_SIZE"],
    )  # fmt: skip
    shutdown_timeout: float = _row(
        3.0, be.number(0, 86_400), "Seconds that exit may wait for sinks.", env=["AGENTOPS_SHUTDOWN_TIMEOUT"], live=True
    )
    traces_max_file_bytes: int = _row(
        67_108_864, be.whole(1), "A JSONL file that is longer is closed, and a new one begun.",
        env=["AGENTOPS_TRACES_MAX_FILE_BYTES"],
    )  # fmt: skip
    traces_max_bytes: int = _row(
        536_870_912, be.whole(1), "Closed JSONL files are deleted, oldest first, when all together are larger.",
        env=["AGENTOPS_TRACES_MAX_BYTES"],
    )  # fmt: skip
    traces_max_days: float = _row(
        30.0, be.above_zero, "Closed JSONL files older than this many days are deleted.",
        env=["AGENTOPS_TRACES_MAX_DAYS"],
    )  # fmt: skip
    traces_compress: bool = _row(False, be.flag, "Gzip JSONL files once closed.", env=["AGENTOPS_TRACES_COMPRESS"])
    traces_fsync: str = _row(
        "never", be.choice("never", "close", "always"), "When JSONL files are forced to the disk itself.",
        env=["AGENTOPS_TRACES_FSYNC"],
    )  # fmt: skip
    spool_max_bytes: int = _row(
        268_435_456, be.whole(65_536), "How much may wait on disk for an OTLP backend; then the oldest spans go.",
        env=["AGENTOPS_SPOOL_MAX_BYTES"],
    )  # fmt: skip
    spool_max_days: float = _row(
        7.0, be.above_zero, "How many days spans may wait on disk for an OTLP backend.",
        env=["AGENTOPS_SPOOL_MAX_DAYS"],
    )  # fmt: skip
    sample_ratio: float = _row(
        1.0, be.number(0, 1), "The share of traces that is kept, decided at the root.",
        env=["AGENTOPS_SAMPLE_RATIO"], live=True,
    )  # fmt: skip
    keep_errors: bool = _row(
        True, be.flag, "Keep spans that ended in an error, and what is above them, even when not sampled.",
        env=["AGENTOPS_KEEP_ERRORS"], live=True,
    )  # fmt: skip
    pricing: bool = _row(
        True, be.flag, "Work out tokens that were not reported, and cost.", env=["AGENTOPS_PRICING"], live=True
    )
    stream_usage: bool = _row(
        True,
        be.flag,
        "Ask streams for their token counts where the caller did not say; the extra chunk stays hidden.",
        env=["AGENTOPS_STREAM_USAGE"],
        live=True,
    )
    plumbing: bool = _row(
        True,
        be.flag,
        "Record the steps that frameworks put between the ones people wrote, marked so that readers fold them.",
        env=["AGENTOPS_PLUMBING"],
        live=True,
    )
    state_changes: bool = _row(
        False,
        be.flag,
        "Record on each node of a graph what it changed of the state: before, and what it wrote.",
        env=["AGENTOPS_STATE_CHANGES"],
        live=True,
    )
    propagate_threads: bool = _row(
        True, be.flag, "Carry the trace into threads and executors without being asked.",
        env=["AGENTOPS_PROPAGATE_THREADS"],
    )  # fmt: skip
    propagate_processes: bool = _row(
        True, be.flag, "Carry the trace into processes: pools, multiprocessing, and TRACEPARENT for subprocesses.",
        env=["AGENTOPS_PROPAGATE_PROCESSES"],
    )  # fmt: skip
    global_provider: bool = _row(
        False, be.flag, "Register our TracerProvider as OpenTelemetry's global one, if there is none yet.",
        env=["AGENTOPS_GLOBAL_PROVIDER"],
    )  # fmt: skip
    semconv: str = _row(
        "pin", be.choice("pin", "main"), "Which state of the GenAI conventions names attributes.",
        env=["AGENTOPS_SEMCONV"],
    )  # fmt: skip
    log_level: str = _row(
        "warning",
        be.choice("debug", "info", "warning", "error", "critical"),
        "The least severe message that this package logs.",
        env=["AGENTOPS_LOG_LEVEL"],
        live=True,
    )
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def deployed(self, name: str) -> bool:
        """Whether a setting comes from the environment or a file: a mistake there warns, and stops no program."""
        return self.origins.get(name, "").startswith(("environment ", "pyproject"))


def rows() -> list[dataclasses.Field[Any]]:
    """The settings table, in order: one dataclass field per setting, its facts in ``metadata``."""
    return [row for row in dataclasses.fields(Settings) if "sentence" in row.metadata]


def resolve(keywords: Mapping[str, Any], *, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from keywords, the environment, ``[tool.agentops]`` of ./pyproject.toml, and defaults.

    ``None`` as a keyword means "not given".

    Raises:
        ConfigError: a keyword is unknown or its value cannot work.
    """
    environ = os.environ if environ is None else environ
    known = {row.name: row for row in rows()}
    for name, value in keywords.items():
        if name not in known:
            raise ConfigError(name, value, "a known setting: " + ", ".join(known))
    file = _pyproject()
    for name in file:
        if name not in known:
            warn_once(f"pyproject: {name} is no setting. It is left out.")
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for name, row in known.items():
        if keywords.get(name) is not None:
            try:
                values[name], origins[name] = row.metadata["parse"](keywords[name]), "keyword"
            except WrongValueError as wrong:
                raise ConfigError(name, keywords[name], str(wrong)) from None
            continue
        sources = [(f"environment {variable}", environ.get(variable)) for variable in row.metadata["env"]]
        sources.append(("pyproject", file.get(name)))
        for origin, given in sources:
            if given is None or given == "":
                continue
            try:
                values[name], origins[name] = row.metadata["parse"](given), origin
                break
            except WrongValueError as wrong:
                shown = "a value" if row.metadata["secret"] else repr(given)[:120]
                warn_once(f"{origin.split()[-1]}: {name} is {shown}; expected {wrong}. It is left out.")
        else:
            origins[name] = "default"
    if keywords.get("enabled") is None and environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        values["enabled"], origins["enabled"] = False, "environment OTEL_SDK_DISABLED"
    from agentops_sdk.standard_variables import apply

    apply(values, origins, environ)
    return Settings(**values, origins=origins)


def update(settings: Settings, keywords: Mapping[str, Any]) -> Settings:
    """A copy of ``settings`` with live settings changed.

    Raises:
        ConfigError: a setting is unknown, not live, or its value cannot work.
    """
    live = {row.name: row for row in rows() if row.metadata["live"]}
    changed: dict[str, Any] = {}
    for name, value in keywords.items():
        if name not in live:
            raise ConfigError(name, value, "a setting that can change while running: " + ", ".join(live))
        try:
            changed[name] = live[name].metadata["parse"](value)
        except WrongValueError as wrong:
            raise ConfigError(name, value, str(wrong)) from None
    origins = {**settings.origins, **dict.fromkeys(changed, "configure()")}
    return dataclasses.replace(settings, **changed, origins=origins)


def _pyproject() -> Mapping[str, Any]:
    try:
        with Path("pyproject.toml").open("rb") as file:
            section: Any = tomllib.load(file)
    except (OSError, ValueError, RecursionError):  # ValueError: no TOML, or no UTF-8
        return {}
    for name in ("tool", "agentops"):
        section = section.get(name) if isinstance(section, dict) else None
    return section if isinstance(section, dict) else {}


_warned: set[str] = set()


def warn_once(message: str) -> None:
    """A :class:`UserWarning`, at most once per process for one message."""
    if message in _warned:
        return
    _warned.add(message)
    try:
        warnings.warn(message, stacklevel=3)
    except UserWarning:
        # The program runs with warnings as errors; a bad variable must not stop it even then.
        logging.getLogger("agentops_sdk").warning(message)
