"""Embeddings as OpenAI's API has them: bodies to attributes. Vectors are counted, not kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentops_sdk import semconv
from agentops_sdk._genai.fields import text_value

Json = Mapping[str, Any]


def request(body: Json) -> dict[str, Any]:
    """Attributes that a request tells: its input as it was sent, and the form of the vectors."""
    encoding, dimensions = body.get("encoding_format"), body.get("dimensions")
    return {
        semconv.REQUEST_ENCODING_FORMATS: [encoding] if isinstance(encoding, str) else None,
        semconv.EMBEDDINGS_DIMENSION_COUNT: dimensions if isinstance(dimensions, int) else None,
        semconv.INPUT: body.get("input"),
    }


def response(body: Json, asked: Json) -> dict[str, Any]:
    """Attributes that a reply tells; ``asked`` is the request it answers."""
    data = body.get("data")
    first = data[0].get("embedding") if isinstance(data, list) and data and isinstance(data[0], Mapping) else None
    count = asked.get("dimensions")
    if isinstance(first, list):
        count = len(first)
    elif isinstance(first, str):
        count = _numbers_in(len(first) * 3 // 4 - first[-2:].count("="), asked)
    return {
        semconv.RESPONSE_MODEL: text_value(body.get("model")),
        semconv.RESPONSE_ID: text_value(body.get("id")),
        semconv.EMBEDDINGS_DIMENSION_COUNT: count if isinstance(count, int) and count else None,
    }


def _numbers_in(size: int, asked: Json) -> int:
    """How many numbers the bytes of a vector are: of 32 bits, as OpenAI's client asks for by itself, or of a type told.

    Mistral tells it by ``output_dtype``, Perplexity by the encoding, whose default has eight bits.
    """
    form = str(asked.get("output_dtype") or asked.get("encoding_format") or "")
    if "binary" in form:
        return size * 8
    return size if "int8" in form else size // 4
