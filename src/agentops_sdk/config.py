"""Settings: one row and one sentence each; keyword beats environment beats files beats default.

A bad keyword raises :class:`ConfigError` at once. A bad environment variable or file entry warns
once and falls back to the next source: what a deployment sets must not stop a program. Where it
was meant to keep something private, it falls back to what captures least. Half of this file is the
table itself, which is why it is long.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agentops_sdk import file_limits, setting_sources, settings_file
from agentops_sdk import setting_parsers as parsers
from agentops_sdk.addresses import sink_parts, without_secrets
from agentops_sdk.errors import ConfigError
from agentops_sdk.file_limits import Limit
from agentops_sdk.key_source import NO_KEY, key_source
from agentops_sdk.setting_parsers import Parser

Origin = str
"""``keyword``, ``environment NAME``, ``pyproject``, ``configure()`` or ``default``; where values add up, several."""

OTHER_VARIABLES = (
    "AGENTOPS_ALERT_SECRET", "AGENTOPS_CONFIG", setting_sources.PROGRAM_NAME, "AGENTOPS_PII_KEY",
    "AGENTOPS_ENCRYPTION_KEY",
    "AGENTOPS_STATUS_TOKEN",
)  # fmt: skip
"""Variables of ours that are no settings."""


def _row(
    default: Any,
    parse: Parser,
    sentence: str,
    *,
    limit: Limit = file_limits.default_only,
    env: Sequence[str] = (),
    live: bool = False,
    before: str | None = None,
    doubt: Mapping[str, Any] | None = None,
    merge: Callable[[Any, Any], Any] | None = None,
) -> Any:
    """One setting.

    Args:
        default: its value, or what makes it.
        parse: from a keyword, a text of the environment or a file's value.
        sentence: what it does.
        limit: which values ``./pyproject.toml`` may set.
        env: variables, the first that is set wins.
        live: it may change while the program runs.
        before: what it was called before; as a keyword, in a file and as a variable it is still understood.
        doubt: what holds when somebody set this in a way that cannot be read.
        merge: makes one value of a lower and a higher source's; without it the higher one wins.
    """
    about = {
        "parse": parse,
        "sentence": sentence,
        "env": tuple(env),
        "live": live,
        "limit": limit,
        "before": before,
        "doubt": doubt or {},
        "merge": merge,
    }
    if callable(default):
        return field(default_factory=default, metadata=about)
    return field(default=default, metadata=about)


def _both_tables(lower: Mapping[str, Any], higher: Mapping[str, Any]) -> dict[str, Any]:
    return {**lower, **higher}


def _both_lists(lower: Sequence[str], higher: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*lower, *higher)))


def pii_merge(lower: Sequence[Any], higher: Sequence[Any]) -> tuple[Any, ...]:
    """Kinds of personal data of both; those of a higher source say what takes their place."""
    if not lower or not higher:
        return tuple(lower or higher)
    from agentops_sdk import pii_rules

    return pii_rules.merged(lower, higher)


def _first_rules(lower: Sequence[str], higher: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*higher, *lower)))


ON_LIMIT: Final = ("raise", "warn", "mark", "ask")
ON_STREAM: Final = ("finish", "cut", "end")
UNKNOWN_PRICE: Final = ("refuse", "estimate", "allow")
_NO_CONTENT = {"capture_content": False, "event_content": False}


@dataclass(frozen=True, init=False, eq=False, repr=False)  # what would be generated takes 3 ms of every start
class Settings:
    """Every setting with its resolved value. ``origins`` says where each value came from."""

    enabled: bool = _row(
        True, parsers.flag, "Whether anything is recorded at all.",
        limit=file_limits.off_only, env=["AGENTOPS_ENABLED"], live=True, doubt=_NO_CONTENT,
    )  # fmt: skip
    exporters: tuple[Any, ...] = _row(
        ("jsonl",),
        parsers.exporters,
        "Where spans go: exporter names or OpenTelemetry SpanExporter instances.",
        limit=file_limits.local_sinks,
        env=["AGENTOPS_EXPORTERS"],
        live=True,
    )
    metrics: tuple[Any, ...] = _row(
        (),
        parsers.signal_sinks("otlp", "console", "none"),
        'Where metrics go, beside the program\'s own MeterProvider and /metrics: "otlp", "otlp:URL", "console" or '
        'OpenTelemetry MetricExporter instances; "none" for nowhere.',
        env=["AGENTOPS_METRICS"],
        live=True,
    )
    events: tuple[Any, ...] = _row(
        (),
        parsers.signal_sinks("jsonl", "memory", "otlp", "console", "none"),
        'Where events go, beside the program\'s own LoggerProvider: "jsonl" and "memory" where spans go there, "otlp", '
        '"otlp:URL", "console" or OpenTelemetry LogRecordExporter instances; "none" for nowhere.',
        env=["AGENTOPS_EVENTS"],
        live=True,
    )
    event_content: bool = _row(
        False,
        parsers.flag,
        "Record messages on the event that tells a model call's details: beside spans, or without `capture_content` "
        "instead of them.",
        limit=file_limits.off_only,
        env=["AGENTOPS_EVENT_CONTENT"],
        live=True,
        doubt={"event_content": False},
    )
    directory: str = _row(
        "./.agentops", parsers.path, "The directory in which traces and spools are written.",
        limit=file_limits.below_here, env=["AGENTOPS_DIR"],
    )  # fmt: skip
    integrations: tuple[str, ...] | None = _row(
        None,
        parsers.names,
        "Names of the integrations to use; by default every supported library that is installed.",
        limit=file_limits.anything,
        env=["AGENTOPS_INTEGRATIONS"],
    )
    service_name: str = _row(
        "", parsers.text, "The service.name of every span; by default the name of the script.",
        limit=file_limits.anything, env=["OTEL_SERVICE_NAME"],
    )  # fmt: skip
    resource_attributes: dict[str, Any] = _row(
        dict, parsers.table, "Resource attributes, set on every span; those of all sources are merged.",
        limit=file_limits.anything, env=["OTEL_RESOURCE_ATTRIBUTES"], merge=_both_tables,
    )  # fmt: skip
    resource_detectors: tuple[str, ...] = _row(
        parsers.DETECTORS, parsers.detectors,
        "What is looked for around the process and told of it, without a network; `none` switches it off.",
        limit=file_limits.anything, env=["AGENTOPS_RESOURCE_DETECTORS", "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS"],
    )  # fmt: skip
    release: str = _row(
        "", parsers.text,
        "The release of the program, `service.version` of every span; by default the short form of the git commit.",
        limit=file_limits.anything, env=["AGENTOPS_RELEASE", "SENTRY_RELEASE", "DD_VERSION"],
    )  # fmt: skip
    environment: str = _row(
        "", parsers.text, "Where it runs (production, staging, ci): `deployment.environment.name` of every span.",
        limit=file_limits.anything,
        env=["AGENTOPS_ENVIRONMENT", "SENTRY_ENVIRONMENT", "DD_ENV", "APP_ENV", "VERCEL_ENV"],
    )  # fmt: skip
    variant: str = _row(
        "", parsers.text, "The variant that this process is, such as canary: `agentops.variant` of every span.",
        limit=file_limits.anything, env=["AGENTOPS_VARIANT"],
    )  # fmt: skip
    capture_content: bool = _row(
        True,
        parsers.content,
        "Record messages, arguments and results; figures and names are recorded either way.",
        limit=file_limits.off_only,
        env=["AGENTOPS_CAPTURE_CONTENT", "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"],
        live=True,
        doubt=_NO_CONTENT,
    )
    content_rules: tuple[str, ...] = _row(
        (),
        parsers.content_rules,
        'Of which spans content is recorded: "off agent=billing", "on 10% tenant=acme-*", "off"; the first that fits '
        "decides. Those of all sources are merged; where `capture_content` is off, nothing is recorded.",
        limit=file_limits.anything,
        env=["AGENTOPS_CONTENT_RULES"],
        live=True,
        doubt=_NO_CONTENT,
        merge=_first_rules,
    )
    max_value_bytes: int = _row(
        65_536,
        parsers.whole(256),
        "The largest size of one captured value, in bytes; the rest is truncated, visibly.",
        limit=file_limits.no_more,
        env=["AGENTOPS_MAX_VALUE_BYTES"],
        live=True,
    )
    redact: bool = _row(
        True, parsers.flag, "Redact secrets (keys, tokens, passwords) before anything is written or sent.",
        env=["AGENTOPS_REDACT"], doubt={"redact": True},
    )  # fmt: skip
    redact_patterns: tuple[str, ...] = _row(
        (), parsers.patterns, "More regular expressions whose matches are redacted; those of all sources are merged.",
        limit=file_limits.anything, env=["AGENTOPS_REDACT_PATTERNS"], doubt=_NO_CONTENT, merge=_both_lists,
    )  # fmt: skip
    pii: tuple[Any, ...] = _row(
        (),
        parsers.pii,
        "Kinds of personal data to replace, each with what takes its place (redact, hash, last4, drop), such as "
        '"email, phone:hash, card:last4"; all; presidio; functions. Those of all sources are merged.',
        limit=file_limits.anything,
        env=["AGENTOPS_PII"],
        doubt=_NO_CONTENT,
        merge=pii_merge,
    )
    pii_key: Any = _row(
        lambda: key_source("env:AGENTOPS_PII_KEY"),
        parsers.key,
        "Where the key of the hashes of personal data is kept: env:NAME, file:PATH, or a function.",
        env=["AGENTOPS_PII_KEY_SOURCE"],
    )
    pii_timeout: float = _row(
        1.0, parsers.above_zero, "How many seconds functions of `pii` may take for a span; then its text is withheld.",
        limit=file_limits.no_more, env=["AGENTOPS_PII_TIMEOUT"],
    )  # fmt: skip
    hash_user_id: bool = _row(
        False, parsers.flag, "Record a keyed hash in place of each user id, the same for the same user.",
        limit=file_limits.on_only, env=["AGENTOPS_HASH_USER_ID"], doubt={"hash_user_id": True},
    )  # fmt: skip
    semconv: str = _row(
        "", parsers.choice("pin", "main"),
        "The state of the GenAI conventions that names follow: pin, as backends know it, or main, the newest. Where "
        "nothing is chosen it is pin, and tokens written to a cache stand under both names.",
        limit=file_limits.anything, env=["AGENTOPS_SEMCONV"],
    )  # fmt: skip
    blobs: str = _row(
        "inline", parsers.choice("inline", "files"),
        "Where pictures, sound and documents of messages stand: inline, where `max_value_bytes` cuts them, or in files "
        "of the folder `blobs` beside the traces, to which the message refers.",
        env=["AGENTOPS_BLOBS"], live=True,
    )  # fmt: skip
    vocabularies: tuple[str, ...] = _row(
        (), parsers.vocabularies,
        "Further names that every span tells the same under, for backends that read others: openinference, langfuse. "
        'For one sink alone, behind its name: "otlp+openinference:http://localhost:6006".',
        limit=file_limits.anything, env=["AGENTOPS_VOCABULARIES"], live=True,
    )  # fmt: skip
    queue_size: int = _row(
        10_000, parsers.whole(1), "How many ended spans may be queued; further ones are dropped and counted.",
        limit=file_limits.anything, env=["AGENTOPS_QUEUE_SIZE", "OTEL_BSP_MAX_QUEUE_SIZE"],
    )  # fmt: skip
    shutdown_timeout: float = _row(
        3.0, parsers.number(0, 86_400), "How many seconds the exit of the program may wait for sinks.",
        limit=file_limits.anything, env=["AGENTOPS_SHUTDOWN_TIMEOUT"], live=True,
    )  # fmt: skip
    traces_max_file_bytes: int = _row(
        67_108_864, parsers.whole(1), "The size in bytes from which a JSONL file is closed and a new one started.",
        limit=file_limits.anything, env=["AGENTOPS_TRACES_MAX_FILE_BYTES"],
    )  # fmt: skip
    traces_max_bytes: int = _row(
        536_870_912, parsers.whole(1), "Bytes in all beyond which closed JSONL files are deleted, oldest first.",
        limit=file_limits.no_more, env=["AGENTOPS_TRACES_MAX_BYTES"],
    )  # fmt: skip
    traces_max_days: float = _row(
        30.0, parsers.above_zero, "The age in days after which closed JSONL files are deleted.",
        limit=file_limits.no_more, env=["AGENTOPS_TRACES_MAX_DAYS"],
    )  # fmt: skip
    content_max_days: float = _row(
        0.0, parsers.number(0), "The age in days after which content goes from closed JSONL files; 0 leaves it there.",
        limit=file_limits.anything, env=["AGENTOPS_CONTENT_MAX_DAYS"],
    )  # fmt: skip
    traces_compress: bool = _row(
        False,
        parsers.flag,
        "Compress JSONL files with gzip once they are closed.",
        limit=file_limits.anything,
        env=["AGENTOPS_TRACES_COMPRESS"],
    )
    trace_url: str = _row(
        "", parsers.trace_url, 'Where a backend shows a trace: an address with {trace_id}, or "phoenix:http://HOST".',
        env=["AGENTOPS_TRACE_URL"],
    )  # fmt: skip
    traces_fsync: str = _row(
        "never", parsers.choice("never", "close", "always"), "When JSONL files are flushed to the disk itself (fsync).",
        limit=file_limits.anything, env=["AGENTOPS_TRACES_FSYNC"],
    )  # fmt: skip
    spool_max_bytes: int = _row(
        268_435_456, parsers.whole(65_536), "Bytes that may wait on disk for an OTLP backend; then the oldest go.",
        limit=file_limits.no_more, env=["AGENTOPS_SPOOL_MAX_BYTES"],
    )  # fmt: skip
    spool_max_days: float = _row(
        7.0, parsers.above_zero, "How many days spans may wait on disk for an OTLP backend.",
        limit=file_limits.no_more, env=["AGENTOPS_SPOOL_MAX_DAYS"],
    )  # fmt: skip
    sample_ratio: float = _row(
        1.0, parsers.number(0, 1), "The share of traces that is kept (0 to 1), decided at the root.",
        limit=file_limits.no_more, env=["AGENTOPS_SAMPLE_RATIO"], live=True,
    )  # fmt: skip
    keep_errors: bool = _row(
        True, parsers.flag, "Keep the whole run if one of its spans ended in an error, even if it is not sampled.",
        limit=file_limits.anything, env=["AGENTOPS_KEEP_ERRORS"], live=True,
    )  # fmt: skip
    parent_based: bool = _row(
        True, parsers.flag, "Keep to the sampling decision of whoever calls this process, else to `sample_ratio`.",
        env=["AGENTOPS_PARENT_BASED"], live=True,
    )  # fmt: skip
    propagators: tuple[str, ...] = _row(
        ("tracecontext", "baggage"), parsers.names,
        "In which headers traces are carried on: tracecontext, baggage, none, or what is installed, such as b3.",
        env=["AGENTOPS_PROPAGATORS", "OTEL_PROPAGATORS"],
    )  # fmt: skip
    attribute_count_limit: int | None = _row(
        None, parsers.most, "How many attributes a span may have; what is beyond is counted as dropped.",
        limit=file_limits.anything, env=["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"],
    )  # fmt: skip
    attribute_length_limit: int | None = _row(
        None, parsers.most, "How many characters a text among the attributes may have.",
        limit=file_limits.anything,
        env=["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"],
    )  # fmt: skip
    event_count_limit: int | None = _row(
        None, parsers.most, "How many events a span may have.",
        limit=file_limits.anything, env=["OTEL_SPAN_EVENT_COUNT_LIMIT"],
    )  # fmt: skip
    link_count_limit: int | None = _row(
        None, parsers.most, "How many links a span may have.",
        limit=file_limits.anything, env=["OTEL_SPAN_LINK_COUNT_LIMIT"],
    )  # fmt: skip
    event_attribute_count_limit: int | None = _row(
        None, parsers.most, "How many attributes an event of a span may have.",
        limit=file_limits.anything, env=["OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"],
    )  # fmt: skip
    link_attribute_count_limit: int | None = _row(
        None, parsers.most, "How many attributes a link of a span may have.",
        limit=file_limits.anything, env=["OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"],
    )  # fmt: skip
    pricing: bool = _row(
        True, parsers.flag, "Count or estimate tokens that were not reported, and compute cost.",
        limit=file_limits.anything, env=["AGENTOPS_PRICING"], live=True,
    )  # fmt: skip
    stream_usage: bool = _row(
        True,
        parsers.flag,
        "Request token counts for streams if the caller did not say; the extra chunk is hidden.",
        limit=file_limits.anything,
        env=["AGENTOPS_STREAM_USAGE"],
        live=True,
    )
    internal: bool = _row(
        True,
        parsers.flag,
        "Record the internal steps of frameworks, marked so that readers fold them.",
        limit=file_limits.anything,
        env=["AGENTOPS_INTERNAL"],
        before="plumbing",
        live=True,
    )
    state_changes: bool = _row(
        False,
        parsers.flag,
        "Record on each graph node what it changed in the state: the value before, and what it wrote.",
        env=["AGENTOPS_STATE_CHANGES"],
        live=True,
    )
    limits: tuple[str, ...] = _row(
        (),
        parsers.limits,
        'How much may be spent and how many calls made, such as "5 usd / run; 50 model calls / run".',
        limit=file_limits.anything,
        env=["AGENTOPS_LIMITS"],
        live=True,
    )
    limits_store: str = _row(
        "",
        parsers.limits_store,
        "Where limits with a window are counted together: redis://… for all machines; else the folder of the traces.",
        env=["AGENTOPS_LIMITS_STORE"],
    )
    on_limit: str = _row(
        "raise",
        parsers.choice(*ON_LIMIT),
        "What happens to a call that a limit of the settings does not allow.",
        env=["AGENTOPS_ON_LIMIT"],
        live=True,
    )
    on_stream: str = _row(
        "finish",
        parsers.choice(*ON_STREAM),
        "What becomes of a stream that passes a limit of the settings while it is read.",
        env=["AGENTOPS_ON_STREAM"],
        live=True,
    )
    unknown_price: str = _row(
        "refuse",
        parsers.choice(*UNKNOWN_PRICE),
        "What becomes of a call whose price nobody knows, where the settings limit cost.",
        env=["AGENTOPS_UNKNOWN_PRICE"],
        live=True,
    )
    alerts: tuple[Any, ...] = _row(
        (),
        parsers.alerts,
        "Rules by which somebody is told: a TOML file with tables [[alert]], or the tables themselves.",
        env=["AGENTOPS_ALERTS"],
        live=True,
    )
    findings: bool = _row(
        False, parsers.flag, "Look in ended spans for signs of attacks, and put what is found on them as events.",
        limit=file_limits.anything, env=["AGENTOPS_FINDINGS"], live=True,
    )  # fmt: skip
    flight_recorder: int = _row(
        20,
        parsers.whole(0),
        "How many of the last complete traces are held in memory, to be written when an alert fires.",
        limit=file_limits.no_more,
        env=["AGENTOPS_FLIGHT_RECORDER"],
    )
    audit: bool = _row(
        False, parsers.flag, "Write to the audit log what spans tell: limits, answers of people, models in use.",
        limit=file_limits.anything, env=["AGENTOPS_AUDIT"],
    )  # fmt: skip
    audit_key: Any = _row(
        None, parsers.key, "Where the key is kept that signs the audit log: HMAC, or Ed25519 where it is PEM.",
        env=["AGENTOPS_AUDIT_KEY_SOURCE"],
    )  # fmt: skip
    encryption_key: Any = _row(
        None, parsers.key,
        "Where the key is kept that files of traces, spools and blobs are encrypted with: 32 bytes, also in base64 or "
        "hexadecimal digits; several, of which the first writes. Extra: `encryption`.",
        env=["AGENTOPS_ENCRYPTION_KEY_SOURCE"], doubt={"encryption_key": NO_KEY},
    )  # fmt: skip
    propagate_threads: bool = _row(
        True, parsers.flag, "Propagate the trace into threads and executors automatically.",
        limit=file_limits.anything, env=["AGENTOPS_PROPAGATE_THREADS"],
    )  # fmt: skip
    propagate_processes: bool = _row(
        True, parsers.flag, "Propagate the trace into processes: pools, multiprocessing, subprocess (TRACEPARENT).",
        limit=file_limits.off_only, env=["AGENTOPS_PROPAGATE_PROCESSES"],
    )  # fmt: skip
    log_correlation: bool = _row(
        False, parsers.flag, "Put `otelTraceID` and `otelSpanID` into every record of `logging`; `0` outside of spans.",
        limit=file_limits.anything, env=["AGENTOPS_LOG_CORRELATION", "OTEL_PYTHON_LOG_CORRELATION"],
    )  # fmt: skip
    log_events: str = _row(
        "off", parsers.choice("off", "debug", "info", "warning", "error", "critical"),
        "Keep lines of `logging` from this level on as events of the span that they are written in.",
        limit=file_limits.default_only, env=["AGENTOPS_LOG_EVENTS"],
    )  # fmt: skip
    vendor_propagation: bool = _row(
        False, parsers.flag, "Send trace headers and baggage with calls to model vendors, as to your own services.",
        limit=file_limits.off_only, env=["AGENTOPS_VENDOR_PROPAGATION"], live=True,
    )  # fmt: skip
    global_provider: bool = _row(
        False, parsers.flag, "Register our TracerProvider as OpenTelemetry's global one, unless there is one already.",
        env=["AGENTOPS_GLOBAL_PROVIDER"],
    )  # fmt: skip
    log_level: str = _row(
        "warning",
        parsers.choice("debug", "info", "warning", "error", "critical"),
        "The lowest level at which this package logs messages.",
        limit=file_limits.no_more_talkative,
        env=["AGENTOPS_LOG_LEVEL"],
        live=True,
    )
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def __init__(self, **values: Any) -> None:
        known = self.__dataclass_fields__
        if not values.keys() <= known.keys():
            raise TypeError("no settings: " + ", ".join(sorted(values.keys() - known.keys())))
        for name, row in known.items():
            if name not in values:
                values[name] = row.default if row.default_factory is dataclasses.MISSING else row.default_factory()
        self.__dict__.update(values)

    __hash__ = None  # type: ignore[assignment]  # as generated: some of what it holds has none

    def __eq__(self, other: object) -> bool:
        if type(other) is not Settings:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__dataclass_fields__)

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__dataclass_fields__)})"

    @functools.cached_property  # asked twice for each call that is recorded
    def records_content(self) -> bool:
        """Whether content is recorded at all: on spans, or on events."""
        return self.capture_content or self.event_content

    @property
    def keeps_files(self) -> bool:
        """Whether the program has files written at all."""
        sinks = {sink_parts(str(sink))[0] for sink in self.exporters}
        return bool(sinks & {"jsonl", "otlp"}) or self.origins.get("directory", "default") != "default"

    @property
    def folder(self) -> Path | None:
        """The directory of those files, absolute; ``None`` where none are written."""
        return Path(self.directory).absolute() if self.keeps_files else None

    def detects(self, name: str) -> bool:
        """Whether a detector of the resource is on."""
        return name in self.resource_detectors

    def deployed(self, name: str) -> bool:
        """Whether a setting comes from the environment or a file: a mistake there warns, and stops no program."""
        return self.origins.get(name, "").startswith(("environment ", "pyproject"))

    def source(self, name: str) -> str:
        """What a mistake in a setting is told by: the variable or the file that it comes from, else its own name."""
        return self.origins[name].rpartition(" ")[2] if self.deployed(name) else name


def rows() -> list[dataclasses.Field[Any]]:
    """The settings table, in order: one dataclass field per setting, its facts in ``metadata``."""
    return [row for row in dataclasses.fields(Settings) if "sentence" in row.metadata]


def resolve(keywords: Mapping[str, Any], *, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from keywords, the environment, files, and defaults. ``None`` as a keyword means "not given".

    Raises:
        ConfigError: a keyword is unknown or its value cannot work.
    """
    keywords = setting_sources.by_names_of_now(rows(), keywords)
    _insist_on_known(keywords, rows(), "a known setting: ")
    resolved = setting_sources.collect(
        rows(), keywords, os.environ if environ is None else environ, other_variables=OTHER_VARIABLES
    )
    for mistake in resolved.mistakes:
        warn_once(mistake)
    for refusal in resolved.refusals:
        log_once(refusal)
    return Settings(**resolved.values, origins=resolved.origins)


def inspect() -> tuple[Settings, list[str]]:
    """What :func:`resolve` makes of the environment and files, and what there is to tell about them, untold."""
    resolved = setting_sources.collect(rows(), {}, os.environ, other_variables=OTHER_VARIABLES)
    sentences = [without_secrets(sentence) for sentence in (*resolved.mistakes, *resolved.refusals)]
    return Settings(**resolved.values, origins=resolved.origins), sentences


def may_be_set(name: str) -> bool:
    """Whether the environment or a file can have set a setting: cheaper to know than what :func:`inspect` finds out."""
    about = Settings.__dataclass_fields__[name].metadata
    if about["limit"] is not file_limits.default_only or about["before"]:
        return True
    return any(os.environ.get(variable, "").strip() for variable in (*about["env"], settings_file.NAMED_BY))


def update(settings: Settings, keywords: Mapping[str, Any], *, live: bool = True) -> Settings:
    """A copy of ``settings`` with those named changed; attributes and patterns add up.

    Args:
        settings: what holds so far.
        keywords: by name; ``None`` means "not given".
        live: only what may change while the program runs, by ``configure()``; else by a further ``init()``.

    Raises:
        ConfigError: a setting is unknown, not live, or its value cannot work.
    """
    keywords = setting_sources.by_names_of_now(rows(), keywords)
    allowed = [row for row in rows() if row.metadata["live"] or not live]
    _insist_on_known(keywords, allowed, "a setting that can change while running: " if live else "a known setting: ")
    changed: dict[str, Any] = {}
    for row in allowed:
        if keywords.get(row.name) is not None:
            value = setting_sources.parsed_keyword(row, keywords[row.name])
            merge = row.metadata["merge"]
            changed[row.name] = value if merge is None else merge(getattr(settings, row.name), value)
    if changed.get("capture_content") is False:
        changed.setdefault("event_content", False)  # no content is none anywhere, unless events are named as well
    attributes = changed.get("resource_attributes", {})
    if setting_sources.SERVICE in attributes:
        changed.setdefault("service_name", str(attributes[setting_sources.SERVICE]))
        changed["resource_attributes"] = setting_sources.without_service(attributes)
    origins = {**settings.origins, **dict.fromkeys(changed, "configure()" if live else "keyword")}
    return dataclasses.replace(settings, **changed, origins=origins)


def changes(before: Settings, after: Settings) -> list[str]:
    """Names of the settings that differ."""
    return [row.name for row in rows() if getattr(before, row.name) != getattr(after, row.name)]


def _insist_on_known(keywords: Mapping[str, Any], known: Sequence[dataclasses.Field[Any]], expected: str) -> None:
    names = [row.name for row in known]
    for name, value in keywords.items():
        if name not in names:
            import difflib  # where there is a mistake

            near = difflib.get_close_matches(name, names, n=1)
            raise ConfigError(name, value, (f"{near[0]}, or " if near else "") + expected + ", ".join(names))


_warned: set[str] = set()


def warn_once(message: str) -> None:
    """A :class:`UserWarning` at the user's line, at most once per process for one message."""
    message = without_secrets(message)
    if message in _warned:
        return
    _warned.add(message)
    try:
        warnings.warn(message, stacklevel=_users_level())
    except UserWarning:
        # The program runs with warnings as errors; a bad variable must not stop it even then.
        logging.getLogger("agentops_sdk").warning(message)


def log_once(message: str) -> None:
    """A line in the log of this package, at most once per process for one message."""
    message = without_secrets(message)
    if message not in _warned:
        _warned.add(message)
        logging.getLogger("agentops_sdk").warning("agentops_sdk: %s", message)


_NOT_THE_USERS = ("agentops_sdk", "agentops_integrations", "contextlib")


def _users_level() -> int:
    """How far above :func:`warn_once` the nearest frame is that is the user's, as ``warnings.warn`` counts."""
    frame, level = sys._getframe(1), 1  # noqa: SLF001 - what the warnings module itself does
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _NOT_THE_USERS:
        frame, level = frame.f_back, level + 1
    return level
