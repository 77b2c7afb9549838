"""A trace goes on in other services: over real HTTP with FastAPI, Starlette and Flask, and over bare headers."""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import agentops_sdk as agentops


def send(url: str) -> None:
    about = agentops.context(session_id="s-1", tags=["vip"], metadata={"plan": "größer, ok"})
    with about, agentops.span("caller", kind="agent"):
        request = urllib.request.Request(url, headers=agentops.inject({"accept": "*/*"}))
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.status == 200


def check(seen: Any) -> None:
    served, caller = seen.one("served"), seen.one("invoke_agent caller")
    assert served.parent.span_id == caller.context.span_id
    assert served.context.trace_id == caller.context.trace_id
    assert served.attributes["session.id"] == "s-1"
    assert list(served.attributes["agentops.tags"]) == ["vip"]
    assert served.attributes["agentops.metadata.plan"] == "größer, ok"
    assert served.attributes["gen_ai.agent.name"] == "caller"
    assert seen.one("after").parent is None


@contextmanager
def asgi(app: Any) -> Iterator[str]:
    uvicorn = pytest.importorskip("uvicorn", reason="uvicorn is not installed")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()


def test_starlette(seen: Any) -> None:
    pytest.importorskip("starlette", reason="starlette is not installed")
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def serve(request: Any) -> Any:
        with agentops.extract(request.headers), agentops.span("served"):
            pass
        with agentops.span("after"):
            pass
        return PlainTextResponse("ok")

    with asgi(Starlette(routes=[Route("/", serve)])) as url:
        send(url)
    check(seen)


def test_fastapi_sync_endpoint(seen: Any) -> None:
    fastapi = pytest.importorskip("fastapi", reason="fastapi is not installed")
    app = fastapi.FastAPI()

    def serve(request: Any) -> str:
        with agentops.extract(request.headers), agentops.span("served"):
            pass
        with agentops.span("after"):
            pass
        return "ok"

    serve.__annotations__["request"] = fastapi.Request
    app.get("/")(serve)
    with asgi(app) as url:
        send(url)
    check(seen)


def test_flask(seen: Any) -> None:
    flask = pytest.importorskip("flask", reason="flask is not installed")
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: Any) -> None: ...

    app = flask.Flask("shop")

    @app.get("/")
    def serve() -> str:
        with agentops.extract(flask.request.headers), agentops.span("served"):
            pass
        with agentops.span("after"):
            pass
        return "ok"

    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        send(f"http://127.0.0.1:{server.server_port}/")
        thread.join()
    check(seen)


PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": PARENT},
        {"Traceparent": PARENT, "Other": 3},
        [("TraceParent", PARENT)],
        [(b"traceparent", PARENT.encode())],
        {"HTTP_TRACEPARENT": PARENT, "wsgi.input": object()},
    ],
)
def test_headers_of_every_framework(seen: Any, headers: Any) -> None:
    with agentops.extract(headers), agentops.span("in"):
        pass
    assert f"{seen.one('in').context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert f"{seen.one('in').parent.span_id:016x}" == "b7ad6b7169203331"


@pytest.mark.parametrize(
    "headers",
    [{}, {"traceparent": "nonsense"}, {"traceparent": "00-" + "0" * 32 + "-" + "0" * 16 + "-01"}, {"baggage": "=;,%%"},
     [], {"traceparent": ""}],
)  # fmt: skip
def test_malformed_headers_change_nothing(seen: Any, headers: Any) -> None:
    with agentops.span("outer"), agentops.extract(headers), agentops.span("in"):
        pass
    assert seen.parent_of("in") == "outer"


def test_inject_outside_of_any_trace_adds_nothing() -> None:
    assert agentops.inject({"a": "b"}) == {"a": "b"}


def test_a_server_span_that_continued_the_trace_stays_the_parent(seen: Any) -> None:
    headers = {"traceparent": PARENT}
    with agentops.extract(headers), agentops.span("server"), agentops.extract(headers), agentops.span("in"):
        pass
    assert seen.parent_of("in") == "server"
