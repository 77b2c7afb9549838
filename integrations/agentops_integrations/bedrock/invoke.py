"""``InvokeModel`` and its stream: each model's own body. Its family is told by the model's name, and by the body.

The name of an inference profile or an imported model, which its owner gave it, tells nothing: there the body has to.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from agentops_integrations.bedrock.converse import CONVERSE, OPTIONS
from agentops_sdk.integration import semconv
from agentops_sdk.integration.clients import Attributes, Endpoint, Events, Json, merged
from agentops_sdk.integration.dialects import (
    ANTHROPIC_COMPLETIONS,
    ANTHROPIC_MESSAGES,
    RERANK,
    fields,
    mapping,
    mappings,
    openai_chat,
)
from agentops_sdk.integration.dialects import message_parts as parts

# --- Claude, whose oldest versions take a prompt ---------------------------------------------------


def _claude_request(body: Json) -> Attributes:
    return (ANTHROPIC_COMPLETIONS if "prompt" in body else ANTHROPIC_MESSAGES).request(body)


def _claude_response(body: Json, asked: Json) -> Attributes:
    return (ANTHROPIC_COMPLETIONS if "completion" in body else ANTHROPIC_MESSAGES).response(body, asked)


def _claude_fold(events: Events) -> dict[str, Any]:
    takes_prompt = any("completion" in event for event in events)
    return {
        **(ANTHROPIC_COMPLETIONS if takes_prompt else ANTHROPIC_MESSAGES).fold(events),
        **_metrics(events if takes_prompt else []),
    }


# --- those that take a prompt ----------------------------------------------------------------------

_METRICS = "amazon-bedrock-invocationMetrics"
_FINISH_REASONS = {
    **dict.fromkeys(("stop", "finish", "finished", "complete", "stop_criteria_met"), "stop"),
    **dict.fromkeys(("length", "max_tokens"), "length"),
}


def _nameless(body: Json) -> Endpoint | None:
    """The row of a request to a model whose name does not tell its family, and whose body does."""
    if "anthropic_version" in body:
        return _CLAUDE
    return _NOVA if body.get("schemaVersion") or body.get("inferenceConfig") else None


def _prompt_request(body: Json) -> Attributes:
    """Llama, Mistral, Titan, Cohere, and who speaks OpenAI's dialect."""
    if (row := _nameless(body)) is not None:
        return row.request(body)
    if isinstance(body.get("messages"), list):
        return openai_chat.request(body)
    prompt = next((body[name] for name in ("prompt", "inputText", "message") if isinstance(body.get(name), str)), None)
    options = {
        semconv.REQUEST_TEMPERATURE: "temperature:number",
        semconv.REQUEST_STOP_SEQUENCES: "stop_sequences:texts",
    }
    titan = {**OPTIONS, semconv.REQUEST_MAX_TOKENS: "maxTokenCount:int"}
    limits = (body.get("max_gen_len"), body.get("max_tokens"))
    top_p, top_k = body.get("top_p", body.get("p")), body.get("top_k", body.get("k"))
    return {
        semconv.REQUEST_MAX_TOKENS: next((limit for limit in limits if isinstance(limit, int)), None),
        semconv.REQUEST_TOP_P: float(top_p) if isinstance(top_p, int | float) else None,
        semconv.REQUEST_TOP_K: top_k if isinstance(top_k, int) else None,
        **fields(body, options),
        **fields(mapping(body.get("textGenerationConfig")), titan),
        semconv.INPUT_MESSAGES: None if prompt is None else [{"role": "user", "parts": [parts.text(prompt)]}],
    }


def _results(body: Json) -> list[Json]:
    """The answers, which each family calls by a name of its own; or the body itself, where it is the only one."""
    named = (body.get(name) for name in ("results", "outputs", "generations", "choices"))
    return next((results for results in map(mappings, named) if results), [body])


def _prompt_response(body: Json, asked: Json) -> Attributes:
    if (row := _nameless(asked)) is not None:
        return row.response(body, asked)
    results = _results(body)
    if any("message" in result for result in results):
        return openai_chat.response(body, asked)
    outputs, reasons = [], []
    for result in results:
        text = result.get("outputText") or result.get("text") or result.get("generation")
        named = ("completionReason", "stop_reason", "finish_reason")
        reason = next((str(result[name]) for name in named if result.get(name)), None)
        calls = [
            {"type": "tool_call", "id": None, "name": str(call.get("name") or ""), "arguments": call.get("parameters")}
            for call in mappings(result.get("tool_calls"))
        ]
        output: dict[str, Any] = {"role": "assistant", "parts": [*parts.of_content(text), *calls]}
        if reason:
            output["finish_reason"] = _FINISH_REASONS.get(reason.lower(), reason)
            reasons.append(reason)
        if output["parts"] or reason:
            outputs.append(output)
    ident = body.get("generation_id") or body.get("id")
    return {
        semconv.RESPONSE_ID: ident if isinstance(ident, str) else None,
        semconv.RESPONSE_FINISH_REASONS: reasons or None,
        semconv.OUTPUT_MESSAGES: outputs or None,
    }


def _prompt_fold(events: Events) -> dict[str, Any]:
    if any(event.get("type") == "message_start" for event in events):
        return _claude_fold(events)
    if any("contentBlockDelta" in event for event in events):
        return CONVERSE.fold(events)
    if any(event.get("choices") for event in events):
        return openai_chat.assemble(events)
    body = merged(events)
    for name in ("generation", "outputText", "text"):
        # The last event of Cohere's chat holds the whole reply, in a place of its own.
        text = "".join(str(event[name]) for event in events if event.get(name))
        if text:
            body[name] = text
    text = "".join(str(each.get("text") or "") for event in events for each in mappings(event.get("outputs")))
    if text:
        body["outputs"] = [{**body["outputs"][-1], "text": text}]
    return {**body, **_metrics(events)}


def _metrics(events: Events) -> dict[str, Any]:
    """What only one event says of the tokens, and must outlive the next, which says null."""
    return next(({_METRICS: event[_METRICS]} for event in reversed(events) if mapping(event.get(_METRICS))), {})


# --- embeddings ------------------------------------------------------------------------------------


def _embed_request(body: Json) -> Attributes:
    nova = mapping(body.get("singleEmbeddingParams"))
    texts = body.get("inputText", body.get("texts") or mapping(nova.get("text")).get("value"))
    counts = (body.get("dimensions"), body.get("output_dimension"), nova.get("embeddingDimension"))
    return {
        semconv.INPUT: texts[0] if isinstance(texts, list) and len(texts) == 1 else texts,
        semconv.EMBEDDINGS_DIMENSION_COUNT: next((count for count in counts if isinstance(count, int)), None),
    }


def _embed_response(body: Json, asked: Json) -> Attributes:
    """Titan gives a vector; others one of each input: bare, in several types of numbers, or beside its kind."""
    vectors = body.get("embeddings", body.get("data"))
    vectors = next(iter(vectors.values()), None) if isinstance(vectors, dict) else vectors
    vector = body.get("embedding", vectors[0] if isinstance(vectors, list) and vectors else None)
    vector = vector.get("embedding") if isinstance(vector, dict) else vector
    return {semconv.EMBEDDINGS_DIMENSION_COUNT: len(vector) if isinstance(vector, list) and vector else None}


# --- pictures --------------------------------------------------------------------------------------


def picture_request(body: Json) -> Attributes:
    """Nova Canvas and Titan name the task, and with it where its prompt lies; Stability has the prompt alone."""
    told = [mapping(value).get("text") for name, value in body.items() if name.endswith("Params")]
    told += [each.get("text") for each in mappings(body.get("text_prompts"))]
    prompt = next((text for text in (body.get("prompt"), *told) if isinstance(text, str)), None)
    count = mapping(body.get("imageGenerationConfig")).get("numberOfImages")
    return {
        semconv.INPUT_MESSAGES: [{"role": "user", "parts": parts.of_content(prompt)}] if prompt else None,
        semconv.OUTPUT_TYPE: "image",
        semconv.REQUEST_CHOICE_COUNT: count if isinstance(count, int) and count != 1 else None,
    }


def _picture_response(body: Json, asked: Json) -> Attributes:
    images = [*(body.get("images") or ()), *(each.get("base64") for each in mappings(body.get("artifacts")))]
    made = [{"type": "blob", "modality": "image", "content": each} for each in images if isinstance(each, str)]
    return {semconv.OUTPUT_MESSAGES: [{"role": "assistant", "parts": made}] if made else None}


# --- the table -------------------------------------------------------------------------------------


def _whole(body: Json) -> Json:
    return body


_NOVA = replace(CONVERSE, path="Invoke/nova")
_CLAUDE = replace(
    ANTHROPIC_MESSAGES, path="Invoke/anthropic", request=_claude_request, response=_claude_response,
    fold=_claude_fold, usage=_whole, usage_shape="bedrock.invoke",
    end_mark=re.compile(rb'"type"\s*:\s*"message_(?:stop|delta)"|"stop_reason"\s*:\s*"[a-z_]+"'),
)  # fmt: skip

ROWS = (
    _NOVA,
    _CLAUDE,
    replace(RERANK, path="Invoke/rerank"),
    Endpoint(
        path="Invoke/embed", kind="embedding", operation="embeddings", request=_embed_request,
        response=_embed_response, usage=_whole, usage_shape="bedrock.invoke",
    ),
    Endpoint(
        path="Invoke/picture", operation="generate_content", request=picture_request, response=_picture_response,
    ),
    Endpoint(
        path="Invoke/prompt", request=_prompt_request, response=_prompt_response, fold=_prompt_fold, usage=_whole,
        usage_shape="bedrock.invoke",
        end_mark=re.compile(rb'"(?:stop_reason|completionReason|finish_reason)"\s*:\s*"|"messageStop"\s*:'),
    ),
)  # fmt: skip

_FAMILIES = (
    ("embed", "embed"),  # Nova has such too
    ("rerank", "rerank"),
    ("nova-canvas", "picture"),
    ("image-generator", "picture"),
    ("stability.", "picture"),
    ("anthropic.", "anthropic"),
    ("amazon.nova", "nova"),
)


def path_of(model: str) -> str:
    """The row of a model, which its name tells."""
    return f"Invoke/{next((family for mark, family in _FAMILIES if mark in model), 'prompt')}"
