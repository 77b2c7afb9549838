"""The first spans are on disk as soon as later ones: what they need is there when ``init()`` returns.

A thread that imports beside a program that computes takes a second for what takes it a twentieth otherwise. So
it is counted here what is imported, and on which thread; how long that takes is in ``benchmarks/killed.py``.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = """
import glob, json, sys, threading, time
events = []
sys.addaudithook(lambda name, args: name == "import" and events.append((threading.current_thread().name, args[0])))
if sys.argv[2] == "joined":
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    trace.set_tracer_provider(TracerProvider())
import agentops_sdk as agentops
agentops.init(integrations=[], exporters=json.loads(sys.argv[1]), pricing=sys.argv[2] != "joined")
ready = set(sys.modules)
with agentops.span("first"):
    pass
def sizes():
    files = glob.glob(".agentops/**/*.jsonl", recursive=True) + glob.glob(".agentops/**/*.seg", recursive=True)
    return [open(name, "rb").read().count(b"first") for name in files]
deadline = time.monotonic() + 30
while len(sizes()) < len(json.loads(sys.argv[1])) or not all(sizes()):
    assert time.monotonic() < deadline, sizes()
    time.sleep(0.005)
mine = threading.current_thread().name
print(json.dumps({
    "ready": sorted(ready),
    "threads": sorted({(thread, name) for thread, name in events if thread != mine}),
    "loaded": sorted(sys.modules),
}))
"""


def run(tmp_path: Path, exporters: list[str], provider: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(exporters), provider],
        cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("provider", ["private", "joined"])
@pytest.mark.parametrize(
    "exporters", [["jsonl"], ["otlp:http://127.0.0.1:9"], ["jsonl", "otlp:http://127.0.0.1:9"]], ids="+".join
)
def test_nothing_is_imported_between_the_end_of_the_first_span_and_the_disk(
    tmp_path: Path, exporters: list[str], provider: str
) -> None:
    seen = run(tmp_path, exporters, provider)
    # Threads may load what sending takes: nothing on the way to the disk waits for it.
    writing = [(thread, name) for thread, name in seen["threads"] if not thread.startswith(("agentops-load",))]
    assert writing == []
    if provider == "private":
        loaded = {name for name in seen["ready"] if name.startswith("opentelemetry.sdk.")}
        assert loaded == {"opentelemetry.sdk.version"}  # our own sinks take our own spans
    beside = {name for _, name in seen["threads"]}
    assert not {name for name in beside if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter", "orjson"))}


def test_the_console_imports_nothing_beside_the_program(tmp_path: Path) -> None:
    program = """
import sys, threading
events = []
sys.addaudithook(lambda name, args: name == "import" and events.append((threading.current_thread().name, args[0])))
import agentops_sdk as agentops
agentops.init(integrations=[], exporters=["console"])
ready = set(sys.modules)
with agentops.span("first"):
    pass
agentops.flush()
mine = threading.current_thread().name
print(sorted({name for thread, name in events if thread != mine and name not in ready and name in sys.modules}))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "first ok" in done.stderr
    assert ast.literal_eval(done.stdout) == []


def test_prices_are_not_loaded_for_a_program_that_calls_no_model(tmp_path: Path) -> None:
    assert "genai_prices" not in run(tmp_path, ["jsonl"], "private")["loaded"]


@pytest.mark.parametrize(
    ("exporter", "more"), [("otlp:http://127.0.0.1:9", ""), ("jsonl", ""), ("jsonl", "pricing=False")]
)
@pytest.mark.parametrize("library", ["anthropic", "langchain_core.language_models"])
def test_no_thread_of_ours_imports_what_model_clients_look_for_half_way(
    tmp_path: Path, library: str, exporter: str, more: str
) -> None:
    """openai 2.54 takes ``sys.modules["httpx2"]`` as it stands: half imported by us, its next client failed."""
    pytest.importorskip(library, reason=f"{library} is not installed")
    program = f"""
import sys, threading, time
events = []
sys.addaudithook(lambda name, args: name == "import" and events.append((threading.current_thread().name, args[0])))
import {library}
import agentops_sdk as agentops
agentops.init(exporters=[{exporter!r}], {more})
if {more!r}:
    import logging
    logging.getLogger("agentops_sdk").setLevel("ERROR")  # what a further init() changes is told
    agentops.init(pricing=True, log_level="error")
deadline = time.monotonic() + 30
wanted = {{"genai_prices"}} | ({{"h11"}} if "otlp" in {exporter!r} else set())
while not wanted <= set(sys.modules) and time.monotonic() < deadline:
    time.sleep(0.01)
agentops.shutdown()
mine = threading.current_thread().name
beside = {{name for thread, name in events if thread != mine}}
assert "genai_prices" in beside, beside
assert not beside & {{"httpx", "httpx2", "pydantic", "openai", "anthropic", "tiktoken"}}, beside
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_prices_are_loaded_when_a_library_that_calls_models_is_imported(tmp_path: Path) -> None:
    if importlib.util.find_spec("openai") is None:
        pytest.skip("openai is not installed")
    program = """
import sys, time
import agentops_sdk as agentops
agentops.init(integrations=["openai"])
assert "genai_prices" not in sys.modules
import openai
deadline = time.monotonic() + 30
while "genai_prices" not in sys.modules and time.monotonic() < deadline:
    time.sleep(0.01)
assert "genai_prices" in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_end_of_a_program_waits_for_what_is_being_loaded(tmp_path: Path) -> None:
    program = """
import time
import agentops_sdk as agentops
from agentops_sdk._pipeline import process_hooks
agentops.init(integrations=[])
process_hooks.load(lambda: (time.sleep(0.3), print("loaded", flush=True)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "loaded\n", "")
