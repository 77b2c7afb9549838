"""Requests as spans, over real HTTP: FastAPI and Flask, with streams, errors, and clients that leave."""

from __future__ import annotations

import asyncio
import http.client
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from tests.context.test_services import asgi

import agentops_sdk as agentops

SESSION = {"x-session": "s-1", "x-user": "u-7"}


def _get(url: str, headers: dict[str, str] | None = None) -> bytes:
    request = urllib.request.Request(url, headers=headers or {})
    with suppress(urllib.error.HTTPError), urllib.request.urlopen(request, timeout=20) as answer:
        return bytes(answer.read())
    return b""


def _header(name: str) -> Callable[[Any], bytes | None]:
    def ask(scope: Any) -> bytes | None:
        value: bytes | None = dict(scope["headers"]).get(name.encode())  # as it came
        return value

    return ask


@pytest.fixture
def fastapi_url() -> Iterator[str]:
    fastapi = pytest.importorskip("fastapi", reason="fastapi is not installed")
    from starlette.responses import StreamingResponse

    app = fastapi.FastAPI()
    app.add_middleware(agentops.ASGIMiddleware, session_id=_header("x-session"), user_id=_header("x-user"))

    @app.get("/orders/{order}")
    async def order(order: str) -> str:
        with agentops.span("work"):
            return order

    @app.get("/stream")
    async def stream() -> Any:
        async def pieces() -> Any:
            for number in range(3):
                with agentops.span(f"piece {number}"):
                    yield b"x" * 100

        return StreamingResponse(pieces())

    @app.get("/endless")
    async def endless() -> Any:
        async def pieces() -> Any:
            import asyncio

            while True:
                await asyncio.sleep(0.01)
                yield b"x" * 100_000

        return StreamingResponse(pieces())

    @app.get("/fails")
    def fails() -> None:
        raise LookupError("the archive is closed")

    @app.get("/refuses")
    def refuses() -> None:
        raise fastapi.HTTPException(503)

    with asgi(app) as url:
        yield url


def _until(seen: Any, name: str) -> Any:
    """The span of a request, which ends a moment after the client has read its reply."""
    deadline = time.monotonic() + 20
    found: list[Any] = []
    while not found and time.monotonic() < deadline:
        agentops.flush()  # a span that ends at this moment, that of another request too, remains
        found = [span for span in seen.exporter.finished_spans() if span.name == name]
        time.sleep(0.01)
    (span,) = found
    return span


def test_fastapi(seen: Any, fastapi_url: str) -> None:
    with agentops.span("caller"):
        assert _get(f"{fastapi_url}orders/7", agentops.inject(dict(SESSION))) == b'"7"'
    span = _until(seen, "GET /orders/{order}")
    told = dict(span.attributes)
    assert (told["http.route"], told["http.response.status_code"], told["url.path"]) == (
        "/orders/{order}", 200, "/orders/7",
    )  # fmt: skip
    assert (told["session.id"], told["user.id"]) == ("s-1", "u-7")
    assert seen.parent_of("GET /orders/{order}") == "caller"
    assert seen.parent_of("work") == "GET /orders/{order}"
    assert seen.one("work").attributes["user.id"] == "u-7"


def test_a_stream_is_whole(seen: Any, fastapi_url: str) -> None:
    assert len(_get(f"{fastapi_url}stream")) == 300
    assert _until(seen, "GET /stream").attributes["agentops.outcome"] == "ok"
    assert seen.parent_of("piece 2") == "GET /stream"
    assert seen.one("piece 2").end_time <= seen.one("GET /stream").end_time


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_errors(seen: Any, fastapi_url: str) -> None:
    _get(f"{fastapi_url}fails")
    _get(f"{fastapi_url}refuses")
    failed, refused = _until(seen, "GET /fails").attributes, _until(seen, "GET /refuses").attributes
    assert (failed["agentops.outcome"], failed["error.type"]) == ("error", "LookupError")
    assert (refused["agentops.outcome"], refused["error.type"], refused["http.response.status_code"]) == (
        "error", "503", 503,
    )  # fmt: skip


def test_excluded_requests_are_served_and_are_no_span(seen: Any) -> None:
    async def page(scope: Any, receive: Any, send: Any) -> None:
        with agentops.span("work"):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"fine"})

    app = agentops.ASGIMiddleware(page, session_id=_header("x-session"), excluded_urls="^/livez$, ^/agentops/")
    for path in ("/livez", "/agentops/metrics", "/livezone"):
        assert _serve(app, {"type": "http", "path": path})[-1] == "http.response.body"
    with wsgi(agentops.WSGIMiddleware(lambda _, start: (start("200 OK", []), [b"fine"])[1], excluded_urls="z$")) as url:
        assert (_get(f"{url}readyz"), _get(f"{url}ready")) == (b"fine", b"fine")
    agentops.flush()
    requests = [span for span in seen.exporter.finished_spans() if span.name == "GET"]
    assert [span.attributes["url.path"] for span in requests] == ["/livezone", "/ready"]
    sessions = [s.attributes.get("session.id") for s in seen.exporter.finished_spans() if s.name == "work"]
    assert sessions == [None, None, "s-1"]


@pytest.mark.parametrize(
    "wrong", [{"excluded_urls": "/livez,("}, {"excluded_urls": 3}, {"session_id": "s-1"}, {"user_id": b"ada"}]
)
def test_what_cannot_work_is_refused_where_it_is_written_down(wrong: dict[str, Any]) -> None:
    for middleware in (agentops.ASGIMiddleware, agentops.WSGIMiddleware):
        with pytest.raises(agentops.ConfigError, match=rf"^{next(iter(wrong))}=.+: expected"):
            middleware(print, **wrong)


def test_a_client_that_leaves(seen: Any, fastapi_url: str) -> None:
    connection = http.client.HTTPConnection(fastapi_url.split("/")[2], timeout=20)
    connection.request("GET", "/endless")
    connection.getresponse().read(10)
    connection.close()
    assert _until(seen, "GET /endless").attributes["agentops.outcome"] in ("abandoned", "cancelled")


def _serve(app: Any, scope: dict[str, Any]) -> list[str]:
    """The types of what an application sends, from a server that reads files itself."""
    sent: list[str] = []
    asked = [{"type": "http.request" if scope["type"] == "http" else "websocket.connect", "body": b""}]

    async def receive() -> dict[str, Any]:
        return asked.pop() if asked else await asyncio.sleep(60, {})

    async def send(message: Any) -> None:
        sent.append(message["type"])

    about = {"query_string": b"", "root_path": "/proxy", "extensions": {"http.response.pathsend": {}}, "method": "GET"}
    headers = [(name.encode(), value.encode()) for name, value in agentops.inject(dict(SESSION)).items()]
    asyncio.run(app({**about, "headers": headers, **scope}, receive, send))
    agentops.flush()
    return sent


def test_mounts_files_and_sockets(seen: Any) -> None:
    pytest.importorskip("starlette", reason="starlette is not installed")
    from starlette.applications import Starlette
    from starlette.responses import FileResponse
    from starlette.routing import Mount, Route, WebSocketRoute

    async def file(_: Any) -> Any:
        return FileResponse(__file__)

    async def socket(connection: Any) -> None:
        await connection.accept()
        with agentops.span("work"):
            await connection.close()

    inner = Starlette(routes=[Route("/files/{name}", file)])
    app = Starlette(routes=[Mount("/shops/{shop}", routes=[Mount("/in", app=inner)]), WebSocketRoute("/talk", socket)])
    app.add_middleware(agentops.ASGIMiddleware, session_id=_header("x-session"), user_id=_header("x-user"))

    assert _serve(app, {"type": "http", "path": "/proxy/shops/acme/in/files/a"})[-1] == "http.response.pathsend"
    told = seen.one("GET /shops/{shop}/in/files/{name}").attributes
    assert (told["http.route"], told["agentops.outcome"]) == ("/shops/{shop}/in/files/{name}", "ok")
    _serve(app, {"type": "http", "path": "/proxy/shops/acme/in/nothing"})
    assert seen.one("GET /shops/{shop}/in").attributes["http.response.status_code"] == 404
    with agentops.span("caller"):
        assert _serve(app, {"type": "websocket", "path": "/proxy/talk"})[0] == "websocket.accept"
    assert seen.parent_of("work") == "caller"
    assert seen.one("work").attributes["session.id"] == "s-1"


@contextmanager
def wsgi(app: Any) -> Iterator[str]:
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: Any) -> None: ...

    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_flask(seen: Any, caplog: pytest.LogCaptureFixture) -> None:
    flask = pytest.importorskip("flask", reason="flask is not installed")
    app = flask.Flask("shop")

    @app.get("/orders/<order>")
    def order(order: str) -> str:
        with agentops.span("work"):
            return order

    @app.get("/stream")
    def stream() -> Any:
        def pieces() -> Iterator[bytes]:
            for number in range(3):
                with agentops.span(f"piece {number}"):
                    yield b"x" * 100

        return flask.Response(pieces())

    @app.get("/refuses")
    def refuses() -> None:
        flask.abort(503)

    ask: dict[str, Any] = {
        "session_id": lambda environ: environ.get("HTTP_X_SESSION"),
        "user_id": lambda environ: 1 / 0,
    }
    with pytest.MonkeyPatch.context() as patch:
        from agentops_sdk._host import guard

        patch.setattr(guard, "reraise", False)  # what a program says of a request may fail
        app.wsgi_app = agentops.WSGIMiddleware(app.wsgi_app, **ask)
        with wsgi(app) as url, agentops.span("caller"):
            assert _get(f"{url}orders/7", agentops.inject(dict(SESSION))) == b"7"
            assert len(_get(f"{url}stream")) == 300
            _get(f"{url}refuses")
    told = seen.one("GET /orders/<order>").attributes
    assert (told["http.response.status_code"], told["session.id"], "user.id" in told) == (200, "s-1", False)
    assert "the user_id function of your program test_flask.<locals>.<lambda> (" in caplog.text
    assert seen.parent_of("GET /orders/<order>") == "caller"
    assert seen.parent_of("work") == "GET /orders/<order>"
    assert seen.parent_of("piece 2") == "GET /stream"
    assert seen.outcome("GET /stream") == "ok"
    assert (seen.outcome("GET /refuses"), seen.one("GET /refuses").attributes["error.type"]) == ("error", "503")
