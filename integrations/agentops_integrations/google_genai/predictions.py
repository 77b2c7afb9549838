"""Predictions, as Vertex AI and the older models have them: vectors of texts, pictures and films."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_integrations.google_genai import content
from agentops_sdk.integration import semconv
from agentops_sdk.integration.clients import Attributes, Endpoint, Json
from agentops_sdk.integration.dialects import message_parts as parts

__all__ = ["ROWS", "row_path"]


def row_path(path: str, body: Json) -> str:
    """The path that finds the row: vectors are asked for by that of pictures, but of something that has a content."""
    return f"{path}Vectors" if path.endswith(":predict") and "content" in _first(body) else path


def _first(body: Json) -> Json:
    instances = body.get("instances")
    first = instances[0] if isinstance(instances, list) and instances else None
    return first if isinstance(first, Mapping) else {}


def _parameter(body: Json, name: str) -> int | None:
    value = content.get(body.get("parameters"), name)
    return value if isinstance(value, int) else None


# --- vectors ---------------------------------------------------------------------------------------


def _vectors_request(body: Json) -> Attributes:
    texts = [str(each.get("content") or "") for each in content.mappings(body.get("instances"))]
    return {
        semconv.EMBEDDINGS_DIMENSION_COUNT: _parameter(body, "outputDimensionality"),
        semconv.INPUT: texts[0] if len(texts) == 1 else texts,
    }


def _vectors(body: Json) -> list[Json]:
    told = (each.get("embeddings") for each in content.mappings(body.get("predictions")))
    return [each for each in told if isinstance(each, Mapping)]


def _vectors_response(body: Json, asked: Json) -> Attributes:
    values = next((each.get("values") for each in _vectors(body)), None)
    return {semconv.EMBEDDINGS_DIMENSION_COUNT: len(values) if isinstance(values, list) and values else None}


def _vectors_usage(body: Json) -> Json | None:
    """The tokens of all, where each tells its own; the client makes floats of them."""
    counts = [content.get(each.get("statistics"), "token_count") for each in _vectors(body)]
    told = [int(each) for each in counts if isinstance(each, int | float)]
    return {"promptTokenCount": sum(told)} if told and len(told) == len(counts) else None


# --- pictures and films ----------------------------------------------------------------------------


def _picture_request(body: Json) -> Attributes:
    prompt, count = _first(body).get("prompt"), _parameter(body, "sampleCount")
    return {
        semconv.INPUT_MESSAGES: [{"role": "user", "parts": parts.of_content(prompt)}] if prompt else None,
        semconv.OUTPUT_TYPE: "image",
        semconv.REQUEST_CHOICE_COUNT: count if count != 1 else None,
    }


def _film_request(body: Json) -> Attributes:
    return {**_picture_request(body), semconv.OUTPUT_TYPE: "video"}


def _pictures(body: Json, asked: Json) -> Attributes:
    made = [
        {"type": "blob", "modality": "image", "mime_type": each.get("mimeType"), "content": each["bytesBase64Encoded"]}
        for each in content.mappings(body.get("predictions"))
        if each.get("bytesBase64Encoded")
    ]
    return {semconv.OUTPUT_MESSAGES: [{"role": "assistant", "parts": made}] if made else None}


def _operation(body: Json, asked: Json) -> Attributes:
    """Of a film: the work that goes on, by its name."""
    return {semconv.RESPONSE_ID: body.get("name") or None}


def _made(name: str, **row: Any) -> Endpoint:
    return Endpoint(
        path=f"[^/]*:{name}", operation="generate_content", usage=content.usage, usage_shape="gemini.generate", **row
    )


ROWS = (
    Endpoint(
        path="[^/]*:predictVectors", kind="embedding", operation="embeddings", request=_vectors_request,
        response=_vectors_response, usage=_vectors_usage, usage_shape="gemini.generate",
    ),
    _made("predict", request=_picture_request, response=_pictures),
    _made("predictLongRunning", request=_film_request, response=_operation),
)  # fmt: skip
