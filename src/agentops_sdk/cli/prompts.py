"""``agentops prompts``: the versions of prompts with what they did; diff, label and roll back."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from agentops_sdk.cli._source import add_source, base_directory, place, reading, screen
from agentops_sdk.errors import ConfigError, TraceError
from agentops_sdk.traces.display.terminal_text import line
from agentops_sdk.traces.figures import number_format

if TYPE_CHECKING:
    import argparse

    from agentops_sdk.prompts.prompt_store import PromptStore
    from agentops_sdk.traces.figures.prompt_table import PromptRow

HELP = "List the versions of prompts with calls, cost, latency, errors and scores; show, diff, label, roll back."
_WORDS = {"show": (1, 2), "diff": (1, 3), "label": (3, 3), "rollback": (1, 2)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WHAT",
        help="nothing or a NAME: the table; show NAME [VERSION]; diff NAME [VERSION [VERSION]] (default: the last "
        "two); label NAME VERSION LABEL; rollback NAME [LABEL] (default: production). A version is its beginning, a "
        "label, or latest",
    )
    parser.add_argument("--folder", metavar="PATH", help="of prompt files (default: prompts below --dir)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_source(parser)


def run(args: argparse.Namespace) -> int:
    """Do what the words say."""
    from agentops_sdk.prompts.prompt_store import PromptStore

    store = PromptStore(Path(args.folder).expanduser() if args.folder else base_directory(args) / "prompts")
    if not args.words or args.words[0] not in _WORDS:
        if len(args.words) > 1:
            raise ConfigError("WHAT", args.words[0], f"a name alone, or one of {', '.join(_WORDS)}")
        return _table(args, store, args.words[0] if args.words else None)
    word, *rest = args.words
    least, most = _WORDS[word]
    if not least <= len(rest) <= most:
        raise ConfigError(word, " ".join(rest), f"{least} to {most} words after it: see agentops prompts --help")
    print(_done(store, word, *rest))
    return 0


def _done(store: PromptStore, word: str, name: str, *rest: str) -> str:
    from agentops_sdk.prompts.prompt import Prompt

    if word == "label":
        return f"{line(name)}: {line(rest[1])} is {store.label(name, *rest)} now"
    if word == "rollback":
        label = rest[0] if rest else "production"
        return f"{line(name)}: {line(label)} is {store.roll_back(name, label)} again"
    versions = store.versions(name)
    if word == "show":
        return line_by_line(versions[store.find(name, rest[0] if rest else "latest")])
    if len(versions) < 2 and len(rest) < 2:
        raise TraceError(f"prompt {name}: there is one version, or none, to compare")
    old, new = (
        (list(versions)[-2], list(versions)[-1]) if not rest else (rest[0], rest[1] if len(rest) > 1 else "latest")
    )
    before, after = (Prompt(name, versions[store.find(name, wanted)]) for wanted in (old, new))
    return line_by_line(before.diff(after)) or "no difference"


def line_by_line(text: str) -> str:
    """A text that is safe to print."""
    return "\n".join(line(each, 10_000) for each in text.splitlines())


def _table(args: argparse.Namespace, store: PromptStore, name: str | None) -> int:
    from agentops_sdk.traces.figures.prompt_table import ATTRIBUTES, PromptRow, prompt_table

    rows: list[PromptRow] = []
    try:
        with reading(place(args), args, ATTRIBUTES) as traces:
            rows = prompt_table(traces)
    except TraceError:
        if not store.names():
            raise
    used = {(row.name, row.version) for row in rows}
    rows += [
        PromptRow(kept, version)
        for kept in store.names()
        for version in store.versions(kept)
        if (kept, version) not in used
    ]
    rows = [row for row in rows if name is None or row.name == name]
    if not rows:
        raise TraceError(f"no call was made with {'a prompt' if name is None else f'the prompt {name}'}")
    labels = {row.name: store.labels(row.name) for row in rows}
    marks = {
        (row.name, row.version): [label for label, history in labels[row.name].items() if history[-1] == row.version]
        for row in rows
    }
    if args.json:
        for row in rows:
            print(json.dumps({**row.as_dict(), "labels": marks[row.name, row.version]}))
        return 0
    _print(rows, marks)
    return 0


def _print(rows: list[PromptRow], marks: dict[tuple[str, str], list[str]]) -> None:
    from agentops_sdk.cli._table import Column, as_table
    from agentops_sdk.traces.figures.table_rows import percentile

    def took(row: PromptRow, percent: float) -> str:
        value = percentile(row.durations, percent)
        return "" if value is None else number_format.duration(value)

    columns: list[Column[Any]] = [
        Column("prompt", lambda row: (row.name, "bold"), shrink=2),
        Column("version", lambda row: (row.version, "")),
        Column("labels", lambda row: (", ".join(marks[row.name, row.version]), "green"), shrink=1),
        Column("calls", lambda row: (f"{row.calls:,}", ""), right=True),
        Column("errors", lambda row: (f"{row.errors:,}" if row.errors else "", "red"), right=True),
        Column("p50", lambda row: (took(row, 50), ""), right=True),
        Column("p95", lambda row: (took(row, 95), ""), right=True, drop=1),
        Column("tokens", lambda row: (number_format.all_tokens(row.usage) if row.calls else "", ""), right=True),
        Column("cost", lambda row: (number_format.cost(row.cost) if row.calls else "", ""), right=True),
        Column("scores", lambda row: (", ".join(_score(item) for item in row.scores.items()), ""), shrink=1),
    ]
    console, width, ascii_only = screen()
    for text in as_table(columns, rows, width, ascii_only):
        console.print(text)


def _score(item: tuple[str, list[float]]) -> str:
    name, values = item
    return f"{name} {fmean(values):.3g} ({len(values)})"
