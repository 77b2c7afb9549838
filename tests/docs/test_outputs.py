"""Every output that a page shows was made by the tool, and every page is found from the index and the README.

A ``console`` block with lines that are no commands shows what its commands print in a terminal, in a directory where
the page's own program has run; ``<!-- after: COMMAND -->`` before it says what has run in its place. A line ``...``
stands for lines that are left out. Times, ids, versions and the machine's own names count as equal.

A ``text`` block that shows an output says by ``<!-- output: NAME -->`` which program of :data:`PROGRAMS` makes it.
"""

from __future__ import annotations

import contextlib
import os
import re
import runpy
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from examples.local_model import LocalModel
from tests.docs.test_code_blocks import PAGES, ROOT, RUN, Block, blocks, python_blocks

MADE_ELSEWHERE = ("<!-- begin generated:",)  # by scripts/generate.py, and compared there


def commands_and_output(block: Block) -> tuple[list[str], list[str]]:
    lines = block.code.rstrip("\n").split("\n")
    commands = [line[2:].partition("  #")[0].strip() for line in lines if line.startswith("$ ")]
    return commands, [line for line in lines if not line.startswith("$ ")]


SHOWN = [
    block
    for page in PAGES
    for block in blocks(page)
    if block.info == "console" and "".join(commands_and_output(block)[1]).strip()
]
LABELLED = [block for page in PAGES for block in blocks(page) if block.before.startswith("<!-- output: ")]


@pytest.fixture(scope="module")
def server() -> Iterator[LocalModel]:
    with LocalModel() as running:
        yield running


def environment(server: LocalModel) -> dict[str, str]:
    hidden = ("AGENTOPS_", "OTEL_", "PYTEST_", "OPENAI_")
    inherited = {
        k: v for k, v in os.environ.items() if not k.startswith(hidden) and k not in ("COLUMNS", "FORCE_COLOR")
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    more = {"PATH": path, "OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "local", "PYTHONSAFEPATH": "1"}
    return {**inherited, **more, "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}


def run_program(page: Path, directory: Path, env: dict[str, str]) -> None:
    files = []
    for block in python_blocks(page):
        if "notest" not in block.info.split() and "def test_" not in block.code:
            path = directory / ".program" / f"block_{block.line}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.code, encoding="utf-8")
            files.append(str(path))
    subprocess.run([sys.executable, "-c", RUN, *files], cwd=directory, env=env, check=True, capture_output=True)


def in_a_terminal(command: str, directory: Path, env: dict[str, str]) -> str:
    near, far = os.openpty()
    termios.tcsetwinsize(far, (40, 80))
    with subprocess.Popen(command, shell=True, cwd=directory, env=env, stdout=far, stderr=far) as running:
        os.close(far)
        printed = b""
        with contextlib.suppress(OSError):
            while part := os.read(near, 65_536):
                printed += part
        running.wait()
    os.close(near)
    return printed.decode().replace("\r\n", "\n")


def without_chance(line: str) -> str:
    """A line less what differs from run to run, and the blanks that only align it."""
    line = re.sub(r"\x1b\[[\d;]*m", "", line)
    line = re.sub(r"\d{4}-\d\d-\d\d|\d\d-\d\d(?= \d\d:)", "DATE", line)
    line = re.sub(r"\d\d:\d\d(:\d\d)?", "TIME", line)
    line = re.sub(r"\b[0-9a-f]{8,32}\b", "ID", line)
    line = re.sub(r"\d+(\.\d+)?\s?(ms|µs|s|min)\b", "DURATION", line)
    line = re.sub(r"\b\d+\.\d+(\.\d+)?\b", "NUMBER", line)
    line = re.sub(r"\(\w+ \w+\)$", "(MACHINE)", line)
    return re.sub(r"\s+", " ", line).strip()


def _unwrapped(lines: list[str]) -> list[str]:
    """Where a sentence of a numbered list is broken depends on how long its figures are."""
    whole: list[str] = []
    for line in lines:
        if whole and line.startswith("   ") and re.match(r"\d+\. ", whole[-1]):
            whole[-1] = f"{whole[-1].rstrip()} {line.strip()}"
        else:
            whole.append(line)
    return whole


def insist_on(shown: list[str], printed: str) -> None:
    """Every line that is shown was printed, in that order; nothing else was, but where ``...`` stands."""
    left = [text for line in _unwrapped(printed.split("\n")) if (text := without_chance(line))]
    for wanted in (without_chance(line) for line in _unwrapped(shown)):
        if wanted in ("...", ""):
            continue
        assert wanted in left, f"{wanted!r} is not in what was printed:\n{printed}"
        place = left.index(wanted)
        assert place == 0 or "..." in map(without_chance, shown), f"{left[:place]} is printed and not shown"
        del left[: place + 1]
    assert not left or without_chance(shown[-1]) == "...", f"{left} is printed and not shown"


@pytest.mark.parametrize("block", SHOWN, ids=lambda block: block.name)
def test_what_a_console_shows_is_what_is_printed(block: Block, server: LocalModel, tmp_path: Path) -> None:
    env = environment(server)
    after = re.fullmatch(r"<!-- after: (.+) -->", block.before)
    if after is not None:
        command = after[1].replace("ROOT", str(ROOT))
        without = {name: text for name, text in env.items() if not name.startswith(("OPENAI_", "PYTHONSAFEPATH"))}
        subprocess.run(command, shell=True, cwd=tmp_path, env=without, check=True, capture_output=True)
    else:
        run_program(block.page, tmp_path, env)
    commands, shown = commands_and_output(block)
    insist_on(shown, "\n".join(in_a_terminal(command, tmp_path, env) for command in commands))


# --- other outputs -------------------------------------------------------------------------------


def failure(page: Path, server: LocalModel, directory: Path) -> str:
    """The agent of the page asks for the weather twice; its test is the page's."""
    (code,) = [block.code for block in python_blocks(page) if "def travel" in block.code]
    (test,) = [block.code for block in python_blocks(page) if "def test_it_looks_at_the_weather_once" in block.code]
    twice = "                get_weather(**json.loads(call.function.arguments))\n                result = get_weather("
    broken = code.replace("                result = get_weather(", twice)
    assert broken != code
    (directory / "test_agent.py").write_text(broken + "\n\n" + test.replace(code, ""), encoding="utf-8")
    return pytest_says(directory, server)


def pytest_says(directory: Path, server: LocalModel, *arguments: str) -> str:
    ours = ("-p", "agentops_sdk.pytest_plugin")  # what else is installed takes seconds to load
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *ours, *arguments]
    env = {**environment(server), "COLUMNS": "100", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=directory, env=env, capture_output=True, encoding="utf-8", check=False)
    return re.sub(r"^E  ? ?", "", done.stdout, flags=re.MULTILINE)


def replayed(page: Path, server: LocalModel, directory: Path) -> str:
    """Recorded while the weather was fine; then it rains."""
    (code,) = [block.code for block in python_blocks(page) if "def travel" in block.code]
    (test,) = [block.code for block in python_blocks(page) if "def test_it_looks_at_the_weather_once" in block.code]
    marked = test.replace("def test_it", "import pytest\n\n\n@pytest.mark.agentops_replay\ndef test_it")
    file = directory / "test_agent.py"
    file.write_text(code + "\n\n" + marked, encoding="utf-8")
    pytest_says(directory, server, "--agentops-record")
    file.write_text(file.read_text(encoding="utf-8").replace("Sunny in", "Rainy in"), encoding="utf-8")
    return pytest_says(directory, server)


SNAPSHOT = """
import agentops_sdk as agentops
from agentops_sdk.testing import capture

@agentops.tool
def search(q): return ["all about " + q]

@agentops.tool
def answer(text): return text

@agentops.agent
def planner():
    found = search(q="sloths")
    agentops.decide("route", "answer", options=["answer", "give up"], reason="something was found")
    answer(text=found[0])

with capture() as traces:
    planner()
print(traces.snapshot())
"""


def snapshot(page: Path, server: LocalModel, directory: Path) -> str:
    command = [sys.executable, "-c", SNAPSHOT]
    return subprocess.check_output(command, cwd=directory, env=environment(server), encoding="utf-8")


PROGRAMS: dict[str, Callable[[Path, LocalModel, Path], str]] = {
    "failure": failure,
    "replayed": replayed,
    "snapshot": snapshot,
}


@pytest.mark.parametrize("block", LABELLED, ids=lambda block: block.name)
def test_what_a_text_shows_is_what_is_printed(block: Block, server: LocalModel, tmp_path: Path) -> None:
    name = block.before.removeprefix("<!-- output: ").removesuffix(" -->")
    printed = PROGRAMS[name](block.page, server, tmp_path)
    insist_on(["...", *block.code.rstrip("\n").split("\n"), "..."], printed)


def test_no_text_that_looks_like_an_output_goes_without_a_label() -> None:
    looks = re.compile(r"^(\S.* (ok|error)  \d|[●■◆├└]|.*Error: |model request \d|agent \w+$)", re.MULTILINE)
    unlabelled = [
        block.name
        for page in PAGES
        for block in blocks(page)
        if block.info == "text"
        and looks.search(block.code)
        and not block.before.startswith(("<!-- output: ", *MADE_ELSEWHERE))
    ]
    assert unlabelled == []


# --- the way to every page -----------------------------------------------------------------------


@pytest.mark.parametrize("start", ["README.md", "docs/index.md"])
def test_every_page_is_one_click_away(start: str) -> None:
    page = ROOT / start
    links = re.findall(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)", page.read_text(encoding="utf-8"))
    linked = {(page.parent / link).resolve() for link in links if "://" not in link}
    pages = {path.resolve() for path in (ROOT / "docs").rglob("*.md")} - {page.resolve()}
    for index in linked & {path for path in pages if path.name == "index.md"}:  # a folder with a list of its own
        links = re.findall(r"\]\(([^)\s#:]+)", index.read_text(encoding="utf-8"))
        linked = linked | {(index.parent / link).resolve() for link in links}
    assert sorted(str(path.relative_to(ROOT)) for path in pages - linked) == []


def test_the_contents_and_the_navigation_have_the_same_groups() -> None:
    navigation = runpy.run_path(str(ROOT / "scripts" / "docs_site.py"))["MAP"]
    contents = (ROOT / "docs" / "index.md").read_text(encoding="utf-8").split("\n## ")[1:]
    groups = {
        title: re.findall(r"\]\(([^)\s#/]+\.md)\)", text) for title, _, text in (g.partition("\n") for g in contents)
    }
    assert {title: [page for page in pages if not page.endswith("/")] for title, pages in navigation.items()} == {
        title: pages for title, pages in groups.items() if title in navigation
    }
