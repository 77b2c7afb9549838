"""What the public names of :mod:`agentops_sdk.prices` do."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from agentops_sdk._host.guard import UserFunction
from agentops_sdk._snapshot.data_fields import derives
from agentops_sdk._snapshot.snapshot import text_of
from agentops_sdk._usage import user_prices
from agentops_sdk._usage.cost_of_call import Price, cost_of, unknown
from agentops_sdk._usage.counts import LARGEST
from agentops_sdk._usage.user_prices import Callback
from agentops_sdk.errors import AgentOpsError, ConfigError

__all__ = ["Callback", "Price", "alias", "clear", "cost", "load", "set", "set_callback", "update", "warm_tokenizers"]

Number = int | float | str | Decimal


def cost(
    model: str,
    provider: str | None = None,
    *,
    input_tokens: int = 0,
    output_tokens: int = 0,
    cache_read_input_tokens: int = 0,
    cache_creation_input_tokens: int = 0,
    cache_creation_1h_input_tokens: int = 0,
    reasoning_output_tokens: int = 0,
    audio_input_tokens: int = 0,
    audio_output_tokens: int = 0,
    audio_cache_read_input_tokens: int = 0,
    image_input_tokens: int = 0,
    image_output_tokens: int = 0,
    web_searches: int = 0,
    service_tier: str | None = None,
    at: datetime | None = None,
) -> Price:
    """What one call costs; never 0 where it is unknown.

    Args:
        model: as the provider or the request names it; ``models/…``, ``bedrock/…``, ``ft:…`` and dated names work.
        provider: ``openai``, ``anthropic``, ``aws.bedrock`` …; found by the model's name when not given.
        input_tokens: all of the prompt, tokens from or into a cache included.
        output_tokens: all of the answer, reasoning included.
        cache_creation_1h_input_tokens: the part of ``cache_creation_input_tokens`` kept for an hour.
        service_tier: ``batch``, ``flex``, ``priority`` …
        at: the price of that day; today's when not given. Without a zone it is taken as UTC.

    Returns:
        The amount in Decimal with its source and version, or None with the reason: the model has no price,
        a count is not a whole number from 0 on, an argument is no name.
    """
    named_counts = {
        "input_tokens": ("input", input_tokens),
        "output_tokens": ("output", output_tokens),
        "cache_read_input_tokens": ("cache_read", cache_read_input_tokens),
        "cache_creation_input_tokens": ("cache_creation", cache_creation_input_tokens),
        "cache_creation_1h_input_tokens": ("cache_creation_1h", cache_creation_1h_input_tokens),
        "reasoning_output_tokens": ("reasoning", reasoning_output_tokens),
        "audio_input_tokens": ("audio_input", audio_input_tokens),
        "audio_output_tokens": ("audio_output", audio_output_tokens),
        "audio_cache_read_input_tokens": ("audio_cache_read", audio_cache_read_input_tokens),
        "image_input_tokens": ("image_input", image_input_tokens),
        "image_output_tokens": ("image_output", image_output_tokens),
        "web_searches": ("web_searches", web_searches),
    }
    counts: dict[str, int | Decimal] = {}
    for argument, (name, count) in named_counts.items():
        if type(count) is not int or not 0 <= count <= LARGEST:
            return unknown(f"{argument} is not a whole number from 0 to {LARGEST}")
        if count:
            counts[name] = count
    for argument, text in (("model", model), ("provider", provider), ("service_tier", service_tier)):
        if not (text is None and argument != "model") and not (derives(type(text), str) and text_of(text).strip()):
            return unknown(f"{argument} is not a name")
    if at is not None and not derives(type(at), datetime):
        return unknown("at is not a datetime")
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    owner, tier = (text if text is None else text_of(text) for text in (provider, service_tier))
    return cost_of([text_of(model)], owner, counts, tier=tier, at=at)


def set(  # noqa: A001 - reads as prices.set(...)
    model: str,
    *,
    provider: str | None = None,
    per: str = "1M",
    currency: str = "USD",
    version: str = "",
    **rates: Number | None,
) -> None:
    """Set your own price for a model; it takes precedence over published ones.

    Args:
        model: its name, or your deployment's.
        provider: only for this provider; for every one when not given.
        per: how many tokens a rate is for, ``"1"``, ``"1K"`` or ``"1M"``.
        rates: ``input``, ``output``, ``cache_read``, ``cache_creation``, ``cache_creation_1h``,
            ``cache_creation_12h``, ``reasoning``, ``audio_input``, ``audio_output``, ``image_input``,
            ``image_output`` … per token; ``request``, ``web_searches``, ``search_units``, ``file_searches``,
            ``pages`` and ``audio_seconds`` per piece. Text and Decimal stay exact.

    Raises:
        ConfigError: something is no price.
    """
    user_prices.put(model, rates, provider=provider, per=per, currency=currency, version=version)


def alias(name: str, model: str) -> None:
    """Price ``name``, such as an Azure deployment's, as ``model``."""
    user_prices.alias(name, model)


def load(path: str | Path) -> int:
    """Read your prices from a JSON or TOML file, all or, on an error, none of it; returns how many.

    Raises:
        ConfigError: the file cannot be read, or holds something that is no price.
    """
    return user_prices.load(path)


def set_callback(callback: Callback | None) -> None:
    """Ask ``callback(model, provider, counts)`` first: it returns US dollars, a :class:`Price`, or None.

    It runs on the thread that writes spans: keep it short. None as the callback takes it back.
    """
    if callback is not None and not callable(callback):
        raise ConfigError("callback", callback, "a function (model, provider, counts) -> amount")
    user_prices.ask(None if callback is None else _told(callback))


def _told(callback: Callback) -> Callback:
    """The same; what it raises is told as its own error."""

    def asked(model: str, provider: str | None, counts: dict[str, int | Decimal]) -> Any:
        with UserFunction("price"):
            return callback(model, provider, counts)

    return asked


def clear() -> None:
    """Forget every price, alias and callback that was set."""
    user_prices.clear()


def update() -> str:
    """Download the current price table, the only use of the network here; returns its version.

    Raises:
        AgentOpsError: it could not be fetched; the prices at hand stay in use.
    """
    import httpx2
    from genai_prices import UpdatePrices
    from genai_prices.data_snapshot import set_custom_snapshot

    from agentops_sdk._usage.price_table import table_version

    try:
        fetched = UpdatePrices().fetch()
    except (httpx2.HTTPError, ValueError) as error:
        raise AgentOpsError(f"prices not updated: {type(error).__name__}: {error}") from None
    if fetched is not None:
        set_custom_snapshot(fetched)
        user_prices.changed()
    return table_version()


def warm_tokenizers() -> dict[str, Path]:
    """Download the tokenizer files used to count unreported tokens, if missing; returns their paths.

    Uses the network, like ``agentops tokenizers fetch``; nothing else ever fetches an encoding.

    Raises:
        AgentOpsError: one could not be fetched.
    """
    from agentops_sdk._usage.encodings import fetch

    return fetch()
