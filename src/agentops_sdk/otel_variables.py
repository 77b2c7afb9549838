"""OpenTelemetry's environment variables, one table: what each does here, or why it is not read.

Data only. The documentation is made of it, ``agentops doctor`` tells by it of a variable that is set in vain, and a
test compares it with the names that OpenTelemetry's own packages define.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["ROWS", "Row"]


class Row(NamedTuple):
    """Variables of one meaning.

    Attributes:
        names: in full.
        about: what they do; where they are not read, why not and what does it instead. Markdown.
        read: whether they are honoured.
    """

    names: tuple[str, ...]
    about: str
    read: bool = True

    @property
    def plain(self) -> str:
        """``about`` for a terminal."""
        return re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", self.about).replace("`", "")


def _otlp(word: str, *signals: str) -> tuple[str, ...]:
    return tuple(f"OTEL_EXPORTER_OTLP_{signal}{word}" for signal in (signals or ("", "TRACES_", "METRICS_", "LOGS_")))


ROWS: tuple[Row, ...] = (
    Row(("OTEL_SDK_DISABLED",), "`true` switches everything off"),
    Row(
        ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"),
        "the name takes precedence over `service.name` among the attributes, and `init(service_name=…)` over both; "
        "attributes are percent-decoded and merged with those given in code; a malformed pair is ignored on its own",
    ),
    Row(
        ("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS",),
        "which [detectors](#what-is-told-of-the-process) look at the process: `resource_detectors`",
    ),
    Row(
        ("OTEL_TRACES_EXPORTER",),
        "a list of `otlp`, `console`, `jsonl`, `memory`, in addition to `jsonl`; `none` for nothing else (and "
        "[`AGENTOPS_EXPORTERS=none`](export.md) for nothing at all)",
    ),
    Row(
        ("OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"),
        "`otlp`, `console` or `none`: where [metrics](export.md#metrics) and [events](export.md#events) go",
    ),
    Row(
        ("OTEL_TRACES_SAMPLER",),
        "`always_on`, `always_off`, `traceidratio`, each also as `parentbased_…`. Without `parentbased_` the decision "
        "of whoever calls this process does not count; with `always_off` failed runs are not kept either, unless "
        "`keep_errors` is set. Other samplers are told and ignored",
    ),
    Row(("OTEL_TRACES_SAMPLER_ARG",), "the ratio of `traceidratio`, 0 to 1; see [Sampling](export.md#sampling)"),
    Row(
        ("OTEL_PROPAGATORS",),
        "`tracecontext`, `baggage`, `none`, or names whose package is installed (`b3`, `b3multi`, `jaeger`, `xray`, "
        "`ottrace`): what `inject()`, `extract()`, the middleware and integrations write and read. Processes that the "
        "program starts are told in W3C's form in any case (`propagate_processes`)",
    ),
    Row(
        (
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
            "OTEL_ATTRIBUTE_COUNT_LIMIT",
            "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
            "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
            "OTEL_SPAN_EVENT_COUNT_LIMIT",
            "OTEL_SPAN_LINK_COUNT_LIMIT",
        ),
        "what is beyond is left out and counted on the span (`dropped`). Not set, there is no limit here but for 1,000 "
        "events. `agentops.kind`, the outcome and the operation go last",
    ),
    Row(
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
        "texts are cut after so many characters, also those that hold JSON, which is none any more then; their names "
        "stand in `agentops.truncated`. [`max_value_bytes`](content.md) cuts so that JSON stays JSON",
    ),
    Row(
        ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
        "an event has the attributes that the conventions name for it and no others; `max_value_bytes` bounds each",
        read=False,
    ),
    Row(("OTEL_BSP_MAX_QUEUE_SIZE",), "`queue_size`"),
    Row(
        ("OTEL_BSP_SCHEDULE_DELAY", "OTEL_BLRP_SCHEDULE_DELAY"),
        "milliseconds that spans, and events, wait for others on their way to an OTLP backend; 1,000 by default. To "
        "the disk they go within 100 ms in any case",
    ),
    Row(
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"),
        "the most spans, and events, of one OTLP request; by default its size alone is bounded",
    ),
    Row(
        ("OTEL_BSP_EXPORT_TIMEOUT", "OTEL_BLRP_EXPORT_TIMEOUT", "OTEL_METRIC_EXPORT_TIMEOUT"),
        "milliseconds for one OTLP request of the signal, where `OTEL_EXPORTER_OTLP_TIMEOUT` is not set",
    ),
    Row(("OTEL_BLRP_MAX_QUEUE_SIZE",), "events are made of spans that have left the queue: `queue_size`", read=False),
    Row(
        _otlp("ENDPOINT"),
        "[where](export.md#otlp) a signal goes; the general one gets `/v1/traces` and the like behind it, a signal's "
        "own is the whole URL. The general one and that of traces switch `otlp` on for spans, a signal's own for that "
        "signal",
    ),
    Row(
        (
            *_otlp("HEADERS"),
            *_otlp("COMPRESSION"),
            *_otlp("CERTIFICATE"),
            *_otlp("CLIENT_CERTIFICATE"),
            *_otlp("CLIENT_KEY"),
        ),
        "how it is sent; a signal's own win. Compression is `gzip` (the default), `deflate` or `none`; certificates "
        "and the key are paths of PEM files",
    ),
    Row(
        _otlp("TIMEOUT"),
        "for one request: below 1,000 seconds, as OpenTelemetry Python reads it, from 1,000 on milliseconds, as the "
        "specification does; 10 seconds by default",
    ),
    Row(
        _otlp("PROTOCOL"),
        "`http/protobuf` (the default), `http/json`, or `grpc`, for which OpenTelemetry's own exporter has to be "
        "installed (`opentelemetry-exporter-otlp-proto-grpc`); it has no spool",
    ),
    Row(_otlp("INSECURE"), "with `grpc`, where OpenTelemetry's own exporter reads them; else the URL says it"),
    Row(
        ("OTEL_SEMCONV_STABILITY_OPT_IN",),
        'with `gen_ai_latest_experimental` among its words: `semconv="main"`. Other words concern other libraries',
    ),
    Row(
        ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",),
        "`NO_CONTENT`, `SPAN_ONLY`, `EVENT_ONLY`, `SPAN_AND_EVENT`, or true and false. `EVENT_ONLY` and "
        "`SPAN_AND_EVENT` put messages on [events](export.md#events); `EVENT_ONLY` takes them off spans",
    ),
    Row(
        ("OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT",),
        "whether a model call's details are told as an [event](export.md#events)",
    ),
    Row(("OTEL_METRIC_EXPORT_INTERVAL",), "milliseconds between two collections of metrics; 60,000 by default"),
    Row(
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",),
        "`cumulative`, `delta` or `lowmemory`; all our metrics are counters and histograms, so the last two are "
        "the same",
    ),
    Row(
        ("OTEL_METRICS_EXEMPLAR_FILTER",),
        "`always_off` leaves exemplars out of what is sent. Else they are of spans that are kept, as `trace_based` "
        "(the default) has it: with `always_on` as well, for what was not kept cannot be looked up",
    ),
    Row(
        ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",),
        "`explicit_bucket_histogram` (the default): the buckets that the conventions advise; or "
        "`base2_exponential_bucket_histogram`, for sinks of OTLP. `/metrics` has the former",
    ),
    Row(
        ("OTEL_EXPORTER_PROMETHEUS_HOST", "OTEL_EXPORTER_PROMETHEUS_PORT"),
        "`serve_status(host=…, port=…)` has `/metrics` for Prometheus",
        read=False,
    ),
    Row(
        ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "OTEL_EXPORTER_ZIPKIN_TIMEOUT"),
        "there is no Zipkin sink; OpenTelemetry's exporter for it is one (`init(exporters=[ZipkinExporter()])`)",
        read=False,
    ),
    Row(("OTEL_LOG_LEVEL",), "`log_level`, by the specification's words (`warn`, `fatal`, …) as well"),
    Row(("OTEL_PYTHON_LOG_CORRELATION",), "`log_correlation`"),
    Row(
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",),
        "under [`opentelemetry-instrument`](zero-code.md#with-opentelemetry-instrument): integrations that stay away",
    ),
    Row(
        (
            "OTEL_PYTHON_CONTEXT",
            "OTEL_PYTHON_TRACER_PROVIDER",
            "OTEL_PYTHON_METER_PROVIDER",
            "OTEL_PYTHON_LOGGER_PROVIDER",
        ),
        "read by OpenTelemetry's own package: its context is ours too, and a provider that it makes is the program's, "
        "which we join",
    ),
    Row(
        (
            "OTEL_PYTHON_DISTRO",
            "OTEL_PYTHON_CONFIGURATOR",
            "OTEL_PYTHON_AUTO_INSTRUMENTATION_EXPERIMENTAL_GEVENT_PATCH",
            "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED",
        ),
        "read by `opentelemetry-instrument`, whose provider we join; `agentops run` is no distribution of it",
        read=False,
    ),
    Row(("OTEL_CONFIG_FILE",), "settings come from [files](#files) of ours", read=False),
    Row(("OTEL_PYTHON_ID_GENERATOR",), "ids are random; a provider of the program's has its own", read=False),
    Row(
        ("OTEL_PYTHON_TRACER_CONFIGURATOR", "OTEL_PYTHON_METER_CONFIGURATOR", "OTEL_PYTHON_LOGGER_CONFIGURATOR"),
        "they choose among instrumentation scopes, and there is one here: `integrations` chooses",
        read=False,
    ),
    Row(
        ("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED",),
        "the pipeline's own figures are in `status()`, `health()` and `/metrics`",
        read=False,
    ),
    Row(
        (
            "OTEL_PYTHON_EXPORTER_OTLP_GRPC_RETRYABLE_ERROR_CODES",
            *(
                f"OTEL_PYTHON_EXPORTER_OTLP_{transport}{signal}CREDENTIAL_PROVIDER"
                for transport in ("HTTP_", "GRPC_")
                for signal in ("", "TRACES_", "METRICS_", "LOGS_")
            ),
        ),
        "read by OpenTelemetry's own exporters, which `grpc` uses; over HTTP a key stands in `…_HEADERS`, and every "
        "instance of an exporter is a sink",
        read=False,
    ),
)
