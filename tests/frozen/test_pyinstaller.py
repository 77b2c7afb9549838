"""A program frozen by PyInstaller records like any other; one that holds less of us says what it cannot capture."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("PyInstaller") is None, reason="PyInstaller is not installed"),
]

PROGRAM = """
import json, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import agentops_sdk as agentops

ANSWER = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini-2024-07-18",
          "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
          "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello."}}]}

class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
agentops.init()
import openai

@agentops.agent(name="poet")
def poem():
    client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_address[1]}/v1", api_key="k")
    request = [{"role": "user", "content": "hi"}]
    return client.chat.completions.create(model="gpt-4o-mini", messages=request).choices[0].message.content

print(poem())
agentops.flush(30)
print(agentops.status())
print(agentops.health())
"""
UNWANTED = (
    *("IPython", "boto3", "botocore", "cryptography", "hypothesis", "langchain", "langchain_core", "langgraph"),
    *("matplotlib", "mypy", "numpy", "pandas", "pyasn1", "pygments", "pytest", "requests", "setuptools", "tiktoken"),
    *("tkinter", "together", "urllib3", "watchdog", "websockets", "werkzeug"),
)
"""What other tests have installed: each would be looked through, and packed."""
SINKS = ("console", "jsonl", "memory", "otlp")  # PyInstaller follows what is imported for type checkers, too


SPECIFICATION = """
analysis = Analysis(["app.py"], excludes={excludes})
pyz = PYZ(analysis.pure)
EXE(pyz, analysis.scripts, analysis.binaries, analysis.datas, name="onefile", console=True)
program = EXE(pyz, analysis.scripts, exclude_binaries=True, name="app", console=True)
COLLECT(program, analysis.binaries, analysis.datas, name="onedir")
"""


def freeze(folder: Path, *, hook: bool = True) -> dict[str, Path]:
    """Both forms of the program, from one analysis of its imports, which is what takes long."""
    (folder / "app.py").write_text(PROGRAM)
    unwanted = UNWANTED if hook else (*UNWANTED, *(f"agentops_sdk.exporters.{name}" for name in SINKS))
    (folder / "app.spec").write_text(SPECIFICATION.format(excludes=unwanted))
    environment = dict(os.environ)
    if not hook:  # as a freezer that asks nobody: the entry point is hidden behind an empty one
        (folder / "sitecustomize.py").write_text(
            "import importlib.metadata as m\nreal = m.entry_points\n"
            "m.entry_points = lambda **k: real(group='none') if k.get('group') == 'pyinstaller40' else real(**k)\n"
        )
        environment["PYTHONPATH"] = str(folder)
    done = subprocess.run(
        [sys.executable, "-m", "PyInstaller", "-y", "--log-level", "WARN", "app.spec"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {"onefile": folder / "dist" / "onefile", "onedir": folder / "dist" / "onedir" / "app"}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return freeze(tmp_path_factory.mktemp("frozen"))


def run(program: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AGENTOPS_", "OTEL_", "PYTHON", "OPENAI_"))}
    (tmp_path / "work").mkdir()
    done = subprocess.run(
        [str(program)], cwd=tmp_path / "work", env=inherited, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Hello.\n")
    return done


def test_the_hook_is_announced() -> None:
    found = importlib.metadata.entry_points(group="pyinstaller40")
    assert [entry.value for entry in found if entry.value.startswith("agentops_sdk")] == [
        "agentops_sdk.__pyinstaller:get_hook_dirs"
    ]


@pytest.mark.parametrize("form", ["onedir", "onefile"])
def test_a_frozen_program_is_recorded_with_its_calls_tokens_and_cost(
    form: str, programs: dict[str, Path], tmp_path: Path
) -> None:
    done = run(programs[form], tmp_path)
    assert "  openai: patched" in done.stdout
    assert "-> jsonl: 2 exported, 0 pending, 0 lost" in done.stdout
    assert done.stdout.endswith("ok\n")
    assert done.stderr == ""
    import agentops_sdk as agentops

    trace = agentops.traces.load(tmp_path / "work" / ".agentops").latest
    assert [span.name for span in trace.spans] == ["invoke_agent poet", "chat gpt-4o-mini"]
    assert trace.cost == pytest.approx(0.000027)
    assert trace.root.resource["service.name"] == programs[form].name


@pytest.mark.long
def test_one_frozen_without_the_hook_works_and_says_what_is_missing(tmp_path: Path) -> None:
    done = run(freeze(tmp_path, hook=False)["onedir"], tmp_path)
    assert "no library is captured: the integrations are not in this program" in done.stderr
    assert "nothing is written: the sinks are not in this program" in done.stderr
    assert "openai" in done.stdout
    assert "imported, not captured" in done.stdout
    assert "failing\n  delivery: no sink could be made" in done.stdout
