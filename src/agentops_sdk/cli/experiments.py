"""``agentops experiments``: what experiments came to, and what changed since an earlier run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from agentops_sdk.cli._source import add_dir, base_directory, shown
from agentops_sdk.errors import TraceError

if TYPE_CHECKING:
    import argparse

    from agentops_sdk.experiments.experiment_results import Results

HELP = "Show the results of experiments: scores with their intervals, and what changed since a baseline."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="an experiment (its latest run), or a file of results")
    parser.add_argument("--baseline", metavar="RUN", help="an earlier run: its id, 'previous', or a file of results")
    parser.add_argument("--html", metavar="FILE", help="write one page")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_dir(parser)


def run(args: argparse.Namespace) -> int:
    """Print them; without a name, every run of every experiment."""
    from agentops_sdk.experiments.experiment_page import comparison_text
    from agentops_sdk.experiments.experiment_results import load_results

    folder = base_directory(args) / "experiments"
    if args.name is None:
        return _list(folder, args)
    file = Path(args.name)
    path = file if file.is_file() else _runs(folder / args.name)[-1]
    results = load_results(path)
    earlier = load_results(_baseline(path, args.baseline)) if args.baseline else None
    if args.html:
        results.html(args.html, earlier)
    both = results.compare(earlier) if earlier is not None else None
    if args.json:
        print(json.dumps({**results.as_dict(), **({"comparison": both.as_dict()} if both is not None else {})}))
        return 0
    print(results.table())
    if both is not None and earlier is not None:
        print(f"\nagainst run {earlier.run}:\n\n{comparison_text(both)}")
    return 0


def _runs(folder: Path) -> list[Path]:
    runs = sorted(folder.glob("*.jsonl"))
    if not runs:
        raise TraceError(f"no run of an experiment in {shown(folder)}")
    return runs


def _baseline(path: Path, name: str) -> Path:
    if Path(name).is_file():
        return Path(name)
    runs = _runs(path.parent)
    if name == "previous":
        earlier = [each for each in runs if each.name < path.name]
        if not earlier:
            raise TraceError(f"there is no run before {shown(path)}")
        return earlier[-1]
    matching = [each for each in runs if each.stem.startswith(name)]
    if len(matching) != 1:
        raise TraceError(f"{len(matching)} runs in {shown(path.parent)} begin with {name}")
    return matching[0]


def _list(folder: Path, args: argparse.Namespace) -> int:
    from agentops_sdk.cli._source import screen
    from agentops_sdk.cli._table import Column, as_table
    from agentops_sdk.experiments.experiment_results import load_results

    every = [load_results(path) for path in sorted(folder.glob("*/*.jsonl"))]
    if not every:
        raise TraceError(f"no experiment in {shown(folder)}")
    if args.json:
        for results in every:
            print(json.dumps(results.as_dict()))
        return 0
    columns: list[Column[Results]] = [
        Column("experiment", lambda row: (row.name, "bold"), shrink=2),
        Column("run", lambda row: (row.run, "")),
        Column("cases", lambda row: (f"{len(row.rows)}/{row.count}", ""), right=True),
        Column("version", lambda row: (row.cases, "dim")),
        Column("failed", lambda row: (str(len(row.errors) or ""), "red"), right=True),
        Column("scores", lambda row: (_scores(row), ""), shrink=1),
    ]
    console, width, ascii_only = screen()
    for text in as_table(columns, every, width, ascii_only):
        console.print(text)
    return 0


def _scores(results: Results) -> str:
    from agentops_sdk.experiments.experiment_page import shares

    def told(name: str) -> str:
        mean, labels = results.mean(name), results.labels(name)
        return shares(labels) if labels else "unknown" if mean is None else f"{mean:.3g}"

    return ", ".join(f"{name} {told(name)}" for name in results.score_names)
