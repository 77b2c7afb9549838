"""MkDocs hook: the order of the pages. A page that is not named here comes after those that are: add a file, done."""

from __future__ import annotations

from typing import Any

FIRST = ("index.md", "quickstart.md", "track.md", "context.md", "decisions.md", "integrations.md", "integrations/")
THEN = ("traces.md", "cost.md", "exporters.md", "exporters/", "cli.md", "pytest.md", "configuration.md")
LAST = ("conventions.md", "architecture.md", "dependencies.md", "reference.md")


def on_nav(nav: Any, **_: Any) -> Any:
    """Put the pages into reading order."""
    nav.items.sort(key=_place)
    pages = list(_flat(nav.items))
    for index, page in enumerate(pages):
        page.previous_page = pages[index - 1] if index else None
        page.next_page = pages[index + 1] if index + 1 < len(pages) else None
    nav.pages[:] = pages
    return nav


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
