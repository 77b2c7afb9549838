"""Who may read the pages, and what a slow, odd or hostile reader can do: over real sockets."""

from __future__ import annotations

import asyncio
import functools
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import agentops_sdk as agentops
from agentops_sdk import status_server
from agentops_sdk.errors import ConfigError

TOKEN = "s3cret-t0ken"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AGENTOPS_STATUS_TOKEN", raising=False)
    agentops.init(exporters=["memory"], integrations=[])


@pytest.fixture
def server() -> Iterator[Any]:
    with agentops.serve_status(0) as running:
        yield running


def ask(server: Any, page: str = "/healthz", method: str = "GET", host: str = "127.0.0.1", **headers: str) -> Any:
    """What comes back from whoever has the token, or sends another ``Authorization``."""
    headers.setdefault("Authorization", f"Bearer {server.token}")
    connection = http.client.HTTPConnection(host, server.port, timeout=20)
    connection.request(method, page, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    response.text = response.read().decode()  # type: ignore[attr-defined]  # kept beside it for the test
    connection.close()
    return response


def raw(server: Any, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9464", "localhost.", "127.0.0.1:1", "127.9.9.9", "[::1]:80"])
def test_names_of_this_machine_are_answered(host: str, server: Any) -> None:
    assert ask(server, "/status", Host=host).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:9464", "127.0.0.1.evil.example", "localhost.evil.example", "localhost:x", "10.0.0.1",
     "[::2]", "0.0.0.0", "", "127.0.0.1@evil.example"],
)  # fmt: skip
@pytest.mark.parametrize("page", ["/status", "/livez", "/metrics", "/nothing"])
def test_names_that_a_web_page_could_make_are_refused(host: str, page: str, server: Any) -> None:
    response = ask(server, page, Host=host)
    assert response.status == 403
    assert "settings" not in response.text


def test_the_name_in_a_whole_address_counts_too(server: Any) -> None:
    evil = b"GET http://evil.example/livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    assert raw(server, evil).startswith(b"HTTP/1.0 403")
    assert raw(server, evil.replace(b"evil.example", b"localhost")).startswith(b"HTTP/1.0 200")


@pytest.mark.parametrize("address", [b"http://[::1/livez", b"http://[fe80::1%/livez", b"http://[]a]/livez"])
def test_an_address_that_is_none_is_answered(address: bytes, server: Any) -> None:
    request = b"GET " + address + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert raw(server, request).startswith(b"HTTP/1.0 400")


def test_two_names_or_none_are_no_request(server: Any) -> None:
    assert raw(server, b"GET /status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n").startswith(
        b"HTTP/1.0 400"
    )
    assert raw(server, b"GET /status HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.0 400")
    assert raw(server, b"GET /livez HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200")  # a probe of the old kind


# --- tokens --------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::"])
def test_beyond_loopback_it_does_not_listen_without_a_token(host: str) -> None:
    with pytest.raises(ConfigError, match="token"):
        agentops.serve_status(0, host=host)


@pytest.mark.parametrize("token", ["", " ", "two words", "ü", "a\nb", 7, b"bytes"])
def test_a_token_that_no_header_can_hold_is_refused_and_not_shown(token: Any) -> None:
    with pytest.raises(ConfigError, match=r"^token='…'"):
        agentops.serve_status(0, host="0.0.0.0", token=token)


def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match=r"^host="):
        agentops.serve_status(0, host="no such host", token=TOKEN)


@pytest.mark.parametrize("how", ["keyword", "environment"])
def test_with_the_token_every_page_is_read_and_without_none(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "environment":
        monkeypatch.setenv("AGENTOPS_STATUS_TOKEN", TOKEN)
    with agentops.serve_status(0, host="0.0.0.0", token=TOKEN if how == "keyword" else None) as server:
        for page in ("/status", "/healthz", "/readyz", "/metrics", "/nothing", "/", "/livez/x", "/livez%2f..%2fstatus"):
            for wrong in ({"Authorization": ""}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {TOKEN}"},
                          {"Authorization": TOKEN}, {"Authorization": f"Bearer {TOKEN}x"},
                          {"Authorization": "Bearer \xff"}):  # fmt: skip
                refused = ask(server, page, **wrong)
                assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
                assert refused.text == "a token is needed: Authorization: Bearer TOKEN"
            assert ask(server, f"{page}?token={TOKEN}&/livez", Authorization="").status == 401
            # A name of the network's own is right there: the token is what counts.
            assert ask(server, page, Authorization=f"bearer {TOKEN}", Host="ops.example").status in (200, 404, 501)


def test_a_token_on_loopback_is_needed_beside_the_name() -> None:
    with agentops.serve_status(0, token=TOKEN) as server:
        assert ask(server, Authorization="").status == 401
        assert ask(server, Authorization=f"Bearer {TOKEN}").status == 200
        assert ask(server, Authorization=f"Bearer {TOKEN}", Host="evil.example").status == 403
        alive = ask(server, "/livez", Authorization="")
        assert (alive.status, alive.text) == (200, "ok")


def test_where_no_token_was_given_one_is_made_and_kept_for_the_user_alone(tmp_path: Path) -> None:
    agentops.shutdown()
    agentops.init(directory=tmp_path / "ops", integrations=[])
    kept = tmp_path / "ops" / "status-token"
    with agentops.serve_status(0) as server, agentops.serve_status(0) as another:
        token = kept.read_text().strip()
        assert (kept.stat().st_mode & 0o777, len(token) > 40, another.token) == (0o600, True, token)
        for page in ("/status", "/healthz", "/readyz", "/metrics"):
            assert ask(server, page, Authorization="").status == 401
            assert ask(server, page, Authorization=f"Bearer {token}").status in (200, 501)
        code = (
            "import agentops_sdk as a; a.init(directory='ops', integrations=[])\n"
            "with a.serve_status(0) as s: print(s.token)"
        )
        other = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
        assert [process.communicate(timeout=60)[0].strip() for process in other] == [token, token]
        kept.unlink()  # how somebody takes it back
        assert ask(server, Authorization=f"Bearer {token}x").status == 401
        assert kept.exists()
    assert [path.name for path in kept.parent.iterdir() if path.name.startswith(".status")] == []


@pytest.mark.parametrize("made", ["readable", "link", "pipe", "folder", "empty", "unwritable"])
def test_a_token_that_others_may_know_or_nobody_can_keep_is_none(made: str, tmp_path: Path) -> None:
    folder = tmp_path / "ops"
    folder.mkdir()
    kept = folder / "status-token"
    if made == "link":
        (tmp_path / "theirs").write_text("known\n")
        (tmp_path / "theirs").chmod(0o600)
        kept.symlink_to(tmp_path / "theirs")
    elif made == "pipe":
        os.mkfifo(kept, 0o600)
    elif made == "folder":
        kept.mkdir()
    elif made == "unwritable":
        folder.rmdir()
        folder.write_text("")
    else:
        kept.write_text("known\n" if made == "readable" else "")
        kept.chmod(0o644 if made == "readable" else 0o600)
    agentops.shutdown()
    agentops.init(directory=folder, integrations=[])
    with pytest.warns(UserWarning, match="status-token"):
        server = agentops.serve_status(0)
    with server:
        assert ask(server, Authorization="Bearer known").status == 401
        assert ask(server, Authorization="Bearer ").status == 401
        assert ask(server).status == 200  # who runs the program knows it


def test_a_program_that_writes_no_files_keeps_its_token_in_memory(server: Any, tmp_path: Path) -> None:
    assert len(server.token) > 40
    assert ask(server, Authorization="").status == 401
    assert list(tmp_path.iterdir()) == []


def test_ipv6_loopback() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with agentops.serve_status(0, host="::1") as server:
        assert ask(server, host="::1").status == 200


def test_localhost_by_name() -> None:
    with agentops.serve_status(0, host="localhost") as server:
        assert ask(server, host=server.host).status == 200


# --- methods and manners -------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["/livez", "/status", "/nothing"])
def test_head_is_get_without_a_body(page: str, server: Any) -> None:
    full, head = ask(server, page), ask(server, page, "HEAD")
    assert (head.status, head.text, head.headers["content-type"]) == (full.status, "", full.headers["content-type"])
    assert abs(int(head.headers["content-length"]) - len(full.text)) < 50  # figures move on between the two


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "NONSENSE"])
def test_other_methods_are_not_allowed(method: str, server: Any) -> None:
    refused = ask(server, "/status", method)
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")


def test_nothing_is_told_about_the_interpreter_and_nothing_kept(server: Any) -> None:
    headers = ask(server, "/status").headers
    assert headers["server"].strip() == "agentops"
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_odd_readers_leave_no_trace_on_stderr(server: Any, capfd: pytest.CaptureFixture[str]) -> None:
    for request in (b"", b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"A" * 100_000 + b"\r\n",
                    b"GET /status HTTP/1.1\r\n" + b"x: y\r\n" * 500 + b"\r\n", b"GET http://[ HTTP/1.0\r\n\r\n",
                    b"GET /<script> HTTP/1.0\r\n\r\n"):  # fmt: skip
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            try:
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
                assert b"<script>" not in connection.recv(65536)
            except OSError:
                pass
    for _ in range(20):  # readers that are gone before they are answered
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.sendall(b"GET /status HTTP/1.0\r\n\r\n")
        connection.close()
    assert ask(server).status == 200
    assert capfd.readouterr() == ("", "")
    assert not agentops.status().guard_errors


def threads() -> set[threading.Thread]:
    """Those that answer requests, also of other servers in this process."""
    return {thread for thread in threading.enumerate() if "process_request_thread" in thread.name}


def test_many_slow_readers_keep_nobody_out_and_few_threads(server: Any) -> None:
    before, slow = threads(), []
    for _ in range(100):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        connection.sendall(b"GET /status HTTP/1.1\r\nHost: local")
        slow.append(connection)
    assert ask(server).status == 200
    assert len(threads() - before) <= 2 * status_server._CONNECTIONS
    for connection in slow:
        connection.close()


def test_a_byte_now_and_then_does_not_hold_a_thread(monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    monkeypatch.setattr(status_server, "_SECONDS", 1.0)
    before = threads()
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        deadline = time.monotonic() + 30
        with pytest.raises(OSError):
            while time.monotonic() < deadline:
                connection.sendall(b"x")
                time.sleep(0.05)
    deadline = time.monotonic() + 20
    while threads() - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not threads() - before


def test_a_child_may_close_it(server: Any) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    code = """
import os, agentops_sdk as a
server = a.serve_status(0)
pid = os.fork()
if pid == 0:
    server.close()
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
server.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("7\n", "")


# --- what is shown -------------------------------------------------------------------------------


def test_no_path_and_no_secret_on_any_page(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    agentops.shutdown()
    agentops.init(
        directory=tmp_path / "file" / "ops",
        redact_patterns=["hunter2"],
        resource_attributes={"home": str(tmp_path), "api_key": "hunter2"},
        integrations=[],
    )
    with agentops.span("s"):
        pass
    agentops.flush(5.0)
    for page in ("/status", "/healthz", "/metrics"):
        text = ask(server, page).text
        assert str(tmp_path) not in text
        assert str(tmp_path.parent) not in text
        assert "hunter2" not in text
    assert "Not a directory" in ask(server, "/healthz").text
    assert json.loads(ask(server, "/status").text)["settings"]["redact_patterns"]["value"] == 1


def test_ready_where_init_said_that_nothing_is_recorded(server: Any) -> None:
    agentops.shutdown()
    assert ask(server, "/readyz").status == 503
    agentops.init(enabled=False)
    assert ask(server, "/readyz").status == 200


# --- ASGI ----------------------------------------------------------------------------------------


HERE = ("127.0.0.1", 5)
Called = tuple[int, dict[str, str], bytes]


def call(
    app: Any = agentops.status_app, *, method: str = "GET", client: Any = HERE, page: str = "status", **headers: str
) -> Called:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": f"/x/{page}", "headers": pairs, "client": client}
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, sent[1]["body"]


def test_asgi_readers_of_this_machine_with_the_kept_token_by_its_names(tmp_path: Path) -> None:
    agentops.shutdown()
    agentops.init(directory=tmp_path / "ops", integrations=[])
    assert call(host="localhost:8000")[0] == 401
    kept = {"authorization": f"Bearer {(tmp_path / 'ops' / 'status-token').read_text().strip()}"}
    assert call(host="localhost:8000", **kept)[0] == 200
    assert call(host="evil.example", **kept)[0] == 403
    assert call(host="localhost", x_forwarded_for="203.0.113.9", **kept)[0] == 403
    assert call(client=("203.0.113.9", 5), host="localhost", **kept)[0] == 403
    assert call(client=("::1", 5), host="[::1]", **kept)[0] == 200
    assert call(client=None, host="ops.example")[0] == 401
    assert call(client=None, host="ops.example", **kept)[0] == 200
    assert call(client=("testclient", 5), host="testserver")[0] == 401
    assert call(client=("203.0.113.9", 5), page="livez", host="ops.example")[::2] == (200, b"ok")


@pytest.mark.parametrize("how", ["partial", "environment"])
def test_asgi_with_a_token(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app: Any = agentops.status_app
    if how == "partial":
        app = functools.partial(agentops.status_app, token=TOKEN)
    else:
        monkeypatch.setenv("AGENTOPS_STATUS_TOKEN", TOKEN)
    remote = ("203.0.113.9", 5)
    status, headers, body = call(app, client=remote, host="ops.example")
    assert (status, headers["www-authenticate"], body) == (
        401,
        "Bearer",
        b"a token is needed: Authorization: Bearer TOKEN",
    )
    assert call(app, client=remote, host="ops.example", authorization="Bearer x")[0] == 401
    assert call(app, client=remote, host="ops.example", authorization=f"Bearer {TOKEN}")[0] == 200


def test_asgi_head_other_methods_and_headers() -> None:
    app = functools.partial(agentops.status_app, token=TOKEN)
    status, headers, body = call(app, method="HEAD", host="localhost", authorization=f"Bearer {TOKEN}")
    assert (status, body, int(headers["content-length"]) > 100) == (200, b"", True)
    assert headers["cache-control"] == "no-store"
    assert call(method="POST", host="localhost")[:2][0] == 405


def test_asgi_in_a_real_server(tmp_path: Path) -> None:
    code = """
import asyncio, http.client, socket, threading
import uvicorn
import agentops_sdk as agentops
from starlette.applications import Starlette
from starlette.routing import Mount
agentops.init(integrations=[])
agentops.serve_status(0).close()  # so that there is a token
server = uvicorn.Server(uvicorn.Config(Starlette(routes=[Mount("/agentops", agentops.status_app)]), log_level="error"))
listener = socket.create_server(("127.0.0.1", 0))
thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
thread.start()
token = open(".agentops/status-token").read().strip()
for host, word in (("localhost", token), ("evil.example", token), ("localhost", "")):
    connection = http.client.HTTPConnection(*listener.getsockname(), timeout=20)
    connection.request("GET", "/agentops/healthz", headers={"Host": host, "Authorization": f"Bearer {word}"})
    print(connection.getresponse().status)
server.should_exit = True
thread.join()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "200\n403\n401\n", done.stderr
