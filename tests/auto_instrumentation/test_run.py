"""``agentops run``: a program is what it is without us, in every respect that it can see, and is recorded."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

AGENTOPS = [sys.executable, "-m", "agentops_sdk", "run"]

SEEN = """
import json, os, sys
import agentops_sdk as agentops
with agentops.span("work"):
    pass
print(json.dumps({
    "argv": sys.argv, "path": sys.path, "file": __file__, "name": __name__, "stdin": sys.stdin.read(),
    "package": __package__, "spec": getattr(__spec__, "name", None), "flags": list(sys.flags),
    "main": sys.modules["__main__"].__dict__ is globals(), "customized": "sitecustomize" in sys.modules,
    "warnoptions": sys.warnoptions, "isatty": sys.stdout.isatty(), "sigpipe": str(__import__("signal").getsignal(13)),
}))
raise SystemExit(7)
"""


def start(directory: Path, command: list[str], **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=directory,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )


def run(directory: Path, command: list[str], **env: str) -> tuple[int, str, str]:
    with start(directory, command, **env) as process:
        out, err = process.communicate("some input", timeout=60)
    return process.returncode, out, err


def records(directory: Path) -> list[dict[str, Any]]:
    files = (directory / ".agentops" / "traces").glob("*.jsonl")
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


def until(condition: Any, timeout: float = 30.0) -> bool:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("form", ["file", "module", "command"])
def test_a_program_sees_nothing_of_us_and_is_recorded(tmp_path: Path, form: str) -> None:
    (tmp_path / "program.py").write_text(SEEN)
    script = tmp_path / "bin" / "a-command"
    script.parent.mkdir()
    script.write_text(f"#!{sys.executable}\n{SEEN}")
    script.chmod(0o755)
    words = {"file": ["program.py"], "module": ["-X", "utf8", "-m", "program"], "command": ["a-command"]}[form]
    bare = {"file": [sys.executable], "module": [sys.executable], "command": []}[form]
    path = f"{script.parent}{os.pathsep}{os.environ['PATH']}"
    arguments = ["--version", "-m", "x", "--", "-h"]
    if form == "command":
        bare, words_bare = [str(script)], []
    else:
        words_bare = words
    without = run(tmp_path, [*bare, *words_bare, *arguments], PATH=path)
    assert records(tmp_path) == []
    assert run(tmp_path, [*AGENTOPS, *words, *arguments], PATH=path) == without
    assert without[0] == 7
    (record,) = records(tmp_path)
    assert record["name"] == "work"
    assert record["resource"]["service.name"] == ("a-command" if form == "command" else "program")


def test_it_is_the_same_process_and_its_signals_reach_it(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)")
    for number in (signal.SIGTERM, signal.SIGINT):
        with start(tmp_path, [*AGENTOPS, "program.py"]) as process:
            assert process.stdout is not None
            assert int(process.stdout.readline()) == process.pid
            process.send_signal(number)
            assert process.wait(30) == -number


def test_the_users_own_sitecustomize_runs_once_and_first(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text(
        "import sys\nMINE = 1\nif sys.argv == ['program.py']: print('own', 'agentops_sdk' in sys.modules)"
    )
    (tmp_path / "program.py").write_text("import sitecustomize, agentops_sdk\nprint(sitecustomize.MINE)")
    code, out, err = run(tmp_path, [*AGENTOPS, "program.py"], PYTHONPATH=str(own))
    assert (code, out.split(), err) == (0, ["own", "False", "1"], "")


def test_what_the_program_starts_is_recorded_too(tmp_path: Path) -> None:
    (tmp_path / "child.py").write_text("import agentops_sdk\nwith agentops_sdk.span('child'): pass")
    (tmp_path / "program.py").write_text(
        """
import multiprocessing, subprocess, sys
import agentops_sdk as agentops
def work():
    with agentops.span("spawned"):
        pass
if __name__ == "__main__":
    with agentops.span("parent"):
        process = multiprocessing.get_context("spawn").Process(target=work)
        process.start()
        process.join()
        subprocess.run([sys.executable, "child.py"], check=True)
"""
    )
    code, out, err = run(tmp_path, [*AGENTOPS, "program.py"])
    assert (code, out, err) == (0, "", "")
    found = {record["name"]: record for record in records(tmp_path)}
    assert {name: record["resource"]["service.name"] for name, record in found.items()} == {
        "parent": "program", "spawned": "program", "child": "child",
    }  # fmt: skip
    assert len({record["trace_id"] for record in found.values()}) == 1


def test_a_reloading_server_is_recorded_before_and_after_the_reload(tmp_path: Path) -> None:
    program = """
import agentops_sdk as agentops
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    with agentops.span("VERSION"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"VERSION"})
"""
    (tmp_path / "served.py").write_text(program.replace("VERSION", "first"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*AGENTOPS, "uvicorn", "--reload", "--port", str(port), "--lifespan", "off", "served:app"]

    def answers(text: bytes) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as response:
                return bool(response.read() == text)
        except (urllib.error.URLError, OSError):
            return False

    with start(tmp_path, command) as server:
        assert until(lambda: answers(b"first"))
        (tmp_path / "served.py").write_text(program.replace("VERSION", "second"))
        assert until(lambda: answers(b"second"))
        server.terminate()
        server.communicate(timeout=30)
    assert {record["name"] for record in records(tmp_path)} == {"first", "second"}
    assert {record["resource"]["service.name"] for record in records(tmp_path)} == {"uvicorn"}


@pytest.mark.parametrize(
    ("words", "told"),
    [(["nothing-of-this-name"], "a command that is installed"), (["-I", "-c", ""], "no -I"), ([], "usage:")],
)
def test_what_cannot_be_run_is_told(tmp_path: Path, words: list[str], told: str) -> None:
    code, out, err = run(tmp_path, [*AGENTOPS, *words])
    assert (code, out) == (2, "")
    assert told in err


def test_a_program_that_calls_init_itself_has_its_own_settings(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        """
import agentops_sdk as agentops
agentops.init(service_name="mine", integrations=[])
with agentops.span("work"):
    pass
"""
    )
    assert run(tmp_path, [*AGENTOPS, "program.py"]) == (0, "", "")
    (record,) = records(tmp_path)
    assert record["resource"]["service.name"] == "mine"
