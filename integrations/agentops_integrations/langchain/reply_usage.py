"""What a reply cost in tokens: LangChain's own figures, and the provider's beside them where they came along.

LangChain's ``usage_metadata`` is the same for every provider and says little: no searches, no tier, no
place. Whole replies often carry the provider's own usage object as well, which then decides. Consumer thread.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from agentops_sdk.integration import semconv, usage_attributes

Json = Mapping[str, Any]

_RAW = ("usage", "token_usage", "usage_metadata", "amazon-bedrock-invocationMetrics")
_SHAPES = (
    # The first row with a name that the object has decides.
    ("openai.chat", ("prompt_tokens", "completion_tokens")),
    ("anthropic.messages", ("cache_creation_input_tokens", "server_tool_use")),
    ("openai.responses", ("input_tokens_details",)),
    ("bedrock.converse", ("inputTokens", "inputTokenCount")),
    ("gemini.generate", ("promptTokenCount", "candidatesTokenCount", "prompt_token_count")),
    ("ollama", ("prompt_eval_count", "eval_count")),
    ("cohere.chat", ("billed_units",)),
)
_WORDS = (semconv.USAGE_SERVICE_TIER, semconv.USAGE_INFERENCE_GEO, semconv.OPENAI_RESPONSE_SERVICE_TIER)
_OPENAI = ("openai", "azure.ai.openai")
_TOTALS = (semconv.USAGE_INPUT_TOKENS, semconv.USAGE_OUTPUT_TOKENS)


def usage(
    generation: Json, message: Any, output: Any, provider: Any, *, streamed: bool, lifetimes: frozenset[str]
) -> dict[str, Any]:
    """Usage attributes of one reply.

    Args:
        generation: the snapshot of LangChain's generation.
        message: its message; a text, for a completion model.
        output: the result's ``llm_output``.
        provider: ``gen_ai.provider.name``.
        streamed: the reply was put together from pieces: LangChain adds up numbers that are in several of them.
        lifetimes: what :func:`lifetimes_asked` found in the request.
    """
    places = [each for each in (_metadata(message), generation.get("generation_info"), output)
              if isinstance(each, Mapping)]  # fmt: skip
    normal = normalised(message.get("usage_metadata") if isinstance(message, Mapping) else None)
    if not normal:
        info = generation.get("generation_info")
        normal = normalised(info.get("usage_metadata") if isinstance(info, Mapping) else None)
    if not any(normal.values()):
        normal = {}  # a prompt has tokens: who says 0 throughout has counted nothing
    raw = next((figures for source in places if (figures := _raw(source, provider))), {})
    more = {name: raw[name] for name in _WORDS if name in raw} | _words(places, provider) | _cost(places, provider)
    if not raw or (streamed and normal and any(raw.get(name) != normal.get(name) for name in _TOTALS)):
        searches = _searches(message)
        attributes = {**normal, **more, **({semconv.USAGE_WEB_SEARCHES: searches} if searches else {})}
    else:
        attributes = {**normal, **raw, **more}
    return attributes | _lifetime(attributes, lifetimes)


def lifetimes_asked(messages: Any, tools: Any) -> frozenset[str]:
    """How long a request wants what it marks to be cached: ``5m``, ``1h``. Read on the caller's thread."""
    lifetimes: set[str] = set()
    for each in [*(messages if isinstance(messages, list) else ()), *(tools if isinstance(tools, list) else ())]:
        own = each if type(each) is dict else getattr(each, "__dict__", {})
        content = own.get("content")
        for block in [own, *(content if type(content) is list else ())]:
            mark = block.get("cache_control") if type(block) is dict else None
            if type(mark) is dict:
                ttl = mark.get("ttl", "5m")
                lifetimes.add(ttl if type(ttl) is str else "5m")
    return frozenset(lifetimes)


def _lifetime(attributes: Json, asked: frozenset[str]) -> dict[str, Any]:
    """The lifetime of what was written to a cache, where the reply does not say and the request does."""
    written = attributes.get(semconv.USAGE_CACHE_CREATION)
    if not written or "1h" not in asked or semconv.USAGE_CACHE_CREATION_1H in attributes:
        return {}
    if semconv.USAGE_CACHE_CREATION_5M in attributes:
        return {}
    if asked == {"1h"}:
        return {semconv.USAGE_CACHE_CREATION_1H: written}
    return {semconv.COST_UNKNOWN_REASON: "the reply does not say how much of what it cached lives for an hour"}


def normalised(figures: Any) -> dict[str, Any]:
    """LangChain's ``usage_metadata``; what was told beside the totals instead of in them is put in."""
    if not isinstance(figures, Mapping):
        return {}
    inside, outside = figures.get("input_token_details") or {}, figures.get("output_token_details") or {}
    tier = next((name for name in ("priority", "flex") if name in inside or name in outside), None)
    short, long = _count(inside, "ephemeral_5m_input_tokens"), _count(inside, "ephemeral_1h_input_tokens")
    read = _count(inside, "cache_read", tier)
    # With lifetimes told, LangChain leaves the count of all of them at nothing.
    written = max(_count(inside, "cache_creation", tier) or 0, (short or 0) + (long or 0))
    reasoning = _count(outside, "reasoning", tier)
    prompt, output = _count(figures, "input_tokens"), _count(figures, "output_tokens")
    beside = _beside(prompt, output, _count(figures, "total_tokens"), read, written, reasoning)
    counts = {
        semconv.USAGE_INPUT_TOKENS: None if prompt is None else prompt + beside[0] + beside[1],
        semconv.USAGE_OUTPUT_TOKENS: None if output is None else output + beside[2],
        semconv.USAGE_CACHE_READ: read,
        semconv.USAGE_CACHE_CREATION: written or _count(inside, "cache_creation", tier),
        semconv.USAGE_CACHE_CREATION_5M: short or None,
        semconv.USAGE_CACHE_CREATION_1H: long or None,
        semconv.USAGE_REASONING: reasoning,
        semconv.USAGE_AUDIO_INPUT: _count(inside, "audio") or None,
        semconv.USAGE_AUDIO_OUTPUT: _count(outside, "audio") or None,
        semconv.USAGE_SERVICE_TIER: tier,
    }
    return {name: value for name, value in counts.items() if value is not None}


def _beside(
    prompt: int | None, output: int | None, total: int | None, read: int | None, written: int, reasoning: int | None
) -> tuple[int, int, int]:
    """How much of what was read from a cache, written to one and thought the total shows to be beside the others."""
    parts = (read or 0, written, reasoning or 0)
    if prompt is None or output is None:
        return 0, 0, 0
    missing = total - prompt - output if total is not None else 0
    choices = sorted(itertools.product((0, 1), repeat=3), key=sum)
    for choice in choices:
        if missing > 0 and sum(itertools.compress(parts, choice)) == missing:
            return tuple(part if chosen else 0 for part, chosen in zip(parts, choice, strict=True))  # type: ignore[return-value]  # as long as ``parts``
    # Without a total that says so: what is cached cannot be more than all that was given.
    return (parts[0], parts[1], 0) if parts[0] + parts[1] > prompt else (0, 0, 0)


def _count(figures: Json, name: str, tier: str | None = None) -> int | None:
    value = figures.get(name)
    if value is None and tier is not None:  # of another tier than the standard one, names begin with it
        value = figures.get(f"{tier}_{name}")
    return value if type(value) is int and value >= 0 else None


def _metadata(message: Any) -> Any:
    return message.get("response_metadata") if isinstance(message, Mapping) else None


def _raw(source: Json, provider: Any) -> dict[str, Any]:
    """What the provider's own usage object tells, if there is one; normalised figures are not taken for one."""
    for figures in [*(source.get(name) for name in _RAW), source]:
        if isinstance(figures, Mapping) and (shape := _shape(figures, provider)):
            attributes = usage_attributes(shape, _repaired(figures))
            if semconv.USAGE_INPUT_TOKENS in attributes or semconv.USAGE_OUTPUT_TOKENS in attributes:
                return attributes
    return {}


def _shape(figures: Json, provider: Any) -> str | None:
    for shape, names in _SHAPES:
        if any(name in figures for name in names):
            return shape
    if "input_tokens" in figures and "input_token_details" not in figures and "total_tokens" not in figures:
        return "anthropic.messages" if str(provider).startswith("anthropic") else "openai.responses"
    return None


def _repaired(figures: Json) -> Json:
    """OpenAI's form with Anthropic's counts of a cache at the top, as gateways and Bedrock's headers tell them."""
    read = _count(figures, "cache_read_input_tokens")
    written = _count(figures, "cache_creation_input_tokens")
    written = _count(figures, "cache_write_input_tokens") if written is None else written
    prompt, output = _count(figures, "prompt_tokens"), _count(figures, "completion_tokens")
    if prompt is None or (not read and not written):
        return figures
    more = _beside(prompt, output or 0, _count(figures, "total_tokens"), read, written or 0, None)
    inside = figures.get("prompt_tokens_details")
    return {
        **figures,
        "prompt_tokens": prompt + more[0] + more[1],
        "prompt_tokens_details": {
            **(inside if isinstance(inside, Mapping) else {}),
            "cached_tokens": read,
            "cache_write_tokens": written,
        },
    }


def _cost(places: list[Json], provider: Any) -> dict[str, Any]:
    """OpenRouter's cost, which LangChain tells beside the usage."""
    for source in places if provider == "openrouter" else ():
        if "cost" in source:
            details = source.get("cost_details")
            details = details if isinstance(details, Mapping) else {}
            byok = bool(details.get("upstream_inference_cost"))
            return usage_attributes("openai", {"cost": source["cost"], "cost_details": details, "is_byok": byok})
    return {}


def _words(places: list[Json], provider: Any) -> dict[str, Any]:
    """The tier that answered, where it is told outside of the usage object."""
    for source in places:
        tier = source.get("service_tier") or source.get("serviceTier")
        tier = tier.get("type") if isinstance(tier, Mapping) else tier
        performance = source.get("performanceConfig")
        if isinstance(performance, Mapping) and performance.get("latency") == "optimized":
            tier = "optimized latency"
        if isinstance(tier, str) and 0 < len(tier) < 64:
            openai = provider in _OPENAI
            return {semconv.OPENAI_RESPONSE_SERVICE_TIER if openai else semconv.USAGE_SERVICE_TIER: tier.lower()}
    return {}


def _searches(message: Any) -> int:
    """Anthropic's searches, counted in the reply itself: streams tell their results, not how many there were."""
    content = message.get("content") if isinstance(message, Mapping) else None
    return sum(
        # One that failed has an object in place of a list, and is not billed.
        block.get("type") == "web_search_tool_result" and isinstance(block.get("content"), list)
        for block in (content if isinstance(content, list) else ())
        if isinstance(block, Mapping)
    )
