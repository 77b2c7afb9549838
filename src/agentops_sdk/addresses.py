"""Addresses as they may be shown: without what people put into them to be let in."""

from __future__ import annotations

import re

from agentops_sdk._lazy_pattern import lazy_pattern

__all__ = ["sink_parts", "without_secrets"]

_USER = lazy_pattern(r"//[^/?#\s'\"]*@|(?<![\w/@])[\w.%+~-]+:[^\s/@'\":]+@(?=[\w\[])")
_QUERY = lazy_pattern(r"(://[^\s?'\"<>]*)\?([^\s'\"<>]*[^\s'\"<>:,;.)])")
# What backends quote: a path and its query.
_LONE_QUERY = lazy_pattern(r"(?<=[\w/])()\?([^\s'\"<>=]*=(?:[^\s'\"<>]*[^\s'\"<>:,;.)])?)")
_FRAGMENT = lazy_pattern(r"(://[^\s'\"<>#]*)#[^\s'\"<>]+")
_PAIR = lazy_pattern(r"([&;]?)([^&;=]*)(=?)[^&;]*")


def without_secrets(text: str) -> str:
    """A text whose addresses show no user, password, fragment, or value of a query."""
    if "@" in text:
        text = _USER.sub(lambda match: "//…@" if match[0].startswith("//") else "…@", text)
    if "?" in text:
        text = _LONE_QUERY.sub(_query, _QUERY.sub(_query, text))
    return _FRAGMENT.sub(r"\1#…", text) if "#" in text else text


def _query(match: re.Match[str]) -> str:
    return f"{match[1]}?{_PAIR.sub(_pair, match[2])}"


def _pair(match: re.Match[str]) -> str:
    separator, name, sign = match.groups()
    return f"{separator}{name}=…" if sign else f"{separator}…" if name else separator


def sink_parts(sink: str) -> tuple[str, tuple[str, ...], str | None]:
    """The parts of a sink's text, ``otlp+openinference:http://host:6006``: its name, vocabularies, and argument."""
    whole, _, argument = sink.partition(":")
    name, *vocabularies = whole.split("+")
    return name, tuple(vocabularies), argument or None
