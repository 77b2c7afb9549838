"""Tokens and prices under names that no vocabulary has, by what those say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from agentops_sdk import semconv
from agentops_sdk.traces.formats.vocabularies import Row, count, price

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["unnamed_figures"]

_UNIT_NAMES: Final = re.compile(r"([a-z0-9])([A-Z])")
_USED: Final = re.compile(
    r"(?:^|[._])(?:(?P<input>prompt|input)|completion|output|candidates)[._]?tokens?(?:[._]?counts?)?$", re.IGNORECASE
)
"""A name of tokens in a vocabulary that nobody knows."""
_NOT_USED: Final = re.compile(
    r"max|limit|budget|window|cache|reason|audio|image|predict|detail|aggreg|remain|saved|avg|mean|price|cost|gen_ai\.",
    re.IGNORECASE,
)
_COST: Final = re.compile(
    r"(?:^|[._])(?:total|response|request|estimated|calculated|token|llm)?[._]?costs?"
    r"(?:[._](?:details|total|amount|estimated?|value|total_cost))?(?:[._](?:usd|dollars?))?$",
    re.IGNORECASE,
)
"""A name of what a call has cost in a vocabulary that nobody knows."""
_NO_COST: Final = re.compile(
    r"max|limit|budget|remain|saved|cache|per[._]|avg|mean|aggreg|cumul|accum|running|session|conversation|user|trace|"
    r"day|daily|month|input|output|prompt|completion|audio|image|reason|tool",
    re.IGNORECASE,
)


def unnamed_figures(names: Iterable[str]) -> list[tuple[Row, str]]:
    """The rows that read such figures, each with the attribute that it reads."""
    rows = []
    for name in names:
        spelled = _UNIT_NAMES.sub(r"\1_\2", name)
        match = _USED.search(spelled)
        if match is not None and not _NOT_USED.search(spelled):
            rows.append(
                (Row(semconv.USAGE_INPUT_TOKENS if match["input"] else semconv.USAGE_OUTPUT_TOKENS, name, count), name)
            )
        elif match is None and _COST.search(spelled) and not _NO_COST.search(spelled):
            rows.append((Row(semconv.COST_AMOUNT, name, price), name))
    return rows
