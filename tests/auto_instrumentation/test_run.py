"""``agentops run``: a program is what it is without us, in every respect that it can see, and is recorded."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import until

AGENTOPS = [sys.executable, "-m", "agentops_sdk", "run"]

SEEN = """
import json, os, signal, sys, threading
import agentops_sdk as agentops
with agentops.span("work"):
    pass
main = sys.modules["__main__"]
print(json.dumps({
    "argv": sys.argv, "orig_argv": sys.orig_argv, "path": sys.path, "flags": list(sys.flags), "name": __name__,
    "file": getattr(main, "__file__", None), "package": main.__package__, "loader": type(main.__loader__).__name__,
    "spec": main.__spec__ and [main.__spec__.name, main.__spec__.origin], "names": sorted(vars(main)),
    "is main": vars(main) is globals(), "stdin": sys.stdin.read(), "warnoptions": sys.warnoptions, "x": sys._xoptions,
    "executable": sys.executable, "customized": "sitecustomize" in sys.modules,
    "streams": [[s.encoding, s.errors, s.line_buffering] for s in (sys.stdout, sys.stderr)],
    "signals": {s.name: str(signal.getsignal(s)) for s in signal.Signals if s in signal.valid_signals()},
    "blocked": [int(s) for s in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
    "hooks": [sys.excepthook is sys.__excepthook__, threading.excepthook is threading.__excepthook__],
}))
print("to stderr", file=sys.stderr)
raise SystemExit(7)
"""

# Each ends the way it is called, with a span behind it and one that is open.
ENDS = """
import os, signal, sys, threading
import agentops_sdk as agentops
with agentops.span("work"):
    pass
def kill(number):
    os.kill(os.getpid(), number)
    signal.pause()
def exit_on_signal():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
    kill(signal.SIGTERM)
if sys.argv[1] == "thread":
    threading.Thread(target=lambda: 1 / 0).start()
with agentops.span("open"):
    {
        "exit text": lambda: sys.exit("bye"), "exit at once": lambda: os._exit(5), "error": lambda: [][1],
        "thread": int, "interrupt": lambda: kill(signal.SIGINT), "handler": exit_on_signal,
        "kill": lambda: kill(signal.SIGKILL),
    }[sys.argv[1]]()
"""


class Program(subprocess.Popen[str]):
    def __exit__(self, kind: type[BaseException] | None, *more: Any) -> None:  # noqa: PYI036 - handed on
        if kind is not None:  # a test that has failed does not wait for it
            self.kill()
        super().__exit__(kind, *more)


def start(directory: Path, command: list[str], **env: str) -> Program:
    return Program(
        command,
        cwd=directory,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )


def run(directory: Path, command: list[str], piped: str = "some input", **env: str) -> tuple[int, str, str]:
    with start(directory, command, **env) as process:
        out, err = process.communicate(piped, timeout=60)
    return process.returncode, out, err


def records(directory: Path) -> list[dict[str, Any]]:
    files = (directory / ".agentops" / "traces").glob("*.jsonl")
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


# Python's options and the program; what is piped in is "some input" but where it is the program itself.
FORMS = {
    "file": ["program.py"],
    "file under options": ["-W", "error", "-OO", "-X", "dev", "./program.py"],
    "folder": ["a-folder"],
    "archive": ["archive.pyz"],
    "package": ["-um", "package"],
    "code": ["-c", SEEN],
    "standard input": ["-"],
    "installed command": ["gunicorn", "--check-config", "program:app"],
}


@pytest.mark.parametrize("form", FORMS)
def test_a_program_sees_nothing_of_us_and_is_recorded(tmp_path: Path, form: str) -> None:
    for name in ("program.py", "package/__main__.py", "a-folder/__main__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(SEEN)
    with zipfile.ZipFile(tmp_path / "archive.pyz", "w") as archive:
        archive.writestr("__main__.py", SEEN)
    if form == "installed command":
        words, bare = FORMS[form], [str(Path(sys.executable).parent / FORMS[form][0]), *FORMS[form][1:]]
    else:
        words = [*FORMS[form], "--version", "-m", "x", "--", "-h", "", "two words"]
        bare = [sys.executable, *words]
    piped = SEEN if form == "standard input" else "some input"
    without = run(tmp_path, bare, piped)
    assert without[0] == 7
    assert without[2] == "to stderr\n"
    assert records(tmp_path) == []
    assert run(tmp_path, [*AGENTOPS, *words], piped) == without
    (record,) = records(tmp_path)
    assert record["name"] == "work"
    assert record["resource"]["service.name"] == {
        "file": "program", "file under options": "program", "folder": "a-folder", "archive": "archive.pyz",
        "package": "package", "code": "python", "standard input": "python", "installed command": "gunicorn",
    }[form]  # fmt: skip


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("exit text", 1), ("exit at once", 5), ("error", 1), ("thread", 0), ("interrupt", -signal.SIGINT),
        ("handler", 9), ("kill", -signal.SIGKILL),
    ],
)  # fmt: skip
def test_a_program_ends_as_without_us(tmp_path: Path, end: str, code: int) -> None:
    (tmp_path / "program.py").write_text(ENDS)
    without = run(tmp_path, [sys.executable, "program.py", end])
    assert without[0] == code
    assert run(tmp_path, [*AGENTOPS, "program.py", end]) == without


@pytest.mark.slow
def test_a_suite_whose_warnings_are_errors_runs_as_without_us(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("import agentops_sdk\ndef test():\n    with agentops_sdk.span('work'): pass")
    code, out, err = run(
        tmp_path, [*AGENTOPS, "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:asyncio", "test_it.py"]
    )
    assert (code, "1 passed" in out, "warning" in out, err) == (0, True, False, "")
    assert [record["name"] for record in records(tmp_path)] == ["work"]


def test_it_is_the_same_process_and_its_signals_reach_it(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
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


def test_a_spawned_pool_that_is_killed_with_its_last_result_has_told_all(tmp_path: Path) -> None:
    """Recording begins there before ``multiprocessing`` knows that this is a child of its own."""
    (tmp_path / "program.py").write_text(
        """
import multiprocessing
import agentops_sdk as agentops
def work(_):
    for number in range(2_000):
        with agentops.span("step", number=number):
            pass
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.map(work, [None])
"""
    )
    code, out, err = run(tmp_path, [*AGENTOPS, "program.py"])
    assert (code, out, err) == (0, "", "")
    assert len(records(tmp_path)) == 2_000


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
        for _ in range(10):  # before it has looked at the file, who reloads takes any for the first
            (tmp_path / "served.py").write_text(program.replace("VERSION", "second"))
            if until(lambda: answers(b"second"), timeout=3):
                break
        else:
            pytest.fail("the server was not loaded anew")
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
