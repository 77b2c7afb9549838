"""The example that people copy runs as it is: offline, without a key; its recordings come from the script below."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from examples.local_model import JSON, LocalModel, Reply, ToolCall

ROOT = Path(__file__).parents[2]
EXAMPLE = "examples/test_refund_agent.py"


def answer(request: JSON) -> Reply:
    """What the model of the example answers."""
    last = request["messages"][-1]
    if last["role"] == "tool":
        return Reply(text=f"Done: {last['content']}.")
    order = re.search(r"\b[A-Z]\d\b", last["content"])
    if order is None:
        return Reply(text="Hello! Which order is it about?")
    return Reply(tool_calls=(ToolCall("look_up_order", {"order_id": order[0]}),))


WITH_XDIST = ("-p", "agentops_sdk.pytest_plugin", "-p", "xdist", "-p", "asyncio", "-n", "2")


@pytest.mark.parametrize("options", [(), WITH_XDIST], ids=["one process", "xdist"])
def test_it_runs_offline(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)
    if options:  # the other one shows that the plugin is found; loading all that are installed takes seconds
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    result = pytester.runpytest_subprocess(
        str(ROOT / EXAMPLE), f"--rootdir={ROOT}", "-q", "--agentops-no-network-models", *options
    )
    result.assert_outcomes(passed=5)


if __name__ == "__main__":  # record it: python -m tests.testing.test_refund_example
    import os
    import subprocess

    with LocalModel(answer) as server:
        env = {**os.environ, "OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "local"}
        command = [sys.executable, "-m", "pytest", "-q", EXAMPLE, "--agentops-record"]
        sys.exit(subprocess.run(command, cwd=ROOT, env=env, check=False).returncode)
