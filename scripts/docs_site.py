"""MkDocs hooks: the order of the pages, and the API reference, which is made anew from the public names each time."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

INIT = Path(__file__).parents[1] / "src" / "agentops_sdk" / "__init__.py"

# The reading order. A page that is not named comes before the last group: add a file, done.
FIRST = (
    "index.md",
    "quickstart.md",
    "zero-code.md",
    "track.md",
    "context.md",
    "decisions.md",
    "integrations.md",
    "integrations/",
)
THEN = (
    "limits.md",
    "alerts.md",
    "replay.md",
    "trends.md",
    "prompts.md",
    "variants.md",
    "experiments.md",
    "gate.md",
    "traces.md",
    "decisions.md",
    "cost.md",
    "export.md",
    "backends.md",
    "store.md",
    "performance.md",
    "operate.md",
    "deploy.md",
    "runbooks/",
    "cli.md",
    "report.md",
    "coding-agents.md",
    "pytest.md",
    "configuration.md",
    "writing-an-integration.md",
)
LAST = ("conventions.md", "what-it-does-not-do.md", "architecture.md", "dependencies.md", "reference.md")


def on_nav(nav: Any, **_: Any) -> Any:
    """Put the pages into reading order."""
    nav.items.sort(key=_place)
    pages = list(_flat(nav.items))
    for index, page in enumerate(pages):
        page.previous_page = pages[index - 1] if index else None
        page.next_page = pages[index + 1] if index + 1 < len(pages) else None
    nav.pages[:] = pages
    return nav


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Fill in the public names."""
    if page.file.src_uri != "reference.md":
        return markdown
    import agentops_sdk

    homes = _homes()
    entries = [f"::: {homes[name]}\n    options: {{ heading_level: 2 }}" for name in agentops_sdk.__all__]
    return "\n\n".join([markdown, *entries])


def _homes() -> dict[str, str]:
    """Where the names come from, read off the imports that the type checkers see."""
    found = {}
    for node in ast.walk(ast.parse(INIT.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def _place(item: Any) -> tuple[int, int, str]:
    path = item.file.src_uri if getattr(item, "is_page", False) else f"{item.title.lower()}/"
    for group, names in ((0, FIRST), (1, THEN), (3, LAST)):
        if path in names:
            return group, names.index(path), path
    return 2, 0, path


def _flat(items: Any) -> Any:
    for item in items:
        if getattr(item, "is_page", False):
            yield item
        else:
            yield from _flat(getattr(item, "children", None) or ())
