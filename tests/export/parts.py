"""Real parts around the tests: the reference OTLP receiver, a collector, and a TCP proxy that misbehaves."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PARTS = Path(os.environ.get("AGENTOPS_TEST_PARTS") or Path(__file__).parents[2] / ".parts").absolute()


def part(name: str, pattern: str) -> Path:
    """A program of an installed part, or a skip that says how to get it."""
    found = next(iter(PARTS.glob(f"{name}/{pattern}")), None)
    if found is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing(f"{name} is not installed: scripts/test_parts.sh installs it")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], ready: str, timeout: float = 60.0, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is up once something listens at ``ready`` (host:port); killed afterwards."""
    host, port = ready.split(":")
    scratch = tempfile.mkdtemp()
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=scratch,
        env={**os.environ, **env},
        start_new_session=True,
    ) as process:
        try:
            deadline = time.monotonic() + timeout
            while True:
                try:
                    socket.create_connection((host, int(port)), 1).close()
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        pytest.skip(f"{Path(command[0]).name} did not start")
                    time.sleep(0.1)
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # some start through a wrapper
            process.wait(10)
            shutil.rmtree(scratch, ignore_errors=True)


class Agent:
    """ddapm-test-agent: a decoder of OTLP that is not ours."""

    def __init__(self, port: int, grpc: int) -> None:
        self.port, self.grpc = port, grpc
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, page: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/test/session/{page}", timeout=20) as answer:
            return json.loads(answer.read() or b"null")

    def spans(self) -> list[dict[str, Any]]:
        """Every span received, as OTLP/JSON."""
        return [
            span
            for request in self.ask("traces")
            for resource in request.get("resource_spans") or request.get("resourceSpans") or []
            for scope in resource.get("scope_spans") or resource.get("scopeSpans") or []
            for span in scope["spans"]
        ]

    def names(self) -> list[str]:
        return [span["name"] for span in self.spans()]

    def clear(self) -> None:
        with urllib.request.urlopen(f"{self.url}/test/session/clear", timeout=20):
            pass


@contextmanager
def receiving_agent() -> Iterator[Agent]:
    program = part("ddapm", "bin/ddapm-test-agent")
    agent, http, grpc = free_port(), free_port(), free_port()
    command = [str(program), "--port", str(agent), "--otlp-http-port", str(http), "--otlp-grpc-port", str(grpc)]
    with running(command, f"127.0.0.1:{http}"):
        yield Agent(http, grpc)


class Proxy:
    """A TCP proxy in front of a real backend: ``mode`` decides what the next bytes meet.

    pass, refuse (closes at once), hang (takes everything, answers nothing), slow (a few bytes at a
    time), cut (closes in the middle of the request), or an HTTP status as a number.
    """

    def __init__(self, port: int) -> None:
        self.target = port
        self.mode: str | int = "pass"
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._open.add(client)
        server: socket.socket | None = None
        try:
            while True:
                readable, _, _ = select.select([client, *([server] if server else [])], [], [], 0.1)
                mode = self.mode
                if mode == "refuse":
                    return
                if server is not None and server in readable:
                    data = server.recv(65536)
                    if not data:
                        return
                    client.sendall(data)
                if client in readable:
                    data = client.recv(65536)
                    if not data:
                        return
                    if isinstance(mode, int):
                        _drain(client, data)
                        client.sendall(f"HTTP/1.1 {mode} No\r\ncontent-length: 2\r\n\r\nno".encode())
                    elif mode == "cut":
                        return
                    elif mode != "hang":
                        if server is None:
                            server = socket.create_connection(("127.0.0.1", self.target), 10)
                        for start in range(0, len(data), 512) if mode == "slow" else (0,):
                            server.sendall(data[start : start + 512] if mode == "slow" else data)
                            if mode == "slow":
                                time.sleep(0.02)
        except OSError:
            pass
        finally:
            self._open.discard(client)
            client.close()
            if server is not None:
                server.close()

    def close(self) -> None:
        self._listener.close()
        for client in list(self._open):
            client.close()


def _drain(client: socket.socket, data: bytes) -> None:
    """Read one HTTP request to its end."""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0
    )
    while len(body) < length:
        body += client.recv(65536)
