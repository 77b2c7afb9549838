"""How far a long command has come: said on a terminal, and nowhere else."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest
from tests.traces.samples import agent

from agentops_sdk.cli import _progress
from agentops_sdk.cli._progress import progress
from agentops_sdk.traces import load
from agentops_sdk.traces.advance import advancing, told


class Screen(io.StringIO):
    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal
        self.half = threading.Event()

    def write(self, text: str) -> int:
        if "50%" in text:
            self.half.set()
        return super().write(text)

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_is_told_the_share_that_is_done(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    screen = Screen(terminal=terminal)
    monkeypatch.setattr(_progress, "_FIRST", 0.001)
    monkeypatch.setattr("sys.stderr", screen)
    with progress("reading", "files"):
        for number in advancing(range(4)):
            if terminal and number == 2:
                screen.half.wait(30)  # until the reporter has had its turn
    assert ("reading files ... 50%, 0 s" in screen.getvalue()) is terminal
    assert bool(screen.getvalue()) is terminal


def test_reading_a_folder_and_searching_in_it_say_how_far_they_are(tmp_path: Path) -> None:
    for number in range(3):
        record = agent("travel", trace_id=f"{number + 1:032x}").model_dump_json(exclude_unset=True)
        (tmp_path / f"{number}.jsonl").write_text(record + "\n")
    shares: list[float] = []
    before = told.set(shares.append)
    try:
        traces = load(tmp_path)
        assert [round(share, 2) for share in shares] == [0, 0.33, 0.67, 1]
        shares.clear()
        assert len(traces.where(agent="travel")) == 3
        assert len(shares) == 4
    finally:
        told.reset(before)
