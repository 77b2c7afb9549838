"""A trace goes on in processes: pools, multiprocessing by fork and spawn, and subprocesses through TRACEPARENT."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import multiprocessing, os, subprocess, sys, time
from concurrent.futures import ProcessPoolExecutor
import agentops_sdk as agentops

agentops.init(integrations=[], exporters=["jsonl"], directory=sys.argv[1] if len(sys.argv) > 1 else os.environ["OUT"])

def leaf(name):
    with agentops.span(name):
        pass
    return name

if __name__ == "__main__":
    os.environ["OUT"] = sys.argv[1]
    method = sys.argv[2]
    with agentops.span("root"), agentops.context(session_id="s-1"):
        if method == "subprocess":
            child = ("import os, agentops_sdk as a; a.init(integrations=[], directory=os.environ['OUT'])\\n"
                     "with a.trace('child'): pass\\n")
            subprocess.run([sys.executable, "-c", child], check=True)
        else:
            context = multiprocessing.get_context(method)
            process = context.Process(target=leaf, args=("child",))
            process.start()
            process.join()
            assert process.exitcode == 0
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                assert pool.submit(leaf, "pool").result() == "pool"
                assert list(pool.map(leaf, ["map"])) == ["map"]
                with agentops.span("second"):
                    pool.submit(leaf, "pool second").result()
    agentops.shutdown()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "subprocess"])
def test_children_of_other_processes(tmp_path: Path, method: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    env = {name: value for name, value in os.environ.items() if name not in ("TRACEPARENT", "BAGGAGE")}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program), str(tmp_path / "out"), method],
        env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [
        json.loads(line)
        for file in sorted((tmp_path / "out" / "traces").glob("*.jsonl"))
        for line in file.read_text().splitlines()
    ]
    names = {row["span_id"]: row["name"] for row in rows}
    tree = {row["name"]: names.get(row["parent_id"]) for row in rows}
    if method == "subprocess":
        assert tree == {"root": None, "child": "root"}
    else:
        assert tree == {"root": None, "child": "root", "pool": "root", "map": "root", "second": "root",
                        "pool second": "second"}  # fmt: skip
    assert len(rows) == len(tree)
    assert len({row["trace_id"] for row in rows}) == 1
    assert {row["attributes"].get("session.id") for row in rows if row["name"] != "root"} == {"s-1"}


def test_an_environment_that_was_given_is_left_alone(tmp_path: Path) -> None:
    import agentops_sdk as agentops

    agentops.init(exporters=["memory"], integrations=[])
    show = [sys.executable, "-c", "import os; print(os.environ.get('TRACEPARENT'))"]
    with agentops.span("root"):
        given = subprocess.run(show, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True)
        inherited = subprocess.run(show, capture_output=True, text=True, check=True)
    assert given.stdout.strip() == "None"
    assert inherited.stdout.startswith("00-")
    agentops.shutdown()
    outside = subprocess.run(show, capture_output=True, text=True, check=True)
    assert outside.stdout.strip() == "None"
