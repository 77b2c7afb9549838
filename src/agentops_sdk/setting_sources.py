"""Where settings come from: keywords, the environment, a named file, ./pyproject.toml, defaults; in that order.

Long because what each source says, and what is wrong in it, is decided in one place.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agentops_sdk import otel_environment, settings_file
from agentops_sdk.errors import ConfigError
from agentops_sdk.setting_parsers import WrongValueError

__all__ = ["PROGRAM_NAME", "SERVICE", "Resolved", "collect", "parsed_keyword", "without_service"]

_PREFIX = "AGENTOPS_"
SERVICE = "service.name"
PROGRAM_NAME = "AGENTOPS_PROGRAM_NAME"
"""The variable by which ``agentops run`` tells what it has started; set for processes that have no script."""
_KEEPING = ("traces_max_days", "traces_max_bytes", "spool_max_days", "spool_max_bytes")
_SIGNALS = {"metrics": "metrics", "events": "logs"}
"""Settings of where a signal goes, and what OpenTelemetry's variables call it."""
_NEAR, _NEARER = 0.6, 0.8
_SHOWN = 120
_NO_SCRIPT = ("", "-", "-c", "-m")

Row = dataclasses.Field[Any]


class _Level:
    """What one source says: values with their origins, and what it wanted to say and nobody can read."""

    def __init__(self, values: dict[str, tuple[Any, str]] | None = None) -> None:
        self.values = values or {}
        self.doubts: dict[str, tuple[Any, str]] = {}
        self.mistakes: list[str] = []
        self.limited = False

    def read(self, row: Row, value: Any, origin: str) -> None:
        """Take a value; what is wrong with it is a mistake, and a doubt where the setting keeps things private."""
        try:
            self.values[row.name] = row.metadata["parse"](value), origin
        except WrongValueError as wrong:
            source = origin.rsplit(maxsplit=1)[-1]
            shown = repr(_shown(row, value))[:_SHOWN]
            left_out = "It"
            if wrong.usable is not None:
                self.values[row.name] = wrong.usable, origin
                left_out = ", ".join(repr(part)[:_SHOWN] for part in wrong.wrong)
            words = self.doubt(row, origin)
            self.mistakes.append(f"{source}: {row.name} is {shown}; expected {wrong}. {left_out} is ignored{words}.")

    def doubt(self, row: Row, origin: str) -> str:
        """Somebody meant to set ``row``, and what they meant is unclear: capture less; the words for it."""
        strict: Mapping[str, Any] = row.metadata["doubt"]
        self.doubts.update({name: (value, origin) for name, value in strict.items()})
        return "".join(f", and {name} is taken to be {value}" for name, value in strict.items())

    def settle(self) -> _Level:
        """What is in doubt is the strictest, whatever else this source says of it."""
        self.values.update(self.doubts)
        return self

    def service_name(self) -> tuple[str, str] | None:
        """What this source calls the service: by the setting, or as an attribute of the resource."""
        if "service_name" in self.values:
            return self.values["service_name"]
        attributes, origin = self.values.get("resource_attributes", ({}, ""))
        name = attributes.get(SERVICE)
        return (str(name), origin) if name else None


class Resolved:
    """Values and origins by name, and what there is to tell about them.

    Attributes:
        values: by setting; defaults are left out.
        origins: by setting, of every one.
        mistakes: sentences about what is wrong in the environment or a file.
        refusals: sentences about what ``./pyproject.toml`` must not set.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.mistakes: list[str] = []
        self.refusals: list[str] = []


def collect(
    rows: Sequence[Row], keywords: Mapping[str, Any], environ: Mapping[str, str], *, other_variables: Sequence[str]
) -> Resolved:
    """Every setting's value and origin.

    Args:
        rows: the settings table.
        keywords: by name; ``None`` means "not given".
        environ: the environment.
        other_variables: names beginning with ``AGENTOPS_`` that are no settings and known all the same.

    Raises:
        ConfigError: a keyword's value cannot work.
    """
    by_name = {row.name: row for row in rows}
    wanted = {name: value for name, value in keywords.items() if value is not None}
    resolved = Resolved()
    levels: list[_Level] = [
        _Level({name: (parsed_keyword(by_name[name], value), "keyword") for name, value in wanted.items()}),
        _environment(rows, environ, other_variables),
        *_files(by_name, environ, resolved.refusals),
    ]
    _spare_other_places(levels)
    _no_content_is_none_anywhere(levels)
    for row in rows:
        held = [level.values[row.name] for level in levels if row.name in level.values]
        merge = row.metadata["merge"]
        used = held if merge is not None else held[:1]
        resolved.origins[row.name] = " and ".join(origin for _, origin in used) or "default"
        if used:
            value, _ = used[0]
            if merge is not None:
                for lower, _ in used[1:]:
                    value = merge(lower, value)
            resolved.values[row.name] = value
    for level in levels:
        resolved.mistakes += level.mistakes
    named = next((name for level in levels if (name := level.service_name()) is not None), None)
    resolved.values["service_name"], resolved.origins["service_name"] = named or (_script_name(environ), "default")
    resolved.values["resource_attributes"] = without_service(resolved.values.get("resource_attributes", {}))
    return resolved


def by_names_of_now(rows: Sequence[Row], values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` with settings that are given by what they were called before under their names of now."""
    renamed = {row.metadata["before"]: row.name for row in rows if row.metadata["before"]}
    return {renamed.get(name, name): value for name, value in values.items() if renamed.get(name) not in values}


def _variables(row: Row) -> tuple[str, ...]:
    """The variables of a setting, the first that is set wins."""
    before = row.metadata["before"]
    return (*row.metadata["env"], *([f"{_PREFIX}{before.upper()}"] if before else []))


def without_service(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of the resource less the service's name, which is a setting of its own."""
    return {name: value for name, value in attributes.items() if name != SERVICE}


def parsed_keyword(row: Row, value: Any) -> Any:
    """A keyword's value.

    Raises:
        ConfigError: it cannot work.
    """
    try:
        return row.metadata["parse"](value)
    except WrongValueError as wrong:
        raise ConfigError(row.name, _shown(row, value), str(wrong)) from None


def _shown(row: Row, value: Any) -> Any:
    """A key may stand where its source should."""
    return "…" if row.name.endswith("_key") else value


def _environment(rows: Sequence[Row], environ: Mapping[str, str], other_variables: Sequence[str]) -> _Level:
    level = _Level()
    if (off := otel_environment.disabled(environ, level.mistakes.append)) is not None:
        level.values["enabled"] = off
    for row in rows:
        for variable in _variables(row):
            if row.name not in level.values and environ.get(variable, "").strip():
                level.read(row, environ[variable], f"environment {variable}")
    if "exporters" not in level.values and (sinks := otel_environment.exporters(environ, level.mistakes.append)):
        level.values["exporters"] = sinks
    by_words: dict[str, Callable[[], tuple[Any, str] | None]] = {
        "event_content": lambda: otel_environment.event_content(environ),
        "semconv": lambda: otel_environment.semconv(environ),
        "log_level": lambda: otel_environment.log_level(environ, level.mistakes.append),
        **{
            name: functools.partial(otel_environment.signal_sinks, signal, environ, level.mistakes.append)
            for name, signal in _SIGNALS.items()
        },
    }
    for name, read in by_words.items():
        if name not in level.values and (value := read()):
            level.values[name] = value
    if "sample_ratio" not in level.values:
        level.values = {**otel_environment.sampling(environ, level.mistakes.append), **level.values}
    _look_for_slips(level, rows, environ, other_variables)
    return level.settle()


def _look_for_slips(
    level: _Level, rows: Sequence[Row], environ: Mapping[str, str], other_variables: Sequence[str]
) -> None:
    """Names that begin as ours do and are none of ours."""
    known = {variable: row for row in rows for variable in _variables(row)}
    words = {variable.removeprefix(_PREFIX).lower(): variable for variable in (*known, *other_variables)}
    words |= {row.name: row.metadata["env"][0] for row in rows if row.metadata["env"]}
    for variable in sorted(environ):
        # Names are of one case where Python runs, Windows apart: agentops_dir is a slip as well.
        if not variable.upper().startswith(_PREFIX) or not environ[variable].strip():
            continue
        if variable in known or variable in other_variables:
            continue
        word = variable[len(_PREFIX) :]
        right = _nearest(word, words)
        row = known.get(words[right]) if right else None
        doubt = level.doubt(row, f"environment {variable}") if row and right and _same(word, right) else ""
        level.mistakes.append(
            f"{variable} is not a setting{_did_you_mean(words[right] if right else None)} It is ignored{doubt}."
        )


def _files(by_name: Mapping[str, Row], environ: Mapping[str, str], refusals: list[str]) -> list[_Level]:
    levels = []
    path = environ.get(settings_file.NAMED_BY, "").strip()
    if path:
        levels.append(_file(settings_file.named(path), f"environment {settings_file.NAMED_BY}", by_name))
    here = _file(settings_file.in_working_directory(unless_named=path), "pyproject", by_name)
    for name, (value, _) in list(here.values.items()):
        if not by_name[name].metadata["limit"](value, _default(by_name[name])):
            del here.values[name]
            refusals.append(
                f"./pyproject.toml may only make things stricter, and its {name} does not: it is ignored. "
                f"Set it in init(), in the environment, or in a file that {settings_file.NAMED_BY} names."
            )
    here.limited = True
    levels.append(here)
    endpoint = otel_environment.endpoint(environ)
    if endpoint is not None:  # it only says where: below what says whether
        levels.append(_Level({"exporters": endpoint}))
    return levels


def _no_content_is_none_anywhere(levels: Sequence[_Level]) -> None:
    """Who switches content off means that on events as well, whatever a lower source says of those."""
    for above, level in enumerate(levels):
        if "event_content" in level.values:
            return
        value, origin = level.values.get("capture_content", (True, ""))
        if not value:
            for lower in levels[above:]:
                lower.values["event_content"] = False, origin
            return


def _spare_other_places(levels: Sequence[_Level]) -> None:
    """How long things are kept somewhere else is no business of a file that lies here: it would have them deleted."""
    for above, level in enumerate(levels):
        if level.limited and any("directory" in higher.values for higher in levels[:above]):
            for name in _KEEPING:
                level.values.pop(name, None)


def _file(file: settings_file.SettingsFile, origin: str, by_name: Mapping[str, Row]) -> _Level:
    level = _Level()
    source = origin.rsplit(maxsplit=1)[-1]
    if file.problem:
        # It may have held any setting; the one that matters most is taken as said.
        doubt = level.doubt(by_name["capture_content"], origin)
        level.mistakes.append(f"{source}: {file.problem}. It is ignored{doubt}.")
    for name, value in by_names_of_now(list(by_name.values()), file.table).items():
        if name in by_name:
            if value != "":
                level.read(by_name[name], value, origin)
            continue
        near = _nearest(name, by_name)
        doubt = level.doubt(by_name[near], origin) if near and _same(name, near) else ""
        level.mistakes.append(f"{source}: {name} is not a setting{_did_you_mean(near)} It is ignored{doubt}.")
    return level.settle()


def _default(row: Row) -> Any:
    if row.default is not dataclasses.MISSING:
        return row.default
    return row.default_factory() if row.default_factory is not dataclasses.MISSING else None


def _nearest(word: str, known: Iterable[str]) -> str | None:
    import difflib  # where there is a mistake

    return next(iter(difflib.get_close_matches(word.lower(), known, n=1, cutoff=_NEAR)), None)


def _same(word: str, near: str) -> bool:
    """Whether one is so close to the other that it can only be a slip."""
    import difflib  # where there is a mistake

    return difflib.SequenceMatcher(None, word.lower(), near).ratio() >= _NEARER


def _did_you_mean(name: str | None) -> str:
    return f"; did you mean {name}?" if name else "."


def _script_name(environ: Mapping[str, str]) -> str:
    """The script's name; a package's, where its ``__main__`` runs."""
    script = Path(sys.argv[0] if sys.argv and sys.argv[0] not in _NO_SCRIPT else environ.get(PROGRAM_NAME, ""))
    if script.name == "__main__.py":
        script = script.absolute().parent
    return script.name.removesuffix(".py") or "python"
