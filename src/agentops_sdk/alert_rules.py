"""When somebody is told, and how a rule for it is written: ``error rate > 20 %``, over ``5 minutes``, per ``agent``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from agentops_sdk.errors import ConfigError

__all__ = ["PER", "AlertRule", "from_file", "from_keywords", "from_setting", "seconds_of"]

PER: Final = ("process", "service", "agent", "model", "provider", "tool", "user", "session")
"""What a rule is asked of apart: everything, or each service, agent, model and so on."""
SUBJECTS: Final = ("runs", "model calls", "tool calls", "agents")
ANOMALIES: Final = ("cost", "tokens", "calls", "errors")
CHANNELS: Final = ("log", "event", "webhook", "slack", "pagerduty", "command")
_UNITS = {"second": 1.0, "s": 1.0, "ms": 0.001, "minute": 60.0, "min": 60.0, "hour": 3600.0, "day": 86_400.0,
          "week": 604_800.0}  # fmt: skip
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)?\s*([a-z]+)")
_WHEN = re.compile(
    r"(?P<measure>error rate|cost rate|cost|tokens|p\d{1,2}(?:\.\d+)? latency|tool failure rate|tool failures|"
    r"unfinished runs|loops?|limit|drift|silence|anomaly|findings)"
    r"(?: of (?P<of>.+?))?"
    r"(?:\s*(?P<operator>>=|>|\bat\b)\s*(?P<number>\d[\d_]*(?:\.\d+)?)\s*(?P<unit>%|[a-z$ ]*?)"
    r"(?:\s*/\s*(?P<rate>[a-z]+))?)?\s*"
)
_USUAL = {
    "loop": 2.0,
    "loops": 2.0,
    "unfinished runs": 0.0,
    "tool failures": 0.0,
    "limit": 80.0,
    "silence": 0.0,
    "anomaly": 0.0,
    "findings": 0.0,
}
_OF_SOMETHING = ("error rate", "latency", "tool failure rate", "tool failures", "drift", "anomaly", "findings")
_TOLD_LEVELS = (50, 80, 95, 100)
_LEAST = {"error rate": 5, "tool failure rate": 5, "drift": 20, "latency": 5}
FORM: Final = (
    'a condition such as "error rate > 20 %", "cost rate > 5 usd / hour", "p95 latency > 10 s", "loop", '
    '"limit at 80 %", "unfinished runs", "tool failures > 3", "findings", "drift of route > 20 %", "anomaly of cost" '
    'or "silence"'
)


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One rule.

    Attributes:
        when: the condition as it was written.
        measure: what is worked out.
        threshold: above which the rule fires; shares as a number from 0 to 1, times in seconds.
        inclusive: whether the threshold itself fires.
        of: what it is about: one of :data:`SUBJECTS`, a tool, a decision.
        percentile: of a latency, from 0 to 100.
        currency: of a cost.
        over: seconds that are looked back.
        per: one of :data:`PER`.
        then: where it is told: texts such as ``"log"`` or ``"webhook:https://…"``, or functions.
        name: of the rule.
        every: seconds for which it is told once.
        least: how much there must be in the window for a share or a percentile to be worked out.
        runbook: address of what to do.
        severity: ``critical``, ``error``, ``warning`` or ``info``.
    """

    when: str
    measure: str
    threshold: float
    inclusive: bool = False
    of: str | None = None
    percentile: float = 0.0
    currency: str = "USD"
    over: float = 300.0
    per: str = "process"
    then: tuple[str | Callable[[Any], Any], ...] = ("log",)
    name: str = ""
    every: float = 300.0
    least: int = 1
    runbook: str | None = None
    severity: str = "warning"
    about: dict[str, Any] = field(default_factory=dict, compare=False)

    def is_passed(self, value: float) -> bool:
        """Whether the rule fires at ``value``."""
        return value > self.threshold or (self.inclusive and value == self.threshold)


def seconds_of(name: str, value: Any) -> float:
    """Seconds of a length of time: a number of them, or a text such as ``"5 minutes"``.

    Raises:
        ConfigError: it is neither.
    """
    seconds = math.nan
    if type(value) in (int, float):
        seconds = float(value)
    elif isinstance(value, str) and (match := _LENGTH.fullmatch(value.strip().lower())) is not None:
        seconds = float(match[1] or 1) * (_UNITS.get(match[2]) or _UNITS.get(match[2].removesuffix("s")) or math.nan)
    if not (math.isfinite(seconds) and seconds > 0):
        raise ConfigError(name, value, 'a length of time above 0, such as "5 minutes"')
    return seconds


def from_keywords(when: Any, **more: Any) -> AlertRule:
    """The rule of ``agentops.alert()``, or of one table of a file.

    Raises:
        ConfigError: an argument is unknown or has a value that cannot work.
    """
    if not isinstance(when, str) or (match := _WHEN.fullmatch(when.strip().lower())) is None:
        raise ConfigError("when", when, FORM)
    unknown = set(more) - {"over", "per", "then", "name", "every", "least", "runbook", "severity"}
    if unknown:
        raise ConfigError(
            min(unknown),
            more[min(unknown)],
            "no such key: when, over, per, then, name, every, least, runbook, severity",
        )
    facts = _condition(when, match)
    over = seconds_of("over", 300.0 if more.get("over") is None else more["over"])
    every = seconds_of("every", more["every"]) if more.get("every") is not None else over
    per = "process" if more.get("per") is None else more["per"]
    if per not in PER:
        raise ConfigError("per", per, "one of " + ", ".join(PER))
    least = more.get("least")
    if least is not None and (type(least) is not int or least < 1):
        raise ConfigError("least", least, "a whole number of at least 1")
    severity = "warning" if more.get("severity") is None else more["severity"]
    if severity not in ("critical", "error", "warning", "info"):
        raise ConfigError("severity", severity, "one of critical, error, warning, info")
    if (rate := facts.pop("rate")) is not None:
        facts["threshold"] *= over / rate
    for text in ("name", "runbook"):
        if more.get(text) is not None and not isinstance(more[text], str):
            raise ConfigError(text, more[text], "a text")
    usual = next((number for measure, number in _LEAST.items() if measure in facts["measure"]), 1)
    return AlertRule(
        when.strip(), over=over, every=every, per=per, then=_targets(more.get("then")), name=more.get("name") or when,
        least=least or usual, runbook=more.get("runbook"), severity=severity, **facts,
    )  # fmt: skip


def from_setting(value: Any) -> tuple[AlertRule, ...]:
    """Rules from a setting: a file, or tables of arguments.

    Raises:
        ConfigError: one of them cannot be read.
    """
    if isinstance(value, str | Path):
        return from_file(value)
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        value = [value]
    return tuple(rule if isinstance(rule, AlertRule) else _of_table(rule) for rule in value)


def from_file(path: str | Path) -> tuple[AlertRule, ...]:
    """Rules from a TOML file: tables ``[[alert]]``.

    Raises:
        ConfigError: the file cannot be read, or a rule in it.
    """
    import tomllib  # most programs have no such file

    try:
        tables = tomllib.loads(Path(path).expanduser().read_text(encoding="utf-8")).get("alert")
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("alerts", str(path), f"a TOML file: {error}") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError("alerts", str(path), f"a TOML file that can be read ({type(error).__name__})") from None
    if not isinstance(tables, list):
        raise ConfigError("alerts", str(path), "a file with tables [[alert]]")
    return tuple(map(_of_table, tables))


def _of_table(table: Any) -> AlertRule:
    if not isinstance(table, Mapping) or "when" not in table:
        raise ConfigError("alerts", table, "a table with a key when: " + FORM)
    return from_keywords(**{str(name): value for name, value in table.items()})


def _condition(when: str, match: re.Match[str]) -> dict[str, Any]:
    measure, of, unit = match["measure"], match["of"], (match["unit"] or "").strip()
    if of is not None:  # as it is written
        at = when.lower().index(" of ") + 4
        of = when.strip()[at : at + len(of)]
    number = float(match["number"].replace("_", "")) if match["number"] else _USUAL.get(measure, math.nan)
    percentile, currency = 0.0, "USD"
    is_share = measure in ("error rate", "tool failure rate", "drift")
    rate: float | None = None
    if match["rate"] is not None:
        rate = _UNITS.get(match["rate"].removesuffix("s"))
        if rate is None or measure not in ("cost rate", "cost", "tokens"):
            raise ConfigError("when", when, FORM)
    if measure.endswith("latency"):
        percentile, measure = float(measure[1:].partition(" ")[0]), "latency"
        factor = _UNITS.get(unit or "s") or _UNITS.get(unit.removesuffix("s"))
        number = number * factor if factor is not None else math.nan
    elif is_share:
        number = number / 100 if unit == "%" else number if not unit and number <= 1 else math.nan
    elif measure in ("cost rate", "cost"):
        measure, currency = "cost", "USD" if unit in ("", "$") else unit.upper()
        number = number if re.fullmatch("[A-Z]{3}", currency) else math.nan
    elif unit not in ("", "%", "calls", "runs", "times", "tokens"):
        number = math.nan
    if measure in ("error rate", "tool failure rate") and number > 1:
        raise ConfigError("when", when, "a share of at most 100 %")
    if not math.isfinite(number) or (measure == "drift" and of is None):
        raise ConfigError("when", when, FORM)
    _check_subject(when, measure, of)
    if measure == "limit" and number not in _TOLD_LEVELS:
        raise ConfigError("when", when, "a level that limits tell of: " + ", ".join(map(str, _TOLD_LEVELS)))
    return {
        "measure": measure.removesuffix("s") if measure == "loops" else measure,
        "threshold": number,
        "inclusive": match["operator"] in (">=", "at") or measure == "limit",
        "of": of,
        "percentile": percentile,
        "currency": currency,
        "rate": rate,
    }


def _check_subject(when: str, measure: str, of: str | None) -> None:
    if of is not None and measure not in _OF_SOMETHING:  # it would be asked of everything
        raise ConfigError("when", when, f"no of after {measure}: only {', '.join(_OF_SOMETHING)} may be of something")
    if measure == "anomaly" and of not in ANOMALIES:
        raise ConfigError("when", when, "an anomaly of " + ", ".join(ANOMALIES))
    if of is not None and measure in ("error rate", "latency") and of.lower() not in SUBJECTS:
        raise ConfigError("when", when, "of " + ", ".join(SUBJECTS))


def _targets(value: Any) -> tuple[Any, ...]:
    targets = ("log",) if value is None else (value,) if isinstance(value, str) or callable(value) else value
    if not isinstance(targets, Iterable):
        raise ConfigError("then", value, "texts such as log, webhook:https://…, slack:https://…, or functions")
    checked = tuple(targets)
    if not checked:
        raise ConfigError("then", value, "at least one whom to tell, such as log")
    for target in checked:
        if callable(target):
            if type(target).__hash__ is None:  # rules are told apart by whom they tell
                raise ConfigError("then", target, "a function; an object that is called must be hashable")
            continue
        channel, _, argument = str(target).partition(":")
        right = (
            isinstance(target, str)
            and channel in CHANNELS
            and bool(argument.strip()) is (channel not in ("log", "event"))
        )
        if right and channel in ("webhook", "slack"):
            try:
                parts = urlsplit(argument)
                right = parts.scheme in ("http", "https") and bool(parts.hostname)
            except ValueError:
                right = False
        if not right:
            raise ConfigError(
                "then", target, "log, event, webhook:URL, slack:URL, pagerduty:KEY, command:PROGRAM, or a function"
            )
    return checked
