"""MLflow Tracing: the attributes of its spans."""

from __future__ import annotations

from typing import Any

from agentops_sdk import semconv
from agentops_sdk.traces.formats.json_values import parsed
from agentops_sdk.traces.formats.vocabularies import (
    KINDS,
    TOTAL_TOKENS,
    Row,
    Vocabulary,
    count,
    inner,
    offered,
    price,
    text,
    written,
)

_USAGE = "mlflow.chat.tokenUsage"


def _plain(value: Any) -> str | None:
    """MLflow writes every value as JSON, text in quotes too."""
    return text(parsed(value))


def _kind(value: Any) -> str | None:
    return KINDS.get((_plain(value) or "").lower())


VOCABULARY = Vocabulary(
    "MLflow",
    (
        Row(semconv.KIND, "mlflow.spanType", _kind),
        Row(semconv.REQUEST_MODEL, "mlflow.llm.model", _plain),
        Row(semconv.REQUEST_MODEL, "model", _plain),
        Row(semconv.PROVIDER_NAME, "mlflow.llm.provider", _plain),
        Row(semconv.USAGE_INPUT_TOKENS, _USAGE, inner("input_tokens", read=count)),
        Row(semconv.USAGE_OUTPUT_TOKENS, _USAGE, inner("output_tokens", read=count)),
        Row(TOTAL_TOKENS, _USAGE, inner("total_tokens", read=count)),
        Row(semconv.USAGE_INPUT_TOKENS, "mlflow.spanOutputs", inner("usage", "prompt_tokens", read=count)),
        Row(semconv.USAGE_INPUT_TOKENS, "mlflow.spanOutputs", inner("usage", "input_tokens", read=count)),
        Row(semconv.USAGE_OUTPUT_TOKENS, "mlflow.spanOutputs", inner("usage", "completion_tokens", read=count)),
        Row(semconv.USAGE_OUTPUT_TOKENS, "mlflow.spanOutputs", inner("usage", "output_tokens", read=count)),
        Row(semconv.REQUEST_MODEL, "mlflow.spanInputs", inner("model", read=text)),
        Row(semconv.RESPONSE_MODEL, "mlflow.spanOutputs", inner("model", read=text)),
        Row(semconv.USAGE_CACHE_READ, _USAGE, inner("cache_read_input_tokens", read=count)),
        Row(semconv.USAGE_CACHE_CREATION, _USAGE, inner("cache_creation_input_tokens", read=count)),
        Row(semconv.COST_AMOUNT, "mlflow.llm.cost", price),
        Row(semconv.INPUT, "mlflow.spanInputs", written),
        Row(semconv.OUTPUT, "mlflow.spanOutputs", written),
        Row(semconv.TOOL_DEFINITIONS, "mlflow.chat.tools", offered),
        Row(semconv.SESSION_ID, "mlflow.trace.session", _plain),
        Row(semconv.USER_ID, "mlflow.trace.user", _plain),
    ),
    rank=17,
    written_by="mlflow, mlflow-tracing",
)
