"""The house by its imports and its listing: floors for every module, no circles, long files that say why."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
SOURCES = (ROOT / "src", ROOT / "integrations")
LONG = 300

CIRCLES = {
    # A trace offers its faces (``tree()``, ``decisions``, how a notebook shows it), which are made of traces.
    "agentops_sdk.traces.trace": "agentops_sdk.traces.",
    # Results offer their faces (a table, a page, a comparison), which are made of results.
    "agentops_sdk.experiments.experiment_results": "agentops_sdk.experiments.",
    # Which figures count is a rule of its own, asked by the outline and told of it; it names it in annotations alone.
    "agentops_sdk.traces.figures.accounts": "agentops_sdk.traces.figures.",
}
"""Modules that know others both ways, by annotations or by imports inside functions; and where all of those stand."""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the packages and of their contracts."""
    for folder in SOURCES:
        shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    path = os.pathsep.join(str(house / folder.name) for folder in SOURCES)
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=house, env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_floors_hold(house: Path) -> None:
    done = lint(house)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_module_that_stands_on_no_floor_fails(house: Path) -> None:
    (house / "src" / "agentops_sdk" / "annex.py").write_text("")
    done = lint(house)
    assert done.returncode == 1
    assert "annex" in done.stdout


def test_an_import_that_goes_up_fails(house: Path) -> None:
    with (house / "src" / "agentops_sdk" / "semconv.py").open("a") as file:
        file.write("\n\ndef up() -> None:\n    import agentops_sdk._capture.call\n")
    done = lint(house)
    assert done.returncode == 1
    assert "agentops_sdk.semconv -> agentops_sdk._capture.call" in done.stdout


def test_modules_do_not_know_each_other_both_ways() -> None:
    graph = grimp.build_graph("agentops_sdk", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    circles = circles_of(imports)
    allowed = [
        next((hub for hub in circle & CIRCLES.keys() if all(m.startswith(CIRCLES[hub]) for m in circle)), None)
        for circle in circles
    ]
    assert [sorted(circle) for circle, hub in zip(circles, allowed, strict=True) if hub is None] == []
    assert sorted(filter(None, allowed)) == sorted(CIRCLES), "a circle that is cut needs no line here"


def circles_of(imports: dict[str, set[str]]) -> list[set[str]]:
    """Groups of modules each of which reaches all others of its group."""
    reached: dict[str, set[str]] = {}
    for module, direct in imports.items():
        seen: set[str] = set()
        todo = list(direct)
        while todo:
            if (other := todo.pop()) not in seen:
                seen.add(other)
                todo.extend(imports.get(other, ()))
        reached[module] = seen
    groups = {frozenset(o for o in reached[m] if m in reached[o]) for m in imports if m in reached[m]}
    return [set(group) for group in groups]


def test_a_long_file_says_why() -> None:
    silent = []
    for folder in SOURCES:
        for path in sorted(folder.rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if len(text.splitlines()) > LONG and "long" not in (ast.get_docstring(ast.parse(text)) or "").lower():
                silent.append(str(path.relative_to(ROOT)))
    assert silent == [], f"their docstrings do not say why they are longer than {LONG} lines"


def test_the_page_names_files_that_are_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    names = re.findall(r"`([\w/.]+/[\w.]+|_\w+)`", page)
    assert len(names) > 25
    known = [ROOT / "src" / "agentops_sdk" / name for name in names if name != "__repr__"]
    assert [path.name for path in known if not path.exists()] == []


_WRITES = re.compile(
    r"\.(?:write_text|write_bytes|mkdir|makedirs|touch)\(|O_CREAT|\bopen\([^()]*(?:\([^()]*\)[^()]*)*[\"'][wax]b?\+?[\"']"
)
_PRIVATE = re.compile(r"open_private|replace_private|private_directory|mode=0o700|mkstemp")
_AS_THE_USER_SAYS = {
    "_usage/encodings.py": "public files of tokenizers, in the cache of the user",
    "cli/__init__.py": "nothing is written",
    "cli/gate.py": "JUnit and Markdown, which another program reads",
    "exporters/otlp/segment.py": "the flags stand on a line before",
    "_limits/window_file.py": "the flags stand on a line before",
    "private_files.py": "the one place",
    "store/compaction.py": "in a temporary folder of its own",
    "store/duckdb_store.py": "in a temporary folder of its own",
    "testing/plugin/pytest_run.py": "the folder that the user names",
    "testing/replay.py": "recordings, which are kept with the tests",
}


def test_whatever_is_written_is_for_its_owner_only_or_says_why_not() -> None:
    package = ROOT / "src" / "agentops_sdk"
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for line in path.read_text().splitlines()
        if _WRITES.search(line) and not _PRIVATE.search(line)
    }
    assert found <= _AS_THE_USER_SAYS.keys(), sorted(found - _AS_THE_USER_SAYS.keys())
    assert _AS_THE_USER_SAYS.keys() - found <= {"private_files.py"}


def test_no_two_modules_have_one_name() -> None:
    # The commands are called what people type.
    every = [path for folder in SOURCES for path in folder.rglob("*.py")]
    paths = [path for path in every if path.stem != "__init__" and path.parent.name != "cli"]
    names = Counter(path.stem for path in paths)
    assert [path for path in paths if names[path.stem] > 1] == []


IGNORE = r"(?:type|pyright): ?ignore(?:\[[^\]]*\])?|noqa(?:: ?[A-Z]+\d+(?:, ?[A-Z]+\d+)*)?"
MARK = re.compile(rf"# ?(?:ruff: ?)?(?:{IGNORE})(?P<rest>.*)$", re.MULTILINE)
SKIP = re.compile(r"pytest\.(?:mark\.)?(?:skip|skipif|xfail|importorskip)\b")
REASON_AT = {"skip": 0, "skipif": 1, "xfail": 1, "importorskip": 2}
"""Which argument is the reason where it is given by its position."""


def test_every_exception_from_a_check_has_its_reason_beside_it() -> None:
    folders = ("src", "integrations", "tests", "examples", "benchmarks", "scripts")
    bare = []
    for path in (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))):
        text = path.read_text(encoding="utf-8")
        for mark in MARK.finditer(text):
            if not re.search(r"\w", re.sub(rf"{IGNORE}|fmt: ?skip", "", mark["rest"])):
                line = text.count("\n", 0, mark.start()) + 1
                bare.append(f"{path.relative_to(ROOT)}:{line}: {mark[0]}")
        for call in calls_of(text) if SKIP.search(text) else ():
            name = ast.unparse(call.func)
            given = len(call.args) > REASON_AT[name.rpartition(".")[2]] or any(k.arg == "reason" for k in call.keywords)
            if not given:
                bare.append(f"{path.relative_to(ROOT)}:{call.lineno}: {ast.unparse(call)}")
    assert bare == [], "say in a word or two why, behind the mark"


def calls_of(text: str) -> list[ast.Call]:
    """What leaves a test out."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Attribute) and SKIP.fullmatch(ast.unparse(call.func))]
