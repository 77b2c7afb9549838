"""Proxies as curl reads them, time-outs that make no sense, and secrets in addresses, over real sockets."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.export.receiver import Receiver

import agentops_sdk as agentops
from agentops_sdk import config
from agentops_sdk.addresses import without_secrets
from agentops_sdk.exporters.otlp.destination import Endpoint


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "_warned", set())
    for name in list(os.environ):
        if name.startswith(("AGENTOPS_", "OTEL_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


class ForwardProxy:
    """A plain HTTP proxy: takes ``POST http://host:port/path`` and passes it on."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(near,), daemon=True).start()

    def _pass(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError):
            first = near.recv(65536)
            line, _, rest = first.partition(b"\r\n")
            method, url, version = line.split(b" ")
            self.asked.append(url.decode())
            host, _, path = url.partition(b"://")[2].partition(b"/")
            name, _, port = host.partition(b":")
            with socket.create_connection((name.decode(), int(port))) as far:
                far.sendall(b" ".join((method, b"/" + path, version)) + b"\r\n" + rest)
                there = threading.Thread(target=self._copy, args=(near, far), daemon=True)
                there.start()
                self._copy(far, near)

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)

    def close(self) -> None:
        self._listener.close()


def record() -> None:
    with agentops.span("s"):
        pass


@pytest.mark.parametrize("variable", ["http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["", "http://"])
def test_a_proxy_with_and_without_a_scheme(variable: str, scheme: str, receiver: Receiver, monkeypatch: Any) -> None:
    proxy = ForwardProxy()
    monkeypatch.setenv(variable, scheme + proxy.address)
    agentops.init(exporters=[f"otlp:{receiver.url}"], integrations=[])
    record()
    assert agentops.flush(20.0)
    assert receiver.names == ["s"]
    assert proxy.asked == [receiver.url + "/v1/traces"]
    proxy.close()


@pytest.mark.parametrize("form", ["{host}", "{host}:{port}", "*", "other,127.0.0.1"])
def test_no_proxy_names_a_host_or_a_host_with_a_port(form: str, receiver: Receiver, monkeypatch: Any) -> None:
    host, _, port = receiver.url.removeprefix("http://").partition(":")
    monkeypatch.setenv("http_proxy", "127.0.0.1:9")
    monkeypatch.setenv("no_proxy", form.format(host=host, port=port))
    agentops.init(exporters=[f"otlp:{receiver.url}"], integrations=[])
    record()
    assert agentops.flush(20.0)


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("socks5://user:hunter2@127.0.0.1:9", "needs the package socksio: pip install socksio"),
        ("socks5h://127.0.0.1:9", "needs the package socksio: pip install socksio"),
        ("socks4://127.0.0.1:9", "has an unknown scheme"),
        ("gopher://user:hunter2@nowhere", "has an unknown scheme"),
        ("http://user:hunter2@host:port", "is not a valid address"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_told_and_doctor_ends_well(
    proxy: str, words: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.setattr("importlib.util.find_spec", without("socksio"))
    agentops.init(exporters=[f"otlp:{receiver.url}"], integrations=[])
    record()
    assert not agentops.flush(2.0)
    health = str(agentops.health())
    assert words in health
    assert words in caplog.text
    assert not agentops.status().guard_errors
    done = command("doctor", AGENTOPS_EXPORTERS=f"otlp:{receiver.url}")
    assert done.returncode == 1
    assert done.stderr == ""
    if not (words.startswith("needs") and has("socksio")):
        assert words in done.stdout
    assert "hunter2" not in health + caplog.text + done.stdout
    monkeypatch.delenv("ALL_PROXY")
    assert agentops.flush(20.0)  # once it is mended, what waited arrives


def without(missing: str) -> Any:
    import importlib.util

    find = importlib.util.find_spec
    return lambda name, package=None: None if name == missing else find(name, package)


def has(name: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(name) is not None


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agentops_sdk", *arguments], env={**os.environ, **environment},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["soon", "-1", "0", "inf", "nan", "10s", "1e999"])
def test_a_time_out_that_makes_no_sense_warns_and_falls_back(text: str, receiver: Receiver, monkeypatch: Any) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", text)
    with pytest.warns(UserWarning, match="OTEL_EXPORTER_OTLP_TIMEOUT") as told:
        agentops.init(exporters=["jsonl", f"otlp:{receiver.url}"], integrations=[])
    assert {warning.filename for warning in told} == {__file__}
    record()
    assert agentops.flush(20.0)
    assert receiver.names == ["s"]


def test_a_wrong_time_out_for_traces_leaves_the_general_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "soon")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "7")
    with pytest.warns(UserWarning, match="OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"):
        assert Endpoint.resolve("http://localhost").timeout == 7.0


# --- secrets in addresses ------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["keyword", "environment", "endpoint"])
def test_the_token_of_an_endpoint_is_sent_and_never_shown(
    how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    url = "http://user:hunter2@127.0.0.1:9/v1/traces?api_key=hunter2&region=eu#hunter2"
    caplog.set_level("DEBUG")
    keywords: dict[str, Any] = {}
    if how == "keyword":
        keywords["exporters"] = [f"otlp:{url}"]
    else:
        monkeypatch.setenv(*{"environment": ("AGENTOPS_EXPORTERS", f"otlp:{url}"),
                             "endpoint": ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url)}[how])  # fmt: skip
    started = agentops.init(integrations=[], **keywords)
    record()
    agentops.flush(2.0)
    now, health = agentops.status(), agentops.health()
    shown = [str(started), repr(started), started._repr_html_(), str(now), now._repr_html_(), now.model_dump_json()]
    shown += [health.model_dump_json(), str(health), caplog.text]
    if how != "keyword":
        for arguments in (["doctor"], ["doctor", "--json"], ["ship"]):
            done = command(*arguments)
            shown += [done.stdout, done.stderr]
    assert now.sinks["otlp"].details["endpoint"] == "http://127.0.0.1:9/v1/traces?api_key=…&region=…"
    assert "127.0.0.1:9" in caplog.text
    assert [text for text in shown if "hunter2" in text] == []


@pytest.mark.parametrize(
    "given",
    ["otlp:host:4318?token=hunter2", "otlp:ftp://u:hunter2@h/?k=hunter2", "otlpp:http://u:hunter2@h/?k=hunter2"],
)
def test_a_refused_address_is_told_without_its_secrets(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(agentops.ConfigError) as refused:
        agentops.init(exporters=[given], integrations=[])
    assert "hunter2" not in str(refused.value)
    monkeypatch.setenv("AGENTOPS_EXPORTERS", given)
    with pytest.warns(UserWarning, match="is ignored") as told:
        agentops.init(integrations=[])
    assert "hunter2" not in "".join(str(warning.message) for warning in told)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://u:p@ss@h:1/x?a=b&c", "http://…@h:1/x?a=…&…"),
        ("otlp:http://h/?secret", "otlp:http://h/?…"),
        ("Cannot POST /v1/traces?token=abc", "Cannot POST /v1/traces?token=…"),
        ("user:pass@host:4318 is no URL", "…@host:4318 is no URL"),
        ("http://h/#frag", "http://h/#…"),
        ("did you mean AGENTOPS_DIR? It is ignored", "did you mean AGENTOPS_DIR? It is ignored"),
        ("mail to a@b.example about 'x?'", "mail to a@b.example about 'x?'"),
        ("http://[::1]:4318/v1/traces", "http://[::1]:4318/v1/traces"),
    ],
)
def test_addresses_without_secrets(text: str, shown: str) -> None:
    assert without_secrets(text) == shown
    assert without_secrets(shown) == shown
