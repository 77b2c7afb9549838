"""A program that closes descriptors it did not open, as daemons do: recording goes on, its own files stay its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import agentops_sdk as agentops
from agentops_sdk.exporters.jsonl import JsonlExporter


def record() -> None:
    with agentops.span("s"):
        pass
    agentops.flush()


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are numbered otherwise on Windows")
@pytest.mark.parametrize("reused", [True, False], ids=["number reused", "number free"])
def test_spans_go_on_and_a_file_of_the_program_is_left_alone(tmp_path: Path, reused: bool) -> None:
    exporter = JsonlExporter(tmp_path / "traces")
    agentops.init(exporters=[exporter], integrations=[])
    record()
    number = exporter._descriptor  # what a daemon closes without asking
    if reused:
        theirs = os.open(tmp_path / "theirs", os.O_WRONLY | os.O_CREAT)
        os.dup2(theirs, number)
        os.close(theirs)
    else:
        os.close(number)
    record()
    result = agentops.shutdown()
    assert (result.exported, result.remaining, result.lost) == (2, 0, 0)
    assert sum(len(path.read_text().splitlines()) for path in (tmp_path / "traces").glob("*.jsonl")) == 2
    if reused:
        os.write(number, b"still mine\n")
        os.close(number)
        assert (tmp_path / "theirs").read_text() == "still mine\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("output", [">/dev/full", ">&-"])
def test_the_command_line_without_a_place_to_write_shows_no_traceback(tmp_path: Path, output: str) -> None:
    agentops.init(exporters=[f"jsonl:{tmp_path}"], integrations=[])
    record()
    agentops.shutdown()
    done = subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -m agentops_sdk ls --dir "{tmp_path}" {output}'],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode == (1 if "full" in output else 0)
    if "full" in output:
        assert "agentops: cannot write" in done.stderr
