"""Run the load test of deploy/load with Locust against the service of deploy/docker: every request has its run.

    python scripts/check_load.py LOCUST-BINARY

The model is the bundled one; the time each request took is laid beside the run that its trace id names.
"""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory

from agentops_sdk.traces import load

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "examples"))
from local_model import LocalModel, Reply  # noqa: E402 - beside the examples


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(locust: str) -> int:
    """0 where every answered request has its run."""
    with TemporaryDirectory() as folder, LocalModel(lambda _: Reply(text="3.20")) as model:
        port = free_port()
        told = {"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "local", "HOST": "127.0.0.1", "PORT": str(port)}
        service = subprocess.Popen(
            [sys.executable, ROOT / "deploy" / "docker" / "service.py"],
            env={**os.environ, **told, "AGENTOPS_DIR": folder}, stdout=subprocess.PIPE,
        )  # fmt: skip
        try:
            assert service.stdout is not None
            service.stdout.readline()  # it listens
            subprocess.run(
                [locust, "-f", ROOT / "deploy" / "load" / "locustfile.py",
                 "--headless", "-u", "4", "-r", "4", "-t", "5s",
                 "--host", f"http://127.0.0.1:{port}", "--only-summary"], cwd=folder, check=True,
            )  # fmt: skip
        finally:
            service.send_signal(signal.SIGTERM)
            ended = service.wait(30)
        with (Path(folder) / "requests.csv").open() as file:
            requests = {row["trace"]: row for row in csv.DictReader(file) if row["status"] == "200"}
        runs = {trace.trace_id: trace for trace in load(folder)}
        missing = [trace for trace in requests if trace not in runs]
        slower = [
            trace for trace, row in requests.items()
            if trace in runs and runs[trace].duration * 1000 > float(row["milliseconds"]) + 50
        ]  # fmt: skip
        whole = sum(len(run.llm_calls) == len(run.tool_calls) == len(run.agents) == 1 for run in runs.values())
    print(f"{len(requests)} requests, {len(runs)} runs, {whole} of them whole, {len(missing)} requests without a run")
    return 1 if missing or slower or not requests or whole < len(requests) or ended else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
