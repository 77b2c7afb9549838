"""Every ```python block of the README and the docs runs.

The blocks of one page are one program, in order, in one process and one empty directory, with the bundled model server
behind `OPENAI_BASE_URL`. A block that defines a `test_...` function is run by pytest, as a file of its own. A block
marked `python notest` does not run; a comment on the line before it, `<!-- not run: why -->`, must say why.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from examples.local_model import LocalModel
from tests.integrations import own

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<code>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL)
RUN = """
import sys
namespace = {"__name__": "__main__"}
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        exec(compile(file.read(), path, "exec"), namespace)
"""


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    info: str
    code: str
    before: str

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 2
        indent = len(match["indent"])
        code = "\n".join(row[indent:] for row in match["code"].split("\n"))
        before = text[: match.start()].rstrip("\n").rpartition("\n")[2].strip()
        yield Block(page, line, match["info"].strip(), code, before)


def python_blocks(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.info.split()[:1] == ["python"]]


@pytest.fixture(scope="module")
def server() -> Iterator[LocalModel]:
    with LocalModel() as running:
        yield running


@pytest.mark.parametrize("page", [p for p in PAGES if python_blocks(p)], ids=lambda p: str(p.relative_to(ROOT)))
def test_the_blocks_of_a_page_run(page: Path, server: LocalModel, tmp_path: Path) -> None:
    program: list[Path] = []
    tests: list[Path] = []
    for block in python_blocks(page):
        if "notest" in block.info.split():
            continue
        is_test = re.search(r"^(async )?def test_", block.code, re.MULTILINE) is not None
        path = tmp_path / ".blocks" / f"{'test_' if is_test else ''}{page.stem.replace('-', '_')}_{block.line}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n" * (block.line - 1) + block.code, encoding="utf-8")  # tracebacks show the page's lines
        (tests if is_test else program).append(path)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AGENTOPS_", "OTEL_", "PYTEST_"))}
    env = {**inherited, "OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "local", "PYTHONSAFEPATH": "1"}
    if page.name == "writing-an-integration.md":  # it is about the example, which is installed where it runs
        env["PYTHONPATH"] = os.pathsep.join(own.paths(tmp_path))
    commands = []
    if program:
        commands.append([sys.executable, "-c", RUN, *map(str, program)])
    if tests:
        env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # what else is installed takes seconds to load
        plugins = ("-p", "agentops_sdk.pytest_plugin", "-p", "pytest_asyncio.plugin", "-p", "no:cacheprovider")
        commands.append([sys.executable, "-m", "pytest", "-q", *plugins, *map(str, tests)])
    for command in commands:
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=tmp_path, env=env, timeout=120
        )
        assert result.returncode == 0, f"{page.relative_to(ROOT)}\n{result.stdout}\n{result.stderr}"


def test_the_page_for_authors_shows_the_example_as_it_is() -> None:
    """Every function and constant of the integration that the page builds is the example's, to the letter."""
    example = {
        ast.unparse(node) for node in ast.parse((own.FOLDER / "src/agentops_acme_talk/__init__.py").read_text()).body
    }
    page = ROOT / "docs" / "writing-an-integration.md"
    names = ("_asked", "_request", "_response", "_fold", "_usage", "_TALK", "integration", "_ROLES", "_FINISH_REASONS")
    shown = {
        name: ast.unparse(node)
        for block in python_blocks(page)
        for node in ast.parse(block.code).body
        for name in (
            [node.name] if isinstance(node, ast.FunctionDef) else [ast.unparse(t) for t in getattr(node, "targets", ())]
        )
    }
    assert {name for name in names if shown.get(name) not in example} == set()


def test_what_does_not_run_says_why() -> None:
    silent = [
        block.name
        for page in PAGES
        for block in python_blocks(page)
        if "notest" in block.info.split() and not re.fullmatch(r"<!-- not run: .+ -->", block.before)
    ]
    assert silent == []


def test_the_others_halves_are_whole_programs(tmp_path: Path) -> None:
    """What a program in another SDK looks like: it compiles, and knows every name that it uses."""
    page = ROOT / "docs" / "coming-from.md"
    shared, *rest = python_blocks(page)
    theirs = [block for block in rest if "notest" in block.info.split()]
    assert len(theirs) == len(re.findall(r"run beside ours with \S+ \d", page.read_text(encoding="utf-8"))) == 7
    for block in theirs:
        compile(block.code, block.name, "exec")
        (tmp_path / f"line_{block.line}.py").write_text(shared.code + block.code, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F821,F822"]
    result = subprocess.run([*ruff, str(tmp_path)], capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_block_hides_python_behind_another_name() -> None:
    names = {block.info.split()[0] if block.info else "" for page in PAGES for block in blocks(page)}
    assert not names & {"py", "python3", "pycon", "Python"}


def test_nobody_is_sent_to_a_stranger() -> None:
    """The distribution called agentops-sdk belongs to somebody else."""
    wrong = [str(p) for p in PAGES if re.search(r"install[^\n]*agentops-sdk", p.read_text(encoding="utf-8"))]
    assert wrong == []
