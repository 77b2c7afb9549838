"""MkDocs hooks: the order of the pages, and the API reference, which is made anew from the public names each time."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

INIT = Path(__file__).parents[1] / "src" / "agentops_sdk" / "__init__.py"

# The map: a page or folder in the order in which it is read. What is not named comes last: add a file, done.
MAP = {
    "Start": ("quickstart.md", "zero-code.md", "coming-from.md"),
    "Capture": (
        "track.md", "context.md", "decisions.md", "integrations.md", "integrations/", "writing-an-integration.md",
    ),
    "See": ("cli.md", "report.md", "traces.md", "cost.md", "reading-other-traces.md", "coding-agents.md"),
    "Test": ("testing.md", "replay.md"),
    "Limit": ("limits.md", "alerts.md"),
    "Govern": (
        "content.md", "personal-data.md", "encryption.md", "audit.md", "erasure.md", "evidence.md", "findings.md",
        "security.md",
    ),
    "Improve": ("experiments.md", "gate.md", "variants.md", "prompts.md", "trends.md"),
    "Operate": (
        "export.md", "backends.md", "store.md", "operate.md", "deploy.md", "runbooks/", "performance.md",
    ),
    "Reference": (
        "configuration.md", "reference.md", "conventions.md", "what-it-does-not-do.md", "architecture.md",
        "dependencies.md",
    ),
}  # fmt: skip
HOME = "index.md"


def on_nav(nav: Any, **_: Any) -> Any:
    """Put the pages into the groups of the map, in reading order."""
    from mkdocs.structure.nav import Section

    by_path = {_path(item): item for item in nav.items}
    items = [by_path.pop(HOME)]
    for title, paths in MAP.items():
        section = Section(title, [by_path.pop(path) for path in paths])
        if title == list(MAP)[-1]:
            section.children += [by_path[path] for path in sorted(by_path)]
        for item in section.children:
            item.parent = section
            if not item.is_page and f"{(item.title or '').lower()}.md" in paths:
                item.title = "One by one"  # a folder beside the page of its name
        items.append(section)
    nav.items[:] = items
    pages = list(_flat(items))
    for index, page in enumerate(pages):
        page.previous_page = pages[index - 1] if index else None
        page.next_page = pages[index + 1] if index + 1 < len(pages) else None
    nav.pages[:] = pages
    return nav


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Have every block of code shown as one, and fill in the public names."""
    markdown = markdown.replace("```python notest\n", "```python\n")  # a word that is for the tests alone
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


def _path(item: Any) -> str:
    return str(item.file.src_uri) if getattr(item, "is_page", False) else f"{item.title.lower()}/"


def _flat(items: Any) -> Any:
    for item in items:
        if getattr(item, "is_page", False):
            yield item
        else:
            yield from _flat(getattr(item, "children", None) or ())
