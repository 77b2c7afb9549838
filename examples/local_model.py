"""A model server for demonstrations and tests: speaks the OpenAI wire format on loopback, answers by script.

Standard library only. In a program or a test::

    with LocalModel() as server:
        client = openai.OpenAI(base_url=server.base_url, api_key="local")

On the command line, ``python examples/local_model.py --port 8000``. It serves ``POST /v1/chat/completions`` (streamed
or not, with tool calls) and ``GET /v1/models``. What it answers is up to a script: any function from the request's body
to a `Reply`. The one it comes with plays an agent that plans a trip, by looking at the conversation so far.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool that the model asks for."""

    name: str
    arguments: JSON


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model answers: text, tool calls, or (with a status of 400 and above) an error."""

    text: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    status: int = 200
    error_code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cached_tokens: int = 0

    @property
    def finish_reason(self) -> str:
        """Why the model stopped."""
        return "tool_calls" if self.tool_calls else "stop"


Script = Callable[[JSON], Reply]


def plan_a_trip(request: JSON) -> Reply:
    """Play an agent that asks two tools, asks again where one failed, and then answers.

    The decision hangs on the conversation alone, so that any number of agents can talk to one server.
    """
    messages = request["messages"]
    answers = {}
    asked: dict[str, JSON] = {}
    for message in messages:
        for call in message.get("tool_calls") or ():
            asked[call["id"]] = call["function"]
        if message["role"] == "tool":
            function = asked[message["tool_call_id"]]
            answers[function["name"]] = (function["arguments"], str(message["content"]))
    offered = {tool["function"]["name"] for tool in request.get("tools") or ()}
    wanted: dict[str, JSON] = {
        "get_weather": {"city": "Lisbon"},
        "convert_currency": {"amount": 120, "source": "USD", "target": "EUR"},
    }
    if not offered:
        if not answers:
            return Reply(text="Hello! I am a small scripted model; offer me tools and I will use them.")
        facts = " ".join(text for _, text in answers.values())
        return Reply(text=f"Pack light: {facts} Have a good trip!")
    if not answers:
        return Reply(tool_calls=tuple(ToolCall(name, wanted[name]) for name in wanted if name in offered))
    failed = [(name, json.loads(arguments)) for name, (arguments, text) in answers.items() if _failed(text)]
    if failed:
        return Reply(tool_calls=tuple(ToolCall(name, arguments) for name, arguments in failed))
    return Reply(text="I have everything I need.")


def _failed(text: str) -> bool:
    return text.lower().startswith("error")


class _Server(ThreadingHTTPServer):
    """One daemon thread for each connection."""

    daemon_threads = True
    request_queue_size = 256  # a crowd of clients that connect at once is not turned away

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news; anything else is a bug and gets its traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class LocalModel:
    """A running server; a context manager.

    Args:
        script: Decides each reply from the request's body.
        port: The port on loopback; 0 takes a free one.
        chunk_delay: Seconds between two chunks of a stream.
        latency: Seconds before anything is answered.
    """

    def __init__(
        self, script: Script = plan_a_trip, *, port: int = 0, chunk_delay: float = 0.0, latency: float = 0.0
    ) -> None:
        self.script = script
        self.chunk_delay = chunk_delay
        self.latency = latency
        #: The body of every request to the chat endpoint, in order of arrival.
        self.requests: list[JSON] = []
        self.completions = itertools.count(1)
        self.responses = itertools.count(1)
        handler = type("Handler", (_Handler,), {"model": self})
        self._server = _Server(("127.0.0.1", port), handler)
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """What a client takes as its base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def start(self) -> Self:
        """Answer requests on a thread of the server's own."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="local-model", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering and let go of the port."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Handler(BaseHTTPRequestHandler):
    """One connection: reads requests, writes replies."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    model: LocalModel

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Stay quiet."""

    def do_GET(self) -> None:
        """List the models, the one thing a client may want to read."""
        if self.path.rstrip("/") == "/v1/models":
            self._send(200, {"object": "list", "data": [{"id": "gpt-4o-mini", "object": "model", "owned_by": "local"}]})
        else:
            self._refuse(404, f"Unknown request URL: GET {self.path}.", "unknown_url")

    def do_POST(self) -> None:
        """Answer a chat completion."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path != "/v1/chat/completions":
            return self._refuse(404, f"Unknown request URL: POST {self.path}.", "unknown_url")
        if not self.headers.get("authorization", "").removeprefix("Bearer "):
            return self._refuse(401, "You did not provide an API key.", "invalid_api_key")
        try:
            request = json.loads(body)
            request["model"], request["messages"]
        except (ValueError, KeyError, TypeError):
            return self._refuse(400, "The body must be a JSON object with 'model' and 'messages'.", "invalid_request")
        self.model.requests.append(request)
        reply = self.model.script(request)
        if self.model.latency:
            time.sleep(self.model.latency)
        if reply.status >= 400:
            return self._refuse(reply.status, reply.text or "The model refused.", reply.error_code, reply.headers)
        identity = {
            "id": f"chatcmpl-local{next(self.model.completions):04}",
            "created": int(time.time()),
            "model": request["model"],
            "system_fingerprint": "fp_local",
            "service_tier": "default",
        }
        if request.get("stream"):
            include_usage = bool((request.get("stream_options") or {}).get("include_usage"))
            return self._stream(_chunks(identity, reply, _usage(request, reply), include_usage=include_usage), reply)
        return self._send(200, _completion(identity, reply, _usage(request, reply)), reply.headers)

    def _send(self, status: int, body: JSON, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.send_header("x-request-id", f"req_local{next(self.model.responses):04}")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _refuse(self, status: int, message: str, code: str | None, headers: dict[str, str] | None = None) -> None:
        kind = {401: "authentication_error", 429: "rate_limit_error"}.get(status, "invalid_request_error")
        kind = "server_error" if status >= 500 else kind
        error = {"message": message, "type": kind, "param": None, "code": code}
        self._send(status, {"error": error}, headers)

    def _stream(self, chunks: Iterator[JSON], reply: Reply) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.send_header("x-request-id", f"req_local{next(self.model.responses):04}")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            for chunk in chunks:
                self._event(json.dumps(chunk))
                if self.model.chunk_delay:
                    time.sleep(self.model.chunk_delay)
            self._event("[DONE]")
            self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):  # the client closed the stream early, as it may
            self.close_connection = True

    def _event(self, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))


def _tool_calls(reply: Reply, identity: JSON) -> list[JSON]:
    serial = identity["id"].removeprefix("chatcmpl-local")
    return [
        {
            "id": f"call_local{serial}{index}",
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
        }
        for index, call in enumerate(reply.tool_calls)
    ]


def _completion(identity: JSON, reply: Reply, usage: JSON) -> JSON:
    message: JSON = {"role": "assistant", "content": reply.text, "refusal": None, "annotations": []}
    if reply.tool_calls:
        message["tool_calls"] = _tool_calls(reply, identity)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish_reason}
    return {**identity, "object": "chat.completion", "choices": [choice], "usage": usage}


def _chunks(identity: JSON, reply: Reply, usage: JSON, *, include_usage: bool) -> Iterator[JSON]:
    """The same reply in pieces: the role, the text word by word, each tool call in fragments, the reason, the usage."""

    def chunk(delta: JSON, finish_reason: str | None = None) -> JSON:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        more = {"usage": None} if include_usage else {}
        return {**identity, "object": "chat.completion.chunk", "choices": [choice], **more}

    yield chunk({"role": "assistant", "content": "" if reply.text is not None else None, "refusal": None})
    for piece in re.findall(r"\S+\s*", reply.text or ""):
        yield chunk({"content": piece})
    for index, call in enumerate(_tool_calls(reply, identity)):
        arguments = call["function"]["arguments"]
        start = {**call, "index": index, "function": {"name": call["function"]["name"], "arguments": ""}}
        yield chunk({"tool_calls": [start]})
        for at in range(0, len(arguments), 12):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": arguments[at : at + 12]}}]})
    yield chunk({}, reply.finish_reason)
    if include_usage:
        yield {**identity, "object": "chat.completion.chunk", "choices": [], "usage": usage}


def _usage(request: JSON, reply: Reply) -> JSON:
    """Token counts that grow with the text, as real ones do: about four characters each."""
    prompt = sum(len(json.dumps(part)) for part in (request["messages"], request.get("tools") or ())) // 4
    answer = json.dumps([call.arguments for call in reply.tool_calls]) if reply.tool_calls else reply.text or ""
    completion = max(1, len(answer) // 4)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": min(reply.cached_tokens, prompt), "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--port", type=int, default=8000, help="the port on 127.0.0.1; 0 takes a free one")
    port = parser.parse_args().port
    with LocalModel(port=port, chunk_delay=0.02) as server:
        print(f"OPENAI_BASE_URL={server.base_url} OPENAI_API_KEY=local", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
