"""The table of frameworks in docs/integrations/frameworks.md, from tests/integrations/frameworks.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests" / "integrations" / "frameworks.toml"
COLUMNS = (
    "agents", "steps", "tools", "handoffs", "guardrails", "approvals", "memory", "retrieval", "streams", "errors",
    "cancellation",
)  # fmt: skip


def rows() -> dict[str, dict[str, str]]:
    """The data, by framework."""
    return tomllib.loads(DATA.read_text(encoding="utf-8"))


def version(row: dict[str, str]) -> str:
    """That of the pinned distribution."""
    pins = (ROOT / "constraints" / f"{row['row']}.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(row['distribution'])}==([^\s;]+)", pins, re.MULTILINE)
    if found is None:
        raise LookupError(f"{row['distribution']} is not in constraints/{row['row']}.txt")
    return found[1]


def place(cell: str) -> tuple[Path, str, str | None] | None:
    """File, function and parameter of the test that a cell names; ``None`` where it names none."""
    if cell.partition(":")[0] in ("none", "not tried"):
        return None
    folder, _, test = cell.partition("::")
    name, _, parameter = test.partition("[")
    file = folder if folder.endswith(".py") else f"{folder}/test_programs.py"
    return ROOT / "tests" / file, name, parameter.removesuffix("]") or None


def table() -> str:
    """The table, and below it for each framework the test or the reason behind each mark."""
    data = rows()
    lines = [f"| Framework | {' | '.join(COLUMNS)} |", f"|---|{':-:|' * len(COLUMNS)}"]
    told = []
    for row in data.values():
        title = f"[{row['title']}]({row['page']}.md) {version(row)}"
        lines.append(f"| {title} | {' | '.join(_mark(row[name]) for name in COLUMNS)} |")
        told += ["", f"**{row['title']}** {version(row)}", ""]
        told += [f"- {name}: {_told(row[name])}" for name in COLUMNS]
    return "\n".join([*lines, *told])


def _mark(cell: str) -> str:
    return "✓" if place(cell) is not None else "none" if cell.startswith("none") else "?"


def _told(cell: str) -> str:
    found = place(cell)
    if found is None:
        return cell
    file, name, parameter = found
    return f"`{file.relative_to(ROOT).as_posix()}::{name}{f'[{parameter}]' if parameter else ''}`"
