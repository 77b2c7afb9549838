"""One name for one thing: what is public is listed once; names of before work, or say what they are called now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import agentops_sdk as agentops
from agentops_sdk.cli import main
from agentops_sdk.spans import span
from agentops_sdk.track import task

PAGES = Path(__file__).parents[1]
ANOTHER_SPELLING = re.compile(r"agentops\.(trace|operation)\b")


def test_other_spellings_work_and_are_not_listed() -> None:
    assert {"trace", "operation"}.isdisjoint(agentops.__all__)
    assert {"trace", "operation"}.isdisjoint(dir(agentops))

    @agentops.operation
    def step() -> None: ...

    with agentops.testing.capture() as traces, agentops.trace("block", kind="tool"):
        step()
    assert [(each.name, each.kind) for each in traces.spans] == [("execute_tool block", "tool"), ("step", "task")]
    assert agentops.trace is span
    assert agentops.operation is task


def test_pages_and_examples_use_the_one_name() -> None:
    pages = [PAGES / "README.md", *PAGES.glob("docs/**/*.md"), *PAGES.glob("examples/**/*.py")]
    assert len(pages) > 20
    pages.remove(PAGES / "docs" / "coming-from.md")  # somebody else's module has the name that ours is imported by
    assert [str(page) for page in pages if ANOTHER_SPELLING.search(page.read_text(encoding="utf-8"))] == []


def test_there_is_one_public_cost() -> None:
    assert agentops.traces.Cost(1) + agentops.traces.Cost(1) == agentops.traces.Cost(2)
    assert agentops.prices.Price(None, None).amount is None
    with pytest.raises(AttributeError, match="'Cost': it is called 'Price' now"):
        agentops.prices.Cost  # noqa: B018 - asking is the test
    with pytest.raises(AttributeError, match=r"no attribute 'Costs'$"):
        agentops.prices.Costs  # noqa: B018 - asking is the test


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("source", ["keyword", "variable", "file", "configure"])
def test_a_setting_is_understood_by_its_name_of_before(
    source: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keywords = {"plumbing": False} if source == "keyword" else {}
    if source == "variable":
        monkeypatch.setenv("AGENTOPS_PLUMBING", "0")
    if source == "file":
        (directory / "pyproject.toml").write_text("[tool.agentops]\nplumbing = false\n")
    agentops.init(exporters=["memory"], integrations=[], **keywords)
    if source == "configure":
        agentops.configure(plumbing=False)
    settings = agentops.status().settings
    agentops.shutdown()
    assert settings["internal"].value is False
    assert "plumbing" not in settings


def test_the_name_of_now_wins(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOPS_PLUMBING", "1")
    monkeypatch.setenv("AGENTOPS_INTERNAL", "0")
    agentops.init(exporters=["memory"], integrations=[])
    settings = agentops.status().settings
    agentops.shutdown()
    assert settings["internal"].value is False


@pytest.mark.parametrize("name", ["agentops.internal", "agentops.plumbing"])
def test_files_of_before_fold_as_those_of_now(name: str, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    agentops.init(integrations=[])
    with agentops.span("top"), agentops.span("between") as between:
        between.set(name, True)
        with agentops.span("below"):
            pass
    agentops.shutdown()
    assert main(["show", "latest"]) == 0
    folded = capsys.readouterr().out
    assert "below" in folded
    assert "between" not in folded
    for option in ("--internal", "--plumbing"):
        assert main(["show", "latest", option]) == 0
        assert "between" in capsys.readouterr().out


def test_internal_is_what_the_help_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--internal" in shown
    assert "plumbing" not in shown
