"""Importing does nothing: no thread, no socket, no environment read, no heavy or vendor library."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

#: What a program that only imports us must not pay for.
HEAVY = """
aiohttp anyio anthropic asyncio genai_prices google.genai grpc httpx httpx2 jinja2 langchain langchain_core langgraph
litellm mcp openai opentelemetry.exporter opentelemetry.proto opentelemetry.sdk orjson prometheus_client pydantic
pydantic_core pytest requests rich sqlite3 tiktoken urllib3 yaml
"""
#: Vendor libraries: even `init()` leaves them to the program.
VENDORS = "anthropic google.genai langchain langchain_core langgraph litellm mcp openai tiktoken"

PROBE = """
import json, os, sys, threading
base = set(sys.modules)
events = []
watched = ("socket.__new__", "socket.connect", "socket.bind", "subprocess.Popen", "os.fork", "_thread.start_new_thread")
sys.addaudithook(lambda event, args: events.append(event) if event in watched else None)
reads = []
def spy(mapping, names):
    class Spied(type(mapping)):
        def __getitem__(self, key):
            caller = sys._getframe(1)
            while caller.f_globals.get("__name__") == "os" or caller.f_code.co_filename.startswith("<frozen"):
                caller = caller.f_back
            if caller.f_globals.get("__name__", "").startswith(("agentops_sdk", "agentops_integrations")):
                names.append(key if isinstance(key, str) else repr(key))
            return super().__getitem__(key)
    mapping.__class__ = Spied
spy(os.environ, reads)
{code}
print(json.dumps({{
    "modules": sorted(set(sys.modules) - base), "events": events, "reads": reads,
    "threads": [t.name for t in threading.enumerate()],
}}))
"""


def _probe(code: str, tmp_path: object, **env: str) -> dict[str, list[str]]:
    import os

    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROBE.format(code=textwrap.dedent(code))],
        capture_output=True,
        text=True,
        check=False,
        cwd=str(tmp_path),
        env={**{k: v for k, v in os.environ.items() if not k.startswith(("AGENTOPS_", "OTEL_"))}, **env},
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    found: dict[str, list[str]] = json.loads(result.stdout.splitlines()[-1])
    found["stdout"] = result.stdout.splitlines()[:-1]
    return found


def _loaded(modules: list[str], names: str) -> list[str]:
    return [m for m in modules if any(m == n or m.startswith(n + ".") for n in names.split())]


def test_import_does_nothing(tmp_path: object) -> None:
    found = _probe("import agentops_sdk", tmp_path)
    assert _loaded(found["modules"], HEAVY) == []
    assert found["events"] == []
    assert found["reads"] == []
    assert found["threads"] == ["MainThread"]
    assert found["stdout"] == []


def test_init_loads_what_recording_needs_alone(tmp_path: object) -> None:
    found = _probe("import agentops_sdk as agentops\nagentops.init(integrations=[])", tmp_path)
    reading = "pydantic rich agentops_sdk.status agentops_sdk.traces.files agentops_sdk.traces.record"
    assert _loaded(found["modules"], reading) == []


@pytest.mark.parametrize("exporter", ["jsonl", "otlp:http://127.0.0.1:9"])
def test_init_leaves_to_later_what_no_span_needs(tmp_path: object, exporter: str) -> None:
    """Integrations and wrapt come with the first library that is captured, what sends with the first span."""
    program = f"import agentops_sdk as agentops\nprint(agentops.init(exporters=[{exporter!r}]).enabled)"
    loaded = _probe(program, tmp_path)["modules"]
    assert _loaded(loaded, "asyncio httpcore2 httpx2 wrapt") == []
    ours = {name for name in loaded if name.startswith("agentops_integrations.")}
    assert ours == {"agentops_integrations._libraries"}


def test_shutdown_leaves_no_import_hook(tmp_path: object) -> None:
    program = """
        before = list(sys.meta_path)
        import agentops_sdk as agentops
        for _ in range(2):
            agentops.init(exporters=["memory"])
            assert len(sys.meta_path) == len(before) + 1
            agentops.shutdown()
            assert sys.meta_path == before
        """
    _probe(program, tmp_path)


def test_init_imports_no_vendor_library(tmp_path: object) -> None:
    found = _probe(
        """
        import agentops_sdk as agentops
        if hasattr(agentops, "init"):
            agentops.init()
            agentops.shutdown()
        """,
        tmp_path,
    )
    assert _loaded(found["modules"], VENDORS) == []
    assert not [event for event in found["events"] if event.startswith("socket.connect")]
    assert found["stdout"] == []


def test_import_time(tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    """Printed, not asserted: a time on a busy machine proves nothing, the list of modules above does."""

    def best(module: str) -> float:
        code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
        return min(
            float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
            for _ in range(3)
        )

    ours, theirs = best("agentops_sdk"), best("opentelemetry.sdk.trace")
    with capsys.disabled():
        print(f"\nimport agentops_sdk: {ours * 1e3:.0f} ms, {ours / theirs:.2f} x opentelemetry.sdk.trace")
