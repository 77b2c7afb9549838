"""Functions that find personal data by other means: the user's own, and Presidio's, loaded when one is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agentops_sdk.errors import ConfigError

__all__ = ["function_of"]


def function_of(entry: Any, replacement: Callable[[str, str], str]) -> Callable[[str], str]:
    """A function from text to text: ``entry`` itself, or one that asks an ``AnalyzerEngine``.

    Args:
        entry: ``"presidio"``, an engine, or a function.
        replacement: what takes the place of a finding, from its kind and its text.

    Raises:
        ConfigError: Presidio is asked for by name and is not installed.
    """
    if isinstance(entry, str):
        import importlib.util

        if importlib.util.find_spec("presidio_analyzer") is None:
            raise ConfigError("pii", entry, 'Presidio to be installed: pip install "presidio-analyzer"')
        return _by_engine(_Engine(), replacement)
    if callable(getattr(entry, "analyze", None)):
        return _by_engine(entry, replacement)
    function: Callable[[str], str] = entry
    return function


class _Engine:
    """Presidio's own engine with its usual model, made at the first text, on the thread that asks it."""

    _made: Any = None

    def analyze(self, *, text: str, language: str) -> Any:
        if self._made is None:
            from presidio_analyzer import AnalyzerEngine  # type: ignore[import-not-found,unused-ignore]  # installed where it is asked for

            self._made = AnalyzerEngine()
        return self._made.analyze(text=text, language=language)


def _by_engine(engine: Any, replacement: Callable[[str, str], str]) -> Callable[[str], str]:
    languages = getattr(engine, "supported_languages", None) or ["en"]

    def scrub(text: str) -> str:
        if not any(letter.isalnum() for letter in text):
            return text
        results = [result for language in languages for result in engine.analyze(text=text, language=language)]
        shown: list[str] = []
        position = 0
        for result in sorted(results, key=lambda result: (result.start, -result.end)):
            if result.start >= position:
                found = text[result.start : result.end]
                shown += text[position : result.start], replacement(str(result.entity_type).lower(), found)
            position = max(position, result.end)  # of two that overlap, the rest of the second goes with the first
        return "".join((*shown, text[position:]))

    return scrub
