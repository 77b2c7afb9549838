"""Whole programs over real HTTP: their trees, and tokens that count once wherever they are exported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.framework_settings import check_given
from tests.langchain.forest import tree
from tests.openai.spans import check_schemas
from tests.openai_agents.conftest import TOKENS, TREES, Model
from tests.openai_agents.programs import PROGRAMS

import agentops_sdk as agentops
from agentops_sdk.exporters.memory import MemoryExporter

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
async def test_program(program: Any, model: Any, script: Model) -> None:
    exporter = MemoryExporter()
    agentops.init(exporters=[exporter])
    await program(model, script)
    assert agentops.flush()
    spans = exporter.finished_spans()
    assert agentops.status().spans["open"] == 0
    for span in spans:
        check_schemas(dict(span.attributes))
    file = TREES / f"{program.__name__}.txt"
    if os.environ.get("AGENTOPS_UPDATE_TREES"):
        file.write_text(tree(spans))
    assert tree(spans) == file.read_text()
    assert sum(span.attributes.get("gen_ai.usage.input_tokens", 0) for span in spans) == script.answered * TOKENS[0]


def test_tokens_count_once_in_the_programs_own_exporter_too() -> None:
    """The provider is the program's: of its own, and set globally before us, which wants a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.openai_agents.joined"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]


def test_what_an_agent_is_given_is_told() -> None:
    check_given("openai_agents")
