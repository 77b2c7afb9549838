"""An agent as a service: `POST /ask` runs it, `/livez` and `/readyz` are for the orchestrator, `/metrics` is elsewhere.

Standard library, the OpenAI client and agentops. Where the caller sends `traceparent`, its trace goes on here. The
status pages (`/metrics` among them) listen on a port of their own and want a token: `AGENTOPS_STATUS_TOKEN`.
"""

from __future__ import annotations

import json
import os
import signal
import socketserver
import sys
from collections.abc import Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import openai

import agentops_sdk as agentops

MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
PORT = int(os.environ.get("PORT", "8080"))
LARGEST = 65_536


@agentops.tool
def price_of(item: str) -> str:
    """What an item costs."""
    return {"tea": "3.20", "coffee": "3.80"}.get(item, "not sold here")


@agentops.agent(name="waiter")
def waiter(question: str) -> str:
    """Answer a guest."""
    facts = "; ".join(f"{item}: {price_of(item)}" for item in ("tea", "coffee") if item in question.lower())
    messages: Any = [{"role": "system", "content": f"Prices: {facts}"}, {"role": "user", "content": question}]
    reply = openai.OpenAI().chat.completions.create(model=MODEL, messages=messages)
    return reply.choices[0].message.content or ""


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The routes."""
    path, method = environ.get("PATH_INFO", "/"), environ["REQUEST_METHOD"]
    if path == "/livez":
        return answer(start_response, "200 OK", {"status": "ok"})
    if path == "/readyz":
        state = agentops.health().status
        return answer(start_response, "503 Service Unavailable" if state == "failing" else "200 OK", {"status": state})
    if path != "/ask" or method != "POST":
        return answer(start_response, "404 Not Found", {"error": "POST /ask"})
    told = environ.get("CONTENT_LENGTH") or "0"
    length = int(told) if told.isdecimal() else -1
    if length > LARGEST:
        return answer(start_response, "413 Content Too Large", {"error": f"{LARGEST} bytes at most"})
    try:
        if length < 0:  # reading so much would wait for the connection's end
            raise ValueError(told)
        question = str(json.loads(environ["wsgi.input"].read(length))["question"])
    except (ValueError, KeyError, TypeError):
        return answer(start_response, "400 Bad Request", {"error": 'send {"question": "..."}'})
    try:
        return answer(start_response, "200 OK", {"answer": waiter(question)})
    except openai.OpenAIError as error:
        return answer(start_response, "502 Bad Gateway", {"error": type(error).__name__})


def answer(start_response: Any, status: str, body: dict[str, Any]) -> list[bytes]:
    """One JSON body."""
    content = json.dumps(body).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return [content]


class Server(socketserver.ThreadingMixIn, WSGIServer):
    """A thread for each request."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Without a line for each request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Say nothing."""


def main() -> None:
    """Serve until SIGTERM, then deliver what is left."""
    agentops.init()
    if os.environ.get("AGENTOPS_STATUS_TOKEN"):
        agentops.serve_status(int(os.environ.get("STATUS_PORT", "9464")), host=os.environ.get("STATUS_HOST", "0.0.0.0"))
    traced = agentops.WSGIMiddleware(application, excluded_urls="^/livez$,^/readyz$")
    server = make_server(os.environ.get("HOST", "0.0.0.0"), PORT, traced, Server, Quiet)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"listening on {server.server_port}", flush=True)
    try:
        server.serve_forever()
    finally:
        server.server_close()
        agentops.shutdown()


if __name__ == "__main__":
    main()
