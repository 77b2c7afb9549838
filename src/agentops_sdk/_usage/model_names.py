"""The names a model goes by, and what a name tells of who serves it: gateways, clouds and clients each have a form."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

Spelling = tuple[str, str | None]
"""A model's name, and the price table's id of whoever serves it under that name, if that is known."""


@functools.cache
def overlay() -> Mapping[str, Any]:
    """The data file beside this module."""
    text = resources.files("agentops_sdk._usage").joinpath("overlay.json").read_text("utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def provider_id(name: str | None) -> str | None:
    """The table's id of a ``gen_ai.provider.name``."""
    if not name:
        return None
    lower = name.lower()
    known: str = overlay()["providers"].get(lower, lower)
    return known


@functools.cache
def _routes() -> tuple[tuple[re.Pattern[str], str, bool], ...]:
    rows = overlay()["routes"]
    return tuple((re.compile(row["name"], re.IGNORECASE), row["provider"], row.get("bare", False)) for row in rows)


def route(name: str, provider: str | None = None) -> Spelling | None:
    """The model without its way there, and who sells it, where the form of a name tells.

    A name with a way there, such as ``bedrock/…``, tells it beside a gateway too, and beside ``openai``, which is
    what every server that speaks OpenAI's protocol is taken for. A bare name tells it where nothing else does.
    """
    through = provider is None or provider in overlay()["gateways"] or provider in overlay()["anybody"]
    for pattern, owner, bare in _routes():
        if (provider in (None, owner) or (through and not bare)) and (match := pattern.fullmatch(name)):
            return match.groupdict().get("model") or name, owner
    return None


@functools.lru_cache(1_000)  # a program asks few models; what they may be called stands in a file
def spellings(model: str, provider: str | None) -> tuple[Spelling, ...]:
    """The forms under which a model may be known, most literal first, each with its provider.

    A name that tells its provider is never looked up as anybody else's, unless that one was given.
    """
    return tuple(dict.fromkeys(_forms(model, provider)))


def _forms(name: str, provider: str | None) -> Iterator[Spelling]:
    routed = route(name, provider)
    if provider is None and routed is not None:
        provider = routed[1]
    yield from _variants(name, provider)
    if routed is not None:
        yield from _variants(*routed)
    for prefix in overlay()["name_prefixes"]:
        if name.startswith(prefix):
            yield from _forms(name[len(prefix) :], provider)
    head, mark, rest = _parted(name)
    owner = provider_id(head)
    if mark and (provider is None or provider in overlay()["gateways"]):
        yield from _variants(rest, owner)
    elif mark and owner == provider:
        yield from _forms(rest, provider)


def _parted(name: str) -> tuple[str, str, str]:
    """``provider/model``, or ``provider:model`` where the part before the colon is a provider's and no model's."""
    head, slash, rest = name.partition("/")
    before, colon, after = name.partition(":")
    if colon and "/" not in before and before.lower() in overlay()["named_with_colon"]:
        return before, colon, after
    return head, slash, rest


def _variants(name: str, provider: str | None) -> Iterator[Spelling]:
    yield name, provider
    for row in overlay()["variants"]:
        if provider in row["providers"] and (other := re.sub(row["name"], row["instead"], name)) != name:
            yield other, provider
