"""The integration of examples/own_integration, put where Python finds it, as an editable install does."""

from __future__ import annotations

import tomllib
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "examples" / "own_integration"
NAMES = ("acme_talk",)


def paths(folder: Path) -> list[str]:
    """What ``sys.path`` needs: the sources, and ``folder``, where what the distribution says of itself is written."""
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text())["project"]
    about = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in project["entry-points"].items()
    ]
    (about / "entry_points.txt").write_text("".join(groups))
    return [str(folder), str(FOLDER / "src")]
