"""Each pair of docs/coming-from.md, run: the other SDK's half with ours beside it, then ours, in one program.

The other SDK sends to a server here that says yes to everything; which addresses it takes from the environment is all
that its program is told.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from examples.local_model import LocalModel
from tests.coming_from.service import Service
from tests.docs.test_code_blocks import ROOT, python_blocks

from agentops_sdk.traces import load

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = ROOT / "docs" / "coming-from.md"
BEGIN = "import agentops_sdk\nagentops_sdk.init(exporters=['jsonl'])"
OURS = "import agentops_sdk as agentops"
END = """
import json
again = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Is there tea?"}])
agentops.flush()
print(json.dumps([type(again).__name__, again.choices[0].message.content, agentops.status().guard_errors]))
"""
CALLS = 3
"""A program's calls of the model: one in each half, one at the end."""


@dataclass(frozen=True)
class Other:
    """Another SDK: the package that must be there, and what tells it where to send."""

    package: str
    settings: dict[str, str] = field(default_factory=dict)


OTHERS = {
    "AgentOps": Other("agentops", {"AGENTOPS_API_ENDPOINT": "{}", "AGENTOPS_EXPORTER_ENDPOINT": "{}/v1/traces"}),
    "Langfuse": Other(
        "langfuse", {"LANGFUSE_BASE_URL": "{}", "LANGFUSE_PUBLIC_KEY": "pk-lf-a", "LANGFUSE_SECRET_KEY": "sk-lf-b"}
    ),
    "Logfire": Other(
        "logfire", {"LOGFIRE_BASE_URL": "{}", "LOGFIRE_TOKEN": "pylf_v1_us_0", "LOGFIRE_CONSOLE": "false"}
    ),
    "LangSmith": Other(
        "langsmith", {"LANGSMITH_TRACING": "true", "LANGSMITH_ENDPOINT": "{}", "LANGSMITH_API_KEY": "key"}
    ),
    "OpenLLMetry": Other(
        "traceloop.sdk", {"TRACELOOP_BASE_URL": "{}", "TRACELOOP_API_KEY": "key", "TRACELOOP_TELEMETRY": "false"}
    ),
    "OpenInference": Other("phoenix.otel", {"PHOENIX_COLLECTOR_ENDPOINT": "{}"}),
    "MLflow": Other("mlflow", {"MLFLOW_TRACKING_URI": "{}", "MLFLOW_EXPERIMENT_ID": "0"}),
}


def halves() -> Iterator[tuple[str, str, str]]:
    """A section's name, the other SDK's half and ours."""
    shared, *rest = python_blocks(PAGE)
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for theirs, ours in zip(rest[::2], rest[1::2], strict=True):
        name = next(line[3:] for line in lines[theirs.line :: -1] if line.startswith("## "))
        yield name, f"{shared.code}\n{theirs.code}", ours.code


def with_ours(code: str) -> str:
    """The other SDK's half, with ours begun once it is set up: before its first function, class or block."""
    first = [
        node.lineno - len(getattr(node, "decorator_list", ()))
        for node in ast.parse(code).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.With)
    ][1]  # the first of all is `ask`, which both share
    lines = code.splitlines()
    return "\n".join([*lines[: first - 1], BEGIN, *lines[first - 1 :]])


BOTH_ORDERS = {"Logfire", "OpenInference"}
"""What meets ours where it is set up: at a client's method, and at the program's provider."""

RUNS = [
    pytest.param(*pair, ours_first, id=f"{pair[0]}-{'before' if ours_first else 'after'}")
    for pair in halves()
    for ours_first in (False, True)
    if not ours_first or pair[0] in BOTH_ORDERS
]


@pytest.mark.parametrize(("name", "theirs", "ours", "ours_first"), RUNS)
def test_both_halves_run_beside_each_other(name: str, theirs: str, ours: str, ours_first: bool, tmp_path: Path) -> None:
    other = OTHERS[name]
    pytest.importorskip(other.package, reason=f"{other.package} is not installed")
    program = f"{BEGIN}\n{theirs}" if ours_first else with_ours(theirs)
    with LocalModel() as model, Service() as service:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AGENTOPS_", "OTEL_", "PYTEST_"))}
        env = {
            **inherited,
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_API_KEY": "local",
            **{key: value.format(service.url) for key, value in other.settings.items()},
        }
        done = subprocess.run(
            [sys.executable, "-c", f"{program}\n{OURS}\n{ours}\n{END}"],
            cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        kind, said, guarded = json.loads(done.stdout.strip().splitlines()[-1])
        answer = model.script({"messages": [{"role": "user", "content": ""}]}).text
        assert (kind, said, guarded) == ("ChatCompletion", answer, {})
        assert len(model.requests) == CALLS
        assert any(request.method == "POST" for request in service.requests), "the other SDK sent nothing"
    calls = [span for trace in load(tmp_path / ".agentops") for span in trace if span.kind == "llm"]
    assert [span.name for span in calls] == ["chat gpt-4o-mini"] * CALLS
    assert all(span.attributes["gen_ai.usage.output_tokens"] for span in calls)
