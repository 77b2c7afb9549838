"""The command line over a ClickHouse server, by the official client, over HTTP."""

from __future__ import annotations

import http.client
import importlib.util
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.store.runs import ONE, runs

from agentops_sdk.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.store.collector import Engine, Server

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("chdb") is None or importlib.util.find_spec("clickhouse_connect") is None,
    reason="chdb, which is ClickHouse in a process, or the extra clickhouse is not installed",
)


@pytest.fixture(scope="module")
def server(clickhouse: Engine) -> Iterator[Server]:
    from tests.store.collector import Server

    clickhouse.fill("otel_traces", runs(), is_json=False)
    server = Server(clickhouse)
    yield server
    server.shutdown()
    server.server_close()


def test_every_face_reads_a_server(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    def said(*words: str) -> str:
        assert main([*words, "--from", server.address]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    assert json.loads(said("ls", "--json", "-n", "1"))["name"] == "answer"
    assert "planner" in said("show", ONE[-32:])
    assert "search" in said("decisions", ONE)
    assert json.loads(said("stats", "--json"))["total"]["calls"] == 3
    assert "cost" in said("compare", "metadata.release=1.0", "metadata.release=1.1")
    assert "writer" in said("agents")
    assert "planner" in said("report", ONE, "-o", "-")
    assert json.loads(said("sql", "SELECT count(*) AS n FROM llm_calls", "--json")) == {"n": 3}
    assert "agentops_cost" in said("sql", "--schema")
    rules = tmp_path / "rules.toml"
    rules.write_text('[[alert]]\nname = "bad"\nwhen = "cost > 0.1"\n')
    assert main(["watch", str(rules), "--once", "--json", "--from", server.address]) == 1
    assert json.loads(capsys.readouterr().out)["rule"] == "bad"


def test_the_local_page_shows_what_lies_on_a_server(server: Server) -> None:
    pytest.importorskip("starlette", reason="the extra `view` is not installed here")
    command = [sys.executable, "-m", "agentops_sdk", "view", "--from", server.address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout is not None
        host, _, path = running.stdout.readline().strip().removeprefix("http://").partition("/")
        connection = http.client.HTTPConnection(host, timeout=60)

        def asked(address: str, **headers: str) -> http.client.HTTPResponse:
            connection.request("GET", address, headers=headers)
            return connection.getresponse()

        let_in = asked(f"/{path}")
        let_in.read()
        cookie = let_in.headers["set-cookie"].partition(";")[0]
        listed = json.load(asked("/api/runs", Cookie=cookie))
        assert (listed["count"], listed["rows"][0]["name"]) == (4, "answer")
        assert json.load(asked("/api/stats?by=model", Cookie=cookie))["rows"]
        assert "planner" in asked(f"/runs/{ONE[-32:]}", Cookie=cookie).read().decode()
        connection.close()
        running.send_signal(signal.SIGINT)


def test_a_question_that_takes_too_long_is_broken_off_also_for_a_user_who_may_only_read(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = "SELECT sum(number) FROM numbers(1000000000000)"
    for readonly in ("0", "2"):
        monkeypatch.setattr(server, "readonly", readonly)
        assert main(["sql", "SELECT count(*) FROM spans", "--from", server.address]) == 0, capsys.readouterr().err
        assert main(["sql", endless, "--timeout", "0.1", "--from", server.address]) == 1
        assert "Timeout exceeded" in capsys.readouterr().err


def test_a_server_is_only_read_and_what_it_refuses_is_said_without_the_password(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sql", "DROP TABLE otel_traces", "--from", server.address]) == 1
    assert "readonly" in capsys.readouterr().err
    assert main(["sql", "SELECT nothing FROM spans", "--from", server.address]) == 1
    assert "nothing" in capsys.readouterr().err
    assert main(["ls", "--from", "clickhouse://reader:s3cr3t@127.0.0.1:1/default"]) == 1
    told = capsys.readouterr().err
    assert "127.0.0.1:1" in told
    assert "s3cr3t" not in told
    assert main(["ls", "--from", "postgres://x/y"]) == 2
    assert main(["tail", "--from", server.address]) == 2
    assert "s3cr3t" not in capsys.readouterr().err
