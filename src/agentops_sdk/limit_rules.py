"""What may be limited, and how a limit is written: ``cost=5.0``, or as text ``"5 usd / user / day"``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from agentops_sdk.errors import ConfigError

MEASURES: Final = ("cost", "tokens", "model_calls", "tool_calls", "depth", "seconds", "repeats")
METERED: Final = ("cost", "tokens")
"""Of these, what a call uses is known when it has ended; of the others, as it begins."""
KEYS: Final = ("block", "run", "session", "user", "agent", "process")
"""What is counted together: the block itself, a trace, a session, a user, an agent, or all that the process does."""

_UNITS = {
    "$": ("cost", "USD"), "dollar": ("cost", "USD"), "token": ("tokens", ""), "model call": ("model_calls", ""),
    "llm call": ("model_calls", ""), "tool call": ("tool_calls", ""), "second": ("seconds", ""),
    "repeat": ("repeats", ""), "agents deep": ("depth", ""),
}  # fmt: skip
_WINDOWS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0, "week": 604_800.0, "month": 2_592_000.0}
_AMOUNT = re.compile(r"(?P<sign>\$?)\s*(?P<number>\d[\d_]*(?:\.\d+)?)\s*(?P<unit>.*)")
_WINDOW = re.compile(r"(?P<times>\d+(?:\.\d+)?)?\s*(?P<unit>[a-z]+?)s?")
_ONE_TOOL = re.compile(r"calls? of (?P<tool>\S.*)")
_CURRENCY = re.compile(
    "aed|afn|all|amd|aoa|ars|aud|awg|azn|bam|bbd|bdt|bhd|bif|bmd|bnd|bob|brl|bsd|btn|bwp|byn|bzd|cad|cdf|chf|clp|"
    "cny|cop|crc|cup|cve|czk|djf|dkk|dop|dzd|egp|ern|etb|eur|fjd|fkp|gbp|gel|ghs|gip|gmd|gnf|gtq|gyd|hkd|hnl|htg|"
    "huf|idr|ils|inr|iqd|irr|isk|jmd|jod|jpy|kes|kgs|khr|kmf|kpw|krw|kwd|kyd|kzt|lak|lbp|lkr|lrd|lsl|lyd|mad|mdl|"
    "mga|mkd|mmk|mnt|mop|mru|mur|mvr|mwk|mxn|myr|mzn|nad|ngn|nio|nok|npr|nzd|omr|pab|pen|pgk|php|pkr|pln|pyg|qar|"
    "ron|rsd|rub|rwf|sar|sbd|scr|sdg|sek|sgd|shp|sle|sos|srd|ssp|stn|svc|syp|szl|thb|tjs|tmt|tnd|top|try|ttd|twd|"
    "tzs|uah|ugx|usd|uyu|uzs|ved|ves|vnd|vuv|wst|xaf|xcd|xcg|xof|xpf|yer|zar|zmw|zwg"
)
"""Of ISO 4217."""
_NOT_IN_A_WINDOW = ("depth", "seconds", "repeats")
FORM: Final = 'a limit such as "5 usd / user / day", "20 model calls / run" or "3 calls of search"'


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit.

    Attributes:
        measure: one of :data:`MEASURES`.
        most: what may be used: an amount of money, a number of tokens, calls, agents or seconds.
        per: one of :data:`KEYS`.
        window: seconds after which what was used no longer counts; ``None`` where it counts for good.
        tool: the one tool that it is about.
        currency: of a cost.
    """

    measure: str
    most: float
    per: str = "block"
    window: float | None = None
    tool: str | None = None
    currency: str = "USD"

    @property
    def name(self) -> str:
        """The argument of ``limits()`` that it comes from."""
        return "per_tool" if self.tool is not None else self.measure

    @property
    def unit(self) -> str:
        """What ``most`` is a number of."""
        if self.measure == "cost":
            return self.currency
        if self.measure == "depth":
            return "agents"
        return f"calls of {self.tool}" if self.tool is not None else self.measure.replace("_", " ")

    def __str__(self) -> str:
        unit = "agents deep" if self.measure == "depth" else self.unit
        parts = [f"{self.most:.12g} {unit}"]
        if self.per != "block":
            parts.append(self.per)
        if self.window is not None:
            parts.append(_window_text(self.window))
        return " / ".join(parts)


def from_keywords(keywords: Mapping[str, Any], per: str) -> list[Rule]:
    """Rules from the arguments of ``limits()``; those that are ``None`` set none.

    Raises:
        ConfigError: an argument is unknown or has a value that cannot work.
    """
    if per not in KEYS:
        raise ConfigError("per", per, "one of " + ", ".join(KEYS))
    rules: list[Rule] = []
    for name, value in keywords.items():
        if value is None:
            continue
        if name == "per_tool":
            rules += _of_tools(value, per)
        elif name in MEASURES:
            rules.append(Rule(name, _most(name, value), per))
        else:
            raise ConfigError(name, value, "a limit: " + ", ".join((*MEASURES, "per_tool")))
    return rules


def from_text(text: Any, per: str = "block") -> Rule:
    """The rule that a text like ``"5 usd / user / day"`` sets.

    Args:
        text: an amount; then, in either order and each by choice, what it is counted for and its window.
        per: what it is counted for where the text does not say.

    Raises:
        ConfigError: it cannot be read.
    """
    if not isinstance(text, str):
        raise ConfigError("limits", text, FORM)
    amount, *rest = (part.strip().lower() for part in text.split("/"))
    match = _AMOUNT.fullmatch(amount)
    if match is None:
        raise ConfigError("limits", text, FORM)
    # The name of a tool as it is written.
    tool = _ONE_TOOL.fullmatch(match["unit"])
    name = text.partition("/")[0].strip()[-len(tool["tool"]) :] if tool is not None else None
    unit = match["sign"] or match["unit"]
    known = _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s"))
    if tool is not None:
        known = ("tool_calls", "")
    elif known is None and _CURRENCY.fullmatch(unit):
        known = ("cost", unit.upper())
    if known is None or (match["sign"] and match["unit"]):
        raise ConfigError("limits", text, FORM)
    measure, currency = known
    window: float | None = None
    keys = [part for part in rest if part in KEYS]
    if len(keys) > 1:
        raise ConfigError("limits", text, FORM)
    for part in rest:
        if part in KEYS:
            per = part
        elif (length := _window(part)) is not None and window is None and measure not in _NOT_IN_A_WINDOW:
            window = length
        else:
            raise ConfigError("limits", text, FORM)
    if window is not None and per == "block":
        per = "process"
    most = float(match["number"].replace("_", ""))
    is_whole = measure not in ("cost", "seconds")
    is_right = math.isfinite(most) and (not is_whole or most == int(most)) and (most or measure != "repeats")
    if not is_right:
        raise ConfigError("limits", text, FORM)
    return Rule(measure, most, per, window, name, currency or "USD")


def from_setting(value: Any) -> tuple[Rule, ...]:
    """Rules from a setting: texts, in one separated by semicolons or commas; or the arguments of ``limits()`` by name.

    One that does not say what it is counted for is one of each run; with a window, one of all that the process does.

    Raises:
        ConfigError: one of them cannot be read.
    """
    if isinstance(value, Mapping):
        named = dict(value)
        return tuple(from_keywords(named, named.pop("per", "run")))
    if isinstance(value, str):
        value = [part for part in re.split(r"[;,]", value) if part.strip()]
    if not isinstance(value, Iterable):
        raise ConfigError("limits", value, FORM)
    rules = (rule if isinstance(rule, Rule) else from_text(rule) for rule in value)
    return tuple(replace(rule, per="run") if rule.per == "block" else rule for rule in rules)


def _of_tools(value: Any, per: str) -> list[Rule]:
    if not isinstance(value, Mapping) or not all(isinstance(tool, str) for tool in value):
        raise ConfigError("per_tool", value, "a mapping of names of tools to numbers of calls")
    return [Rule("tool_calls", _most(f"per_tool[{tool!r}]", most), per, tool=tool) for tool, most in value.items()]


def _most(name: str, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    whole = name not in ("cost", "seconds")
    least = 1 if name == "repeats" else 0  # what was never done before goes round nowhere
    if not (math.isfinite(number) and number >= least) or (whole and number != int(number)):
        raise ConfigError(name, value, f"a {'whole ' if whole else ''}number of at least {least}")
    return number


def _window(text: str) -> float | None:
    match = _WINDOW.fullmatch(text)
    if match is None or match["unit"] not in _WINDOWS:
        return None
    return _WINDOWS[match["unit"]] * float(match["times"] or 1) or None


def _window_text(seconds: float) -> str:
    name, length = max(
        ((name, length) for name, length in _WINDOWS.items() if not seconds % length), key=lambda row: row[1],
        default=("second", 1.0),
    )  # fmt: skip
    times = seconds / length
    return name if times == 1 else f"{times:g} {name}s"
