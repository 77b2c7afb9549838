"""Exact arithmetic: token counts times rates, in Decimal, refused where a count has no known rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from typing import Any

from agentops_sdk import semconv

# A context of our own: the program's may round, trap or be narrower.
EXACT = Context(prec=50)

COUNTS = {
    "input": semconv.USAGE_INPUT_TOKENS,
    "output": semconv.USAGE_OUTPUT_TOKENS,
    "cache_read": semconv.USAGE_CACHE_READ,
    "cache_creation": semconv.USAGE_CACHE_CREATION,
    "cache_creation_1h": semconv.USAGE_CACHE_CREATION_1H,
    "cache_creation_12h": semconv.USAGE_CACHE_CREATION_12H,
    "reasoning": semconv.USAGE_REASONING,
    "audio_input": semconv.USAGE_AUDIO_INPUT,
    "audio_output": semconv.USAGE_AUDIO_OUTPUT,
    "audio_cache_read": semconv.USAGE_AUDIO_CACHE_READ,
    "image_input": semconv.USAGE_IMAGE_INPUT,
    "image_output": semconv.USAGE_IMAGE_OUTPUT,
    "image_cache_read": semconv.USAGE_IMAGE_CACHE_READ,
    "video_input": semconv.USAGE_VIDEO_INPUT,
    "audio_seconds": semconv.USAGE_AUDIO_SECONDS,
    "web_searches": semconv.USAGE_WEB_SEARCHES,
    "search_units": semconv.USAGE_SEARCH_UNITS,
    "file_searches": semconv.USAGE_FILE_SEARCHES,
    "pages": semconv.USAGE_PAGES,
    "annotated_pages": semconv.USAGE_ANNOTATED_PAGES,
    "characters": semconv.USAGE_CHARACTERS,
}
"""What can be priced, by its short name, and the attribute that counts it."""

RATES = (*COUNTS, "request")
"""What a price can be set for; ``request`` is added once per call."""

_WHOLE = {
    "cache_read": "input",
    "cache_creation": "input",
    "cache_creation_1h": "cache_creation",
    "cache_creation_12h": "cache_creation",
    "audio_input": "input",
    "image_input": "input",
    "video_input": "input",
    "audio_cache_read": "cache_read",
    "image_cache_read": "cache_read",
    "annotated_pages": "pages",
    "reasoning": "output",
    "audio_output": "output",
    "image_output": "output",
}
"""Each part of a whole, and the whole that it is counted in."""
_PLAIN_ORDER = ("input", "output")
_PLAIN = set(_PLAIN_ORDER)


class NoPriceError(Exception):
    """Something was used whose price is not known; the text says what, for ``agentops.cost.unknown_reason``."""


@dataclass(frozen=True)
class Rates:
    """What one model costs: ``values`` per single token, second, search, page or request."""

    values: Mapping[str, Decimal]
    currency: str = "USD"
    source: str = ""
    version: str = ""
    once: frozenset[str] = frozenset()
    """What costs once a call, however often it was used."""

    adopted: Mapping[str, Any] = field(default_factory=dict)
    """Rules applied on top, for the record: their source and date."""


def check(counts: Mapping[str, int | Decimal]) -> None:
    """Refuse counts that contradict each other: a part cannot be more than its whole."""
    for part, whole in _WHOLE.items() if not _WHOLE.keys().isdisjoint(counts) else ():
        if counts.get(part, 0) > counts.get(whole, 0):
            raise NoPriceError(f"{_say(part)} ({counts[part]}) exceed {_say(whole)} ({counts.get(whole, 0)})")
    if counts.get("cache_read", 0) + counts.get("cache_creation", 0) > counts.get("input", 0):
        raise NoPriceError(f"cached tokens exceed input tokens ({counts.get('input', 0)})")


def breakdown(rates: Rates, counts: Mapping[str, int | Decimal]) -> dict[str, Decimal]:
    """The amount per kind of use. Each token is priced once, at the rate of its most special kind.

    Raises:
        NoPriceError: the counts contradict each other, or something used has no rate.
    """
    if counts.keys() <= _PLAIN and min(counts.values(), default=0) >= 0:
        return _plain(rates, counts)  # most calls: nothing is a part of anything
    check(counts)
    with localcontext(EXACT):
        have = {name: Decimal(count) for name, count in counts.items()}
        uses = _parts(rates.values, _spoken(rates.values, have) if "characters" in have else have)
        priced: dict[str, Decimal] = {}
        for name, (used, rate_name) in uses.items():
            if not used:
                continue
            if name in rates.once:
                used = min(used, Decimal(1))
            rate = rates.values.get(rate_name)
            if rate is None:
                raise NoPriceError(f"no price for {_say(name)}")
            priced[name] = used * rate
        if rates.values.get("request"):
            priced["request"] = rates.values["request"]
        return priced


def _plain(rates: Rates, counts: Mapping[str, int | Decimal]) -> dict[str, Decimal]:
    """The same where the whole input, and the whole output, costs what a token of it costs."""
    values, priced = rates.values, dict[str, Decimal]()
    for name in _PLAIN_ORDER:
        if used := counts.get(name):
            if (rate := values.get(name)) is None:
                raise NoPriceError(f"no price for {_say(name)}")
            priced[name] = EXACT.multiply(min(used, 1) if name in rates.once else used, rate)
    if fee := values.get("request"):
        priced["request"] = fee
    return priced


def _spoken(values: Mapping[str, Decimal], counts: dict[str, Decimal]) -> dict[str, Decimal]:
    """What is billed of speech: the characters of its text, or the tokens of both; never all of it."""
    if "characters" in values:
        return {"characters": counts["characters"]}
    return {name: count for name, count in counts.items() if name != "characters"} or counts


def _parts(values: Mapping[str, Decimal], counts: Mapping[str, Decimal]) -> dict[str, tuple[Decimal, str]]:
    """Disjoint parts of what was used: the count of each and the name of its rate."""
    zero = Decimal(0)
    have = defaultdict(Decimal, counts).__getitem__
    one_hour, half_a_day, written = have("cache_creation_1h"), have("cache_creation_12h"), have("cache_creation")
    heard_from_cache, seen_from_cache = have("audio_cache_read"), have("image_cache_read")
    heard = have("audio_input") - heard_from_cache
    # Pictures and video cost what text costs where a price page names no rate of their own.
    seen = have("image_input") - seen_from_cache if "image_input" in values else zero
    if "image_cache_read" not in values:
        seen_from_cache = zero
    watched = have("video_input") if "video_input" in values else zero
    drawn, thought = have("image_output"), have("reasoning") if "reasoning" in values else zero
    read = have("cache_read") - heard_from_cache - seen_from_cache
    spoken = have("audio_output")
    plain_input = have("input") - have("cache_read") - written - heard - seen - watched
    plain_output = have("output") - spoken - drawn - thought
    if plain_input < 0 or plain_output < 0:
        raise NoPriceError("the reported parts exceed the whole")
    short_lived = written - one_hour - half_a_day
    return {
        "input": (plain_input, "input"),
        # Without a rate of its own a cached token is an input token like any other.
        "cache_read": (read, "cache_read" if "cache_read" in values else "input"),
        "cache_creation": (short_lived, "cache_creation" if "cache_creation" in values else "input"),
        "cache_creation_1h": (one_hour, "cache_creation_1h"),
        "cache_creation_12h": (half_a_day, "cache_creation_12h"),
        "audio_input": (heard, "audio_input"),
        "audio_cache_read": (heard_from_cache, "audio_cache_read"),
        "image_input": (seen, "image_input"),
        "image_cache_read": (seen_from_cache, "image_cache_read"),
        "video_input": (watched, "video_input"),
        "output": (plain_output, "output"),
        "reasoning": (thought, "reasoning"),
        "audio_output": (spoken, "audio_output"),
        "image_output": (drawn, "image_output"),
        "audio_seconds": (have("audio_seconds"), "audio_seconds"),
        "web_searches": (have("web_searches"), "web_searches"),
        "search_units": (have("search_units"), "search_units"),
        "file_searches": (have("file_searches"), "file_searches"),
        "pages": (have("pages") - have("annotated_pages"), "pages"),
        "annotated_pages": (have("annotated_pages"), "annotated_pages"),
        "characters": (have("characters"), "characters"),
    }


def _say(name: str) -> str:
    words = {
        "cache_creation_1h": "tokens cached for one hour",
        "cache_creation_12h": "tokens cached for twelve hours",
        "cache_read": "cache read tokens",
        "cache_creation": "cache creation tokens",
        "audio_seconds": "seconds of audio",
        "web_searches": "web searches",
        "search_units": "search units",
        "file_searches": "file searches",
        "pages": "pages",
        "annotated_pages": "annotated pages",
        "characters": "characters",
        "request": "requests",
    }
    return words.get(name, f"{name.replace('_', ' ')} tokens")
