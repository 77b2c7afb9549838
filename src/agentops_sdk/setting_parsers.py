"""What a setting's value may be: parsers from keywords and environment strings, each with its "expected …".

Long because it is a list.
"""

from __future__ import annotations

import importlib.util
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from agentops_sdk._version import DISTRIBUTION
from agentops_sdk.errors import ConfigError
from agentops_sdk.key_source import KeySource, key_source

Parser = Callable[[Any], Any]

_TRUE = frozenset(("1", "true", "t", "yes", "y", "on", "enable", "enabled"))
_FALSE = frozenset(("0", "false", "f", "no", "n", "off", "disable", "disabled"))
# OpenTelemetry's words for where content goes, as far as spans are concerned; for events see otel_environment.
_CONTENT = {"no_content": False, "span_only": True, "event_only": False, "span_and_event": True}


class WrongValueError(Exception):
    """Raised by a parser; the message completes "expected …".

    Attributes:
        usable: the part of the value that is right, where it has parts; else ``None``.
        wrong: the parts that are not.
    """

    def __init__(self, expected: str, *, usable: Any = None, wrong: Sequence[str] = ()) -> None:
        super().__init__(expected)
        self.usable = usable
        self.wrong = tuple(wrong)


def flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else str(value) if type(value) is int else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise WrongValueError("true or false (1, yes, on / 0, no, off)")


def content(value: Any) -> bool:
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in _CONTENT:
        return _CONTENT[word]
    try:
        return flag(value)
    except WrongValueError:
        raise WrongValueError("true or false, or one of " + ", ".join(_CONTENT).upper()) from None


def whole(least: int) -> Parser:
    def parse(value: Any) -> int:
        try:
            amount = int(value) if isinstance(value, str) else value
        except ValueError:
            amount = None
        if isinstance(amount, bool) or not isinstance(amount, int) or amount < least:
            raise WrongValueError(f"a whole number of at least {least}")
        return amount

    return parse


def most(value: Any) -> int | None:
    """A bound; ``"none"`` is none."""
    if isinstance(value, str) and value.strip().lower() == "none":
        return None
    try:
        bound: int = whole(0)(value)
    except WrongValueError:
        raise WrongValueError("a whole number of at least 0, or none") from None
    return bound


def number(least: float, most: float = math.inf) -> Parser:
    wanted = f"a number of at least {least:g}" if most == math.inf else f"a number from {least:g} to {most:g}"

    def parse(value: Any) -> float:
        try:
            amount = float(value) if isinstance(value, str) else value
        except ValueError:
            amount = None
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not least <= amount <= most:
            raise WrongValueError(wanted)
        return float(amount)

    return parse


def above_zero(value: Any) -> float:
    wanted = "a number above 0"
    try:
        amount: float = number(0)(value)
    except WrongValueError:
        raise WrongValueError(wanted) from None
    if amount == 0:
        raise WrongValueError(wanted)
    return amount


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise WrongValueError("a string that is not empty")
    return value.strip()


_TRACE_PAGES = {
    "phoenix": "{base}/redirects/traces/{trace_id}",
    "jaeger": "{base}/trace/{trace_id}",
    "langfuse": "{base}/traces/{trace_id}",  # the base ends in /project/ID
    "grafana": "{base}/explore?schemaVersion=1&panes=%7B%22a%22%3A%7B%22datasource%22%3A%22tempo%22%2C"
    "%22queries%22%3A%5B%7B%22refId%22%3A%22A%22%2C%22queryType%22%3A%22traceql%22%2C%22query%22%3A%22{trace_id}%22%7D%5D%7D%7D",
}
"""Where backends show a trace; Grafana by a Tempo data source whose uid is ``tempo``."""


def trace_url(value: Any) -> str:
    """An address with ``{trace_id}`` in it, from one, or from a backend's name and its address."""
    name, _, base = value.partition(":") if isinstance(value, str) else ("", "", "")
    page = value.strip() if isinstance(value, str) else ""
    if name.strip() in _TRACE_PAGES:
        page = _TRACE_PAGES[name.strip()].replace("{base}", base.strip().rstrip("/"))
    if not re.fullmatch(r"https?://[^\s\x00-\x1f\x7f-\x9f]+", page) or "{trace_id}" not in page:
        raise WrongValueError(
            f"an http(s) address with {{trace_id}}, or one of {', '.join(_TRACE_PAGES)} with an address, such as "
            '"jaeger:http://localhost:16686"'
        )
    return page


def path(value: Any) -> str:
    if not isinstance(value, str | os.PathLike) or not str(value).strip() or "\0" in str(value):
        raise WrongValueError("a path")
    expanded = os.path.expanduser(str(value).strip() if isinstance(value, str) else value)  # noqa: PTH111 - Path raises
    if expanded.startswith("~"):
        raise WrongValueError("a path; there is no home directory of that name")
    return expanded


def choice(*accepted: str) -> Parser:
    def parse(value: Any) -> str:
        if not isinstance(value, str) or value.strip().lower() not in accepted:
            raise WrongValueError("one of " + ", ".join(accepted))
        return value.strip().lower()

    return parse


def vocabularies(value: Any) -> tuple[str, ...]:
    from agentops_sdk._vocabularies import vocabularies as known

    chosen = names(value)
    if not set(chosen) <= set(known()):
        raise WrongValueError("names of " + ", ".join(known()))
    return chosen


def names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise WrongValueError("a list of names, or names separated by commas")
    return tuple(value)


DETECTORS = ("process", "host", "container", "kubernetes", "cloud", "vcs", "service")
"""Parts of the resource that are detected."""
_OTHER_DETECTORS = {
    "otel": (), "none": (), "*": DETECTORS, "containerid": ("container",), "os": ("host",), "service_instance": (),
}  # fmt: skip
"""What OpenTelemetry calls them; metrics have the id of an instance in any case."""


def detectors(value: Any) -> tuple[str, ...]:
    listed = [name.strip().lower() for name in names(value)]
    wrong = [name for name in listed if name not in DETECTORS and name not in _OTHER_DETECTORS]
    found = {each for name in listed for each in _OTHER_DETECTORS.get(name, (name,)) if name not in wrong}
    usable = tuple(name for name in DETECTORS if name in found)
    if wrong:
        raise WrongValueError(f"some of {', '.join(DETECTORS)}, or none", usable=usable, wrong=wrong)
    return usable


def patterns(value: Any) -> tuple[str, ...]:
    expected = "regular expressions"
    if isinstance(value, str):
        value = _separated(value)
    if not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise WrongValueError(expected)
    wrong = [pattern for pattern in value if not _is_pattern(pattern)]
    if wrong:
        usable = tuple(pattern for pattern in value if pattern not in wrong)
        raise WrongValueError(expected, usable=usable, wrong=wrong)
    return tuple(value)


def pii(value: Any) -> tuple[Any, ...]:
    from agentops_sdk import pii_rules

    try:
        return pii_rules.from_setting(value)
    except ConfigError as error:
        raise WrongValueError(error.expected) from None


def content_rules(value: Any) -> tuple[str, ...]:
    from agentops_sdk import content_rules as rules

    try:
        return rules.from_setting(value)
    except ConfigError as error:
        raise WrongValueError(error.expected) from None


def key(value: Any) -> KeySource:
    try:
        return key_source(value)
    except ConfigError as error:
        raise WrongValueError(error.expected) from None


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError, Warning):  # Warning: where the program makes them errors
        return False
    return True


def _separated(text: str) -> list[str]:
    """Parts between commas, but for commas inside brackets, braces or parentheses, or behind a backslash."""
    parts, depth, in_class, escaped = [""], 0, False, False
    for letter in text:
        if letter == "," and not (depth or in_class or escaped):
            parts.append("")
            continue
        parts[-1] += letter
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = True
        elif in_class:
            in_class = letter != "]"
        elif letter == "[":
            in_class = True
        else:
            depth = max(0, depth + (letter in "({") - (letter in ")}"))
    return [part.strip() for part in parts if part.strip()]


def exporters(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, Sequence):
        value = [value]
    if any(isinstance(item, str) and item == "none" for item in value):
        if len(value) > 1:
            raise WrongValueError('"none" to stand alone')
        return ()
    for item in value:
        if not isinstance(item, str) and not callable(getattr(item, "export", None)):
            raise WrongValueError(
                'a list of SpanExporter instances or strings such as "jsonl", "otlp:http://host:4318"'
            )
    return tuple(value)


def signal_sinks(*names: str) -> Parser:
    """Where metrics or events go: some of ``names``, of which ``otlp`` may have an address, or exporters."""
    wanted = f"a list of exporters, or of strings among {', '.join(names)} and otlp:URL"

    def parse(value: Any) -> tuple[Any, ...]:
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        sinks = tuple(value) if isinstance(value, Sequence) else (value,)
        for sink in sinks:
            if isinstance(sink, str):
                name, sign, address = sink.partition(":")
                if name not in names or (sign and (name != "otlp" or not address)):
                    raise WrongValueError(wanted)
            elif not callable(getattr(sink, "export", None)):
                raise WrongValueError(wanted)
        if "none" in sinks and len(sinks) > 1:
            raise WrongValueError(f'{wanted}; "none" stands alone')
        return sinks

    return parse


def table(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        pairs = [(part.strip(), *part.partition("=")) for part in value.split(",") if part.strip()]
        usable = {name.strip(): unquote(text.strip()) for _, name, sign, text in pairs if sign and name.strip()}
        wrong = [part for part, name, sign, _ in pairs if not sign or not name.strip()]
        if wrong:
            raise WrongValueError("name=value pairs separated by commas", usable=usable, wrong=wrong)
        return usable
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise WrongValueError("a mapping of names to values")
    return dict(value)


def alerts(value: Any) -> tuple[Any, ...]:
    from agentops_sdk import alert_rules

    try:
        return alert_rules.from_setting(value)
    except ConfigError as error:
        raise WrongValueError(f"{error.expected} for {error.name}") from None


def limits_store(value: Any) -> str:
    address = text(value)
    if not address.startswith(("redis://", "rediss://", "unix://")):
        raise WrongValueError("an address redis://…, rediss://… or unix://…")
    if importlib.util.find_spec("redis") is None:
        raise WrongValueError(f'the Redis client to be installed: pip install "{DISTRIBUTION}[redis]"')
    return address


def limits(value: Any) -> tuple[str, ...]:
    from agentops_sdk.limit_rules import FORM, from_setting

    if isinstance(value, str):
        value = [part.strip() for part in re.split("[;,]", value) if part.strip()]
    if isinstance(value, Mapping) or not isinstance(value, Sequence):
        try:
            return tuple(map(str, from_setting(value)))
        except ConfigError as error:
            raise WrongValueError(f"{error.expected} for {error.name}") from None
    usable: list[str] = []
    wrong: list[str] = []
    for text in value:
        try:
            usable += map(str, from_setting([text]))
        except ConfigError:
            wrong.append(str(text))
    if wrong:
        raise WrongValueError(FORM, usable=tuple(usable), wrong=wrong)
    return tuple(usable)
