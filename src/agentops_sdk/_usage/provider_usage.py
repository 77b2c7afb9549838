"""A provider's raw usage object as attributes in the conventions' names.

The conventions count cached tokens inside of the input and reasoning inside of the output. Providers
differ: Anthropic and Bedrock tell cached tokens beside the input, Gemini tells thoughts beside the
answer. Here the parts are put together, so that one rule holds for every span.

Long because it is a table: one function for each provider's usage object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agentops_sdk import semconv
from agentops_sdk._usage.counts import Figures, amount, below, count, each, first, total

_ALWAYS = (
    semconv.USAGE_INPUT_TOKENS,
    semconv.USAGE_OUTPUT_TOKENS,
    semconv.USAGE_CACHE_READ,
    semconv.USAGE_CACHE_CREATION,
    semconv.USAGE_REASONING,
)
_TICKS_PER_DOLLAR = 10_000_000_000


def usage_attributes(shape: str, usage: Any) -> dict[str, Any]:
    """Token attributes of ``usage``, the usage object of a reply as plain data.

    Args:
        shape: ``openai.chat`` (also ``openai.completions``, ``openai.embeddings``, ``openai.images``,
            ``openai.transcription`` and whoever speaks that API), ``openai.responses``,
            ``anthropic.messages``, ``gemini.generate`` (also ``vertex``), ``bedrock.converse``,
            ``bedrock.invoke``, ``cohere.chat``, ``cohere.embed``, ``ollama``. Of an unknown shape
            ``a.b`` the part before the dot decides; else it is read as OpenAI's.
        usage: the object; of ``ollama`` and ``bedrock.invoke`` the body itself may be given.

    Returns:
        Only what the provider said: counts, a service tier, a cost if the reply carries one.
        Values that are no counts are left out. Never raises for plain data.
    """
    if type(usage) is not dict and not isinstance(usage, Mapping):
        return {}
    if shape in _PROMPTED and not usage.get("total_tokens") and not any(map(_counts, usage.values())):
        return {}
    read = _SHAPES.get(shape) or _SHAPES.get(shape.partition(".")[0]) or _openai
    return {
        name: value
        for name, value in read(usage).items()
        if value is not None and (value or name in _ALWAYS or name == semconv.COST_AMOUNT)
    }


_PROMPTED = ("openai.chat", "openai.completions")
"""A prompt has tokens: a server of these that says 0 throughout has counted nothing."""


def _counts(value: Any) -> bool:
    return any(map(_counts, value.values())) if isinstance(value, Mapping) else bool(value)


_OPENAI_INPUT = {
    "cached_tokens": semconv.USAGE_CACHE_READ,
    "cache_creation_tokens": semconv.USAGE_CACHE_CREATION,
    "cache_write_tokens": semconv.USAGE_CACHE_CREATION,
    "cache_read_input_tokens": semconv.USAGE_CACHE_READ,  # Perplexity's responses
    "cache_creation_input_tokens": semconv.USAGE_CACHE_CREATION,
    "audio_tokens": semconv.USAGE_AUDIO_INPUT,
    "image_tokens": semconv.USAGE_IMAGE_INPUT,
    "text_tokens": semconv.USAGE_TEXT_INPUT,
    "video_tokens": semconv.USAGE_VIDEO_INPUT,
}
_OPENAI_OUTPUT = {
    "reasoning_tokens": semconv.USAGE_REASONING,
    "audio_tokens": semconv.USAGE_AUDIO_OUTPUT,
    "image_tokens": semconv.USAGE_IMAGE_OUTPUT,
    "text_tokens": semconv.USAGE_TEXT_OUTPUT,
    "accepted_prediction_tokens": semconv.USAGE_ACCEPTED_PREDICTION,
    "rejected_prediction_tokens": semconv.USAGE_REJECTED_PREDICTION,
}
_OPENAI_CACHED = {
    "audio_tokens": semconv.USAGE_AUDIO_CACHE_READ,
    "image_tokens": semconv.USAGE_IMAGE_CACHE_READ,
    "text_tokens": semconv.USAGE_TEXT_CACHE_READ,
}
_OPENAI_WRITTEN = {"ttl_12h_tokens": semconv.USAGE_CACHE_CREATION_12H}
"""Members of OpenAI's objects of details; of two names for one figure the later wins."""


_OPENAI_MORE = frozenset((
    "seconds", "prompt_audio_seconds", "web_search_calls", "file_search_calls", "image_generation", "cost",
    "cost_in_usd_ticks",
))  # fmt: skip


def _details(part: Figures, names: Mapping[str, str]) -> dict[str, int]:
    details = {}
    for name, attribute in names.items():
        if part.get(name) is not None and (figure := count(part[name])) is not None:
            details[attribute] = figure
    return details


def _openai(usage: Figures) -> dict[str, Any]:
    prompt = first(usage, "prompt_tokens", "input_tokens")
    output = first(usage, "completion_tokens", "output_tokens")
    inside = below(
        usage, "prompt_tokens_details", "input_tokens_details", "input_token_details", "prompt_token_details"
    )
    outside = below(usage, "completion_tokens_details", "output_tokens_details", "output_token_details")
    known = _details(inside, _OPENAI_INPUT) if inside else {}
    if outside:
        known |= _details(outside, _OPENAI_OUTPUT)
    if "cache_write_tokens_details" in inside:  # of what is kept for half an hour, the price is the usual one
        known |= _details(below(inside, "cache_write_tokens_details"), _OPENAI_WRITTEN)
    if "cached_tokens_details" in inside:
        known |= _details(below(inside, "cached_tokens_details"), _OPENAI_CACHED)
    reasoning = known.get(semconv.USAGE_REASONING)
    if reasoning is None:
        reasoning = first(usage, "reasoning_tokens")
    together = first(usage, "total_tokens")
    if reasoning and prompt is not None and output is not None and together == prompt + output + reasoning:
        output += reasoning  # xAI and Gemini's OpenAI face count reasoning beside the answer
    cached = known.get(semconv.USAGE_CACHE_READ)
    if cached is None:
        cached = first(usage, "prompt_cache_hit_tokens", "num_cached_tokens", "cached_tokens")
    told = {
        semconv.USAGE_INPUT_TOKENS: prompt,
        semconv.USAGE_OUTPUT_TOKENS: output,
        semconv.USAGE_CACHE_READ: cached,
        semconv.USAGE_CACHE_CREATION: known.get(semconv.USAGE_CACHE_CREATION),
        semconv.USAGE_REASONING: reasoning,
        **known,
    }
    if _OPENAI_MORE.isdisjoint(usage.keys()):  # most tell no more
        return told
    return {
        **told,
        semconv.USAGE_AUDIO_SECONDS: _seconds(usage.get("seconds", usage.get("prompt_audio_seconds"))),
        semconv.USAGE_WEB_SEARCHES: first(usage, "web_search_calls"),
        semconv.USAGE_FILE_SEARCHES: first(usage, "file_search_calls"),
        **(_made_images(usage["image_generation"]) if usage.get("image_generation") else {}),
        **_told_cost(usage),
    }


def _made_images(images: Figures) -> dict[str, Any]:
    """What the model behind a tool that makes images used: the reply tells it beside, if at all."""
    used = {name: value for name, value in _openai(images).items() if value}
    if seen := first(below(images, "cached_tokens_details"), "cached_image_tokens"):
        used[semconv.USAGE_IMAGE_CACHE_READ] = seen
    if used and images.get("model"):
        return {semconv.USAGE_OTHER_MODELS: [{"model": images["model"], **used}]}
    return {semconv.COST_UNKNOWN_REASON: "a tool made images, and of which model or how much that took is not told"}


def _seconds(value: Any) -> float | None:
    exact = amount(value) if type(value) in (int, float) else None
    return float(exact) if exact else None


def _told_cost(usage: Figures) -> dict[str, Any]:
    """A cost in the reply itself: it is what will be billed, so nothing is worked out beside it."""
    figure = usage.get("cost")
    if isinstance(figure, Mapping):  # Perplexity
        figure = figure.get("total_cost")
    cost = amount(figure) if type(figure) in (int, float) else None
    if cost is not None and usage.get("is_byok") is True:
        # With a key of the user's own, OpenRouter's cost is its fee; the provider bills the rest.
        upstream = amount(below(usage, "cost_details").get("upstream_inference_cost"))
        cost = None if upstream is None else cost + upstream
    ticks = count(usage.get("cost_in_usd_ticks"))
    if cost is None and ticks is not None:  # xAI
        cost = amount(ticks)
        cost = None if cost is None else cost / _TICKS_PER_DOLLAR
    if cost is None:
        return {}
    return {
        semconv.COST_AMOUNT: round(float(cost), 12),
        semconv.COST_CURRENCY: "USD",
        semconv.COST_SOURCE: "provider",
    }


def _anthropic(usage: Figures) -> dict[str, Any]:
    prompt, output = first(usage, "input_tokens"), first(usage, "output_tokens")
    read, written = first(usage, "cache_read_input_tokens"), first(usage, "cache_creation_input_tokens")
    lifetimes = below(usage, "cache_creation")
    short = first(lifetimes, "ephemeral_5m_input_tokens")
    long = first(lifetimes, "ephemeral_1h_input_tokens")
    if written is None:
        written = total(short, long)
    # A compaction is billed, but told in the list of iterations only; so is an advisor, at its own model's price.
    iterations = each(usage.get("iterations"))
    for one in (one for one in iterations if one.get("type") == "compaction"):
        prompt, output = total(prompt, first(one, "input_tokens")), total(output, first(one, "output_tokens"))
        read = total(read, first(one, "cache_read_input_tokens"))
        written = total(written, first(one, "cache_creation_input_tokens"))
        short = total(short, first(below(one, "cache_creation"), "ephemeral_5m_input_tokens"))
        long = total(long, first(below(one, "cache_creation"), "ephemeral_1h_input_tokens"))
    return {
        semconv.USAGE_INPUT_TOKENS: None if prompt is None else total(prompt, read, written),
        semconv.USAGE_OUTPUT_TOKENS: output,
        semconv.USAGE_CACHE_READ: read,
        semconv.USAGE_CACHE_CREATION: written,
        semconv.USAGE_CACHE_CREATION_5M: short,
        semconv.USAGE_CACHE_CREATION_1H: long,
        semconv.USAGE_REASONING: first(below(usage, "output_tokens_details"), "thinking_tokens"),
        semconv.USAGE_WEB_SEARCHES: first(below(usage, "server_tool_use"), "web_search_requests"),
        # A reply in fast mode says "standard" of its tier, and costs a multiple all the same.
        semconv.USAGE_SERVICE_TIER: _word(usage.get("service_tier")) if _word(usage.get("speed")) != "fast" else "fast",
        semconv.USAGE_INFERENCE_GEO: _word(usage.get("inference_geo")),
        semconv.USAGE_OTHER_MODELS: [
            {"model": one["model"], **{name: value for name, value in _anthropic(one).items() if value}}
            for one in iterations
            if one.get("type") == "advisor_message" and isinstance(one.get("model"), str)
        ],
    }


def _word(value: Any) -> str | None:
    return value.lower() if isinstance(value, str) and 0 < len(value) < 64 else None


_MODALITIES = {1: "text", 2: "image", 3: "video", 4: "audio", 5: "document"}


def _gemini(usage: Figures) -> dict[str, Any]:
    prompt, tool_use = _camel(usage, "promptTokenCount"), _camel(usage, "toolUsePromptTokenCount")
    answer, thoughts = _camel(usage, "candidatesTokenCount", "responseTokenCount"), _camel(usage, "thoughtsTokenCount")
    total_input, output = total(prompt, tool_use), answer
    if thoughts and not (total_input is not None and _camel(usage, "totalTokenCount") == total_input + (answer or 0)):
        output = total(answer, thoughts)
    inputs = _modalities(usage, "promptTokensDetails", "promptTokenDetails", "toolUsePromptTokensDetails")
    outputs = _modalities(usage, "candidatesTokensDetails", "responseTokensDetails")
    cached = _modalities(usage, "cacheTokensDetails")
    tier = _word(usage.get("serviceTier", usage.get("service_tier")))
    traffic = _word(usage.get("trafficType", usage.get("traffic_type")))
    return {
        semconv.USAGE_INPUT_TOKENS: total_input,
        semconv.USAGE_OUTPUT_TOKENS: output,
        semconv.USAGE_CACHE_READ: _camel(usage, "cachedContentTokenCount"),
        semconv.USAGE_REASONING: thoughts,
        semconv.USAGE_TOOL_USE: tool_use,
        semconv.USAGE_AUDIO_INPUT: inputs.get("audio"),
        semconv.USAGE_IMAGE_INPUT: inputs.get("image"),
        semconv.USAGE_VIDEO_INPUT: inputs.get("video"),
        semconv.USAGE_AUDIO_OUTPUT: outputs.get("audio"),
        semconv.USAGE_IMAGE_OUTPUT: outputs.get("image"),
        semconv.USAGE_AUDIO_CACHE_READ: cached.get("audio"),
        semconv.USAGE_IMAGE_CACHE_READ: cached.get("image"),
        semconv.USAGE_TEXT_INPUT: inputs.get("text"),
        semconv.USAGE_TEXT_OUTPUT: outputs.get("text"),
        semconv.USAGE_TEXT_CACHE_READ: cached.get("text"),
        semconv.USAGE_WEB_SEARCHES: first(usage, "web_search_calls"),
        semconv.USAGE_SERVICE_TIER: tier or (traffic if traffic != "traffic_type_unspecified" else None),
    }


def _camel(usage: Figures, *names: str) -> int | None:
    """Gemini's names as on the wire, or as its Python client spells them."""
    return first(usage, *names, *("".join(f"_{c.lower()}" if c.isupper() else c for c in name) for name in names))


def _modalities(usage: Figures, *names: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for name in names:
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
        for part in each(usage.get(name) or usage.get(snake)):
            modality = part.get("modality")
            kind = _MODALITIES.get(modality) if type(modality) is int else _word(modality)
            tokens = _camel(part, "tokenCount")
            if kind and tokens is not None:
                sums[kind] = sums.get(kind, 0) + tokens
    return sums


def _converse(usage: Figures) -> dict[str, Any]:
    read = first(usage, "cacheReadInputTokens", "cacheReadInputTokenCount")
    written = first(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount")
    prompt = first(usage, "inputTokens", "inputTokenCount")
    lifetimes: dict[str, int] = {}
    for part in each(usage.get("cacheDetails")):
        if (tokens := first(part, "inputTokens")) is not None:
            lifetimes[str(part.get("ttl"))] = tokens
    return {
        semconv.USAGE_INPUT_TOKENS: None if prompt is None else total(prompt, read, written),
        semconv.USAGE_OUTPUT_TOKENS: first(usage, "outputTokens", "outputTokenCount"),
        semconv.USAGE_CACHE_READ: read,
        semconv.USAGE_CACHE_CREATION: written,
        semconv.USAGE_CACHE_CREATION_5M: lifetimes.get("5m"),
        semconv.USAGE_CACHE_CREATION_1H: lifetimes.get("1h"),
    }


def _invoke(usage: Figures) -> dict[str, Any]:
    """Bedrock's InvokeModel: every family's own form, or the metrics that end a stream."""
    inner = below(usage, "usage", "amazon-bedrock-invocationMetrics", "usageMetadata")
    body = inner or usage
    if "inputTokens" in body or "inputTokenCount" in body:
        return _converse(body)
    if "inputTextTokenCount" in body:  # Titan
        outputs = [first(one, "tokenCount") for one in each(body.get("results"))]
        return {
            semconv.USAGE_INPUT_TOKENS: first(body, "inputTextTokenCount"),
            semconv.USAGE_OUTPUT_TOKENS: total(*outputs) if outputs else first(body, "totalOutputTextTokenCount"),
        }
    if "prompt_token_count" in body:  # Llama
        return {
            semconv.USAGE_INPUT_TOKENS: first(body, "prompt_token_count"),
            semconv.USAGE_OUTPUT_TOKENS: first(body, "generation_token_count"),
        }
    return _openai(body) if "prompt_tokens" in body else _anthropic(body)


def _cohere(usage: Figures) -> dict[str, Any]:
    """Cohere tells tokens and billed units; the conventions want what is billed."""
    billed, used = below(usage, "billed_units"), below(usage, "tokens")
    prompt = total(first(billed, "input_tokens"), first(billed, "image_tokens"))
    prompt = first(used, "input_tokens") if prompt is None else prompt
    output = first(billed, "output_tokens")
    cached = first(usage, "cached_tokens")
    return {
        semconv.USAGE_INPUT_TOKENS: prompt,
        semconv.USAGE_OUTPUT_TOKENS: output if output is not None else first(used, "output_tokens"),
        # Counted in tokens, not in billed units: beyond those it would be more than all of the input.
        semconv.USAGE_CACHE_READ: cached if cached is not None and prompt is not None and cached <= prompt else None,
        semconv.USAGE_IMAGE_INPUT: first(billed, "image_tokens"),
        semconv.USAGE_SEARCH_UNITS: first(billed, "search_units"),
    }


def _ollama(usage: Figures) -> dict[str, Any]:
    return {
        semconv.USAGE_INPUT_TOKENS: first(usage, "prompt_eval_count"),
        semconv.USAGE_OUTPUT_TOKENS: first(usage, "eval_count"),
    }


_SHAPES: dict[str, Callable[[Figures], dict[str, Any]]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "vertex": _gemini,
    "bedrock": _invoke,
    "bedrock.converse": _converse,
    "bedrock.invoke": _invoke,
    "cohere": _cohere,
    "ollama": _ollama,
}
