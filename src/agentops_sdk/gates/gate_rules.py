"""The rules of a gate: a TOML file with tables, or what is sensible where nobody wrote any."""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agentops_sdk.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["DEFAULT", "TABLES", "GateRule", "read_rules", "rules_of"]

TABLES: Final = ("cost", "latency", "tokens", "errors", "scores", "decisions", "unfinished")
_KEYS: Final = ("max", "min", "max_increase", "max_decrease", "confidence", "statistic")
_STATISTICS: Final = {"cost": "mean", "latency": "p50", "tokens": "mean"}
_SHARES: Final = frozenset(("errors", "unfinished", "decisions"))
_PERCENT: Final = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*%\s*")
_STATISTIC: Final = re.compile(r"mean|median|p\d{1,2}(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class GateRule:
    """One table of rules.

    Attributes:
        table: one of :data:`TABLES`.
        of: the score, decision, or decision and choice, that it is about; empty for all of them.
        max: what the candidate may have at most.
        min: what it must have at least.
        max_increase: by how much it may be more than the baseline: a share of it for cost, latency and tokens, an
            amount for shares and scores.
        max_decrease: by how much it may be less, in the same way.
        confidence: how sure one must be that a limit is passed, from 0.5 to 1; without it the figures decide.
        statistic: of cost, latency and tokens: ``mean``, ``median`` or a percentile such as ``p95``.
        written: whether somebody wrote it: what cannot be judged is then no pass.
    """

    table: str
    of: tuple[str, ...] = ()
    max: float | None = None
    min: float | None = None
    max_increase: float | None = None
    max_decrease: float | None = None
    confidence: float | None = None
    statistic: str = ""
    written: bool = True

    @property
    def is_share(self) -> bool:
        """Whether its figure is a share of runs."""
        return self.table in _SHARES


DEFAULT: Final = (
    GateRule("cost", max_increase=0.1, confidence=0.95, statistic="mean", written=False),
    GateRule("latency", max_increase=0.2, confidence=0.95, statistic="p50", written=False),
    GateRule("tokens", max_increase=0.2, confidence=0.95, statistic="mean", written=False),
    GateRule("errors", max_increase=0.0, confidence=0.95, written=False),
    GateRule("scores", max_decrease=0.0, confidence=0.95, written=False),
    GateRule("decisions", max_increase=0.1, confidence=0.95, written=False),
    GateRule("unfinished", max_increase=0.0, confidence=0.95, written=False),
)
"""Without rules: nothing may get surely worse, cost by more than a tenth, latency and tokens by more than a fifth."""


def read_rules(path: str | Path) -> tuple[GateRule, ...]:
    """The rules of a file.

    Raises:
        ConfigError: it cannot be read, or something in it cannot work; the line and the key are named.
    """
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError("rules", str(path), f"a TOML file that can be read ({type(error).__name__})") from None
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError("rules", str(path), f"a TOML file: {error}") from None
    return rules_of(document, str(path), text)


def rules_of(document: Mapping[str, Any], name: str = "rules", text: str = "") -> tuple[GateRule, ...]:
    """The rules of tables.

    Args:
        document: by the names of :data:`TABLES`.
        name: of the file, for errors.
        text: of the file, in which the line of an error is found.

    Raises:
        ConfigError: something cannot work.
    """
    rules: list[GateRule] = []
    for table, content in document.items():
        where = _Where(name, text, table)
        if table not in TABLES:
            raise where.error("", content, f"one of the tables {', '.join(f'[{each}]' for each in TABLES)}")
        if not isinstance(content, dict):
            raise where.error("", content, f"a table [{table}]")
        rules += _of_table(where, table, content, ())
    if not rules:
        raise ConfigError("rules", name, "at least one rule, such as [cost] max_increase = 0.1")
    return tuple(rules)


class _Where:
    """A table of a file, to say where something is wrong."""

    def __init__(self, name: str, text: str, table: str) -> None:
        self._name, self._lines, self._table = name, text.splitlines(), table

    def error(self, key: str, value: Any, expected: str, of: tuple[str, ...] = ()) -> ConfigError:
        parts = ".".join((self._table, *of))
        return ConfigError(f"{self._name}{self._line(key, of)}: [{parts}]{f' {key}' if key else ''}", value, expected)

    def _line(self, key: str, of: tuple[str, ...]) -> str:
        parts = (self._table, *of)
        heading = re.compile(r"\s*\[\s*" + r"\s*\.\s*".join(_quotable(part) for part in parts) + r"\s*\]")
        inside = False
        dotted = re.compile(
            r"\s*" + r"\s*\.\s*".join(_quotable(part) for part in (*parts, *filter(None, [key]))) + r"\b"
        )
        for number, line in enumerate(self._lines, 1):
            if dotted.match(line):
                return f", line {number}"
            if line.lstrip().startswith("["):
                inside = bool(heading.match(line))
                if inside and not key:
                    return f", line {number}"
            elif inside and re.match(rf"\s*{_quotable(key)}\s*=", line):
                return f", line {number}"
        return ""


def _quotable(part: str) -> str:
    return rf"[\"']?{re.escape(part)}[\"']?"


def _of_table(where: _Where, table: str, content: Mapping[str, Any], of: tuple[str, ...]) -> Iterator[GateRule]:
    deepest = {"scores": 1, "decisions": 2}.get(table, 0)
    own: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, dict) and len(of) < deepest:
            yield from _of_table(where, table, value, (*of, key))
        elif key in _KEYS:
            own[key] = _checked(where, table, key, value, of)
        else:
            more = "" if len(of) == deepest else ", or a table of one " + ("score" if table == "scores" else "decision")
            raise where.error(key, value, f"one of the keys {', '.join(_KEYS)}{more}", of)
    if not own.keys() & {"max", "min", "max_increase", "max_decrease"}:
        if own:
            key = next(iter(own))
            raise where.error(key, content[key], "a limit beside it: max, min, max_increase or max_decrease", of)
        if not content:
            raise where.error("", content, "a limit: max, min, max_increase or max_decrease", of)
        return
    if own.get("min") is not None and own.get("max") is not None and own["min"] > own["max"]:
        raise where.error("min", own["min"], f"at most max, which is {own['max']:g}", of)
    own.setdefault("statistic", _STATISTICS.get(table, ""))
    yield GateRule(table, of, **own)


def _checked(where: _Where, table: str, key: str, value: Any, of: tuple[str, ...]) -> Any:
    if key == "statistic":
        if table not in _STATISTICS:
            raise where.error(key, value, f"no such key here: it is for {', '.join(_STATISTICS)}", of)
        if not isinstance(value, str) or not _STATISTIC.fullmatch(value):
            raise where.error(key, value, "mean, median, or a percentile such as p95", of)
        return "p50" if value == "median" else value
    number = value
    relative = key.startswith("max_") or table in _SHARES or key == "confidence"
    if isinstance(value, str) and relative and (match := _PERCENT.fullmatch(value)):
        number = float(match[1]) / 100
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
        raise where.error(key, value, 'a number, or a share such as "10 %"' if relative else "a number", of)
    if key == "confidence" and not 0.5 <= number < 1:
        raise where.error(key, value, "a number from 0.5 to below 1, such as 0.95", of)
    if key.startswith("max_") and number < 0:
        raise where.error(key, value, "a number of at least 0", of)
    if table in _SHARES and key in ("max", "min") and not 0 <= number <= 1:
        raise where.error(key, value, "a share from 0 to 1", of)
    if table != "scores" and key in ("max", "min") and number < 0:
        raise where.error(key, value, "a number of at least 0", of)
    return float(number)
