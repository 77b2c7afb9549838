"""What other people's distributions register under our entry-point groups; nearly always nothing, which is found fast.

``importlib.metadata`` takes longer to load, and then to read what every installed distribution says, than a program
that has none of them should wait for. So its files are looked into first for the name of a group of ours.
"""

from __future__ import annotations

import functools
import os
import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import importlib.metadata

__all__ = ["EXPORTERS_GROUP", "INTEGRATIONS_GROUP", "entries"]

EXPORTERS_GROUP = "agentops_sdk.exporters"
INTEGRATIONS_GROUP = "agentops_sdk.integrations"


def entries(group: str) -> tuple[importlib.metadata.EntryPoint, ...]:
    """Entry points of a group of ours, in the order of ``sys.path``."""
    found = _scanned(tuple(sys.path))
    return tuple(found.select(group=group)) if found is not None else ()


@functools.lru_cache(maxsize=8)
def _scanned(path: tuple[str, ...]) -> Any:  # what has select(), by another name in each Python
    """Every entry point there is, read once for all groups; ``None`` where none is of ours."""
    if not _others_find_distributions() and not any(_names_a_group(folder) for folder in path):
        return None
    import importlib.metadata

    return importlib.metadata.entry_points()


def _others_find_distributions() -> bool:
    """Whether something else than folders and archives on the path may hold distributions."""
    return any(finder is not PathFinder and hasattr(finder, "find_distributions") for finder in sys.meta_path)


def _names_a_group(folder: str) -> bool:
    """Whether a distribution in this folder may name a group of ours: an archive may."""
    try:
        names = os.listdir(folder or ".")  # noqa: PTH208 - pathlib makes an object of each name
    except NotADirectoryError:
        return os.path.exists(folder)  # noqa: PTH110 - the same
    except OSError:
        return False
    return any(_mentions(folder, name) for name in names if name.endswith((".dist-info", ".egg-info", ".egg")))


def _mentions(folder: str, name: str) -> bool:
    file = os.path.join(folder, name, "EGG-INFO" if name.endswith(".egg") else "", "entry_points.txt")  # noqa: PTH118 - the same
    try:
        with open(file, "rb", 0) as opened:  # noqa: PTH123 - the same
            text = opened.read()
    except NotADirectoryError:
        return name.endswith(".egg")  # an archive
    except OSError:
        return False
    return b"agentops_sdk." in text and any(group.encode() in text for group in (EXPORTERS_GROUP, INTEGRATIONS_GROUP))
