"""A subinterpreter is told plainly that it cannot be recorded in, or what is different there."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

RUNNER = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
path, code = list(sys.path), sys.argv[1]
try:
    raised = interpreters.run_string(interpreters.create(), f"import sys; sys.path[:] = {path!r}\\n{code}")
except Exception as error:
    raised = error
print(getattr(raised, "formatted", None) or raised or "went well")
"""


def run(code: str, tmp_path: Path) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, textwrap.dedent(code)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    return done.stdout, done.stderr


@pytest.mark.skipif(sys.version_info < (3, 12), reason="before Python 3.12 what we are built on loads there")
@pytest.mark.parametrize(
    "code",
    [
        "import agentops_sdk; agentops_sdk.init()",
        "from agentops_sdk import tool",
        "import agentops_sdk as a\n@a.agent\ndef f(): ...",
        "import agentops_sdk; agentops_sdk.status()",
    ],
)
def test_it_is_told_plainly_where_it_cannot_be(code: str, tmp_path: Path) -> None:
    out, err = run(code, tmp_path)
    assert "agentops_sdk cannot be used in a subinterpreter" in out
    assert "Call it there, or run this work in a thread or a process of its own." in out
    assert "Traceback" not in out + err


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="from Python 3.12 on what we are built on does not load there")
def test_it_works_without_threads_and_says_so(tmp_path: Path) -> None:
    code = """
    import agentops_sdk as agentops
    agentops.init(integrations=[])
    with agentops.span("run"):
        pass
    print(agentops.flush())
    """
    out, err = run(code, tmp_path)
    assert "exported=1" in out
    assert "went well" in out
    assert err.count("no thread can be started") == 1


def test_the_main_interpreter_sees_its_own_import_errors() -> None:
    code = "import sys; sys.modules['orjson'] = None\nimport agentops_sdk\nagentops_sdk.init()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "subinterpreter" not in done.stderr
    assert "ModuleNotFoundError" in done.stderr
