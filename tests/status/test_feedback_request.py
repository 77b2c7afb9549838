"""Feedback over HTTP: with the token, about a run, a step or a session; what is wrong is named, and nothing is kept."""

from __future__ import annotations

import asyncio
import functools
import json
import urllib.error
import urllib.request
from typing import Any

import pytest

import agentops_sdk as agentops

RIGHT = {"trace_id": "a" * 32, "name": "helpful", "value": True, "comment": "good"}


def post(port: int, body: bytes, token: str | None = "t0ken") -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/feedback", data=body, method="POST")
    if token is not None:
        request.add_header("authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize(
    "wrong",
    [
        b"[]", b"{", b"\xff", {"name": ""}, {"value": None}, {"value": [1]}, {"value": 1e300}, {"trace_id": "abc"},
        {"span_id": "xyz"}, {"comment": 3}, {"session_id": "s"}, {"more": 1},
    ],
)  # fmt: skip
def test_what_is_right_is_kept_and_what_is_wrong_is_not(wrong: Any) -> None:
    with agentops.testing.capture() as traces, agentops.serve_status(0, token="t0ken") as server:
        body = wrong if isinstance(wrong, bytes) else json.dumps({**RIGHT, **wrong}).encode()
        assert post(server.port, body)[0] == 400
        assert post(server.port, json.dumps(RIGHT).encode(), None)[0] == 401
        assert len(traces.spans) == 0
        assert post(server.port, json.dumps(RIGHT).encode()) == (200, '{"kept": true}')
        (span,) = traces.spans
        assert span.attributes["agentops.feedback.trace_id"] == "a" * 32
        assert span.events[0].attributes["gen_ai.evaluation.explanation"] == "good"


def test_the_application_takes_it_and_from_nobody_without_the_token() -> None:
    app = functools.partial(agentops.status_app, token="t0ken")

    async def ask() -> int:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": json.dumps({**RIGHT, "span_id": "b" * 16}).encode()}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/agentops/feedback", "client": ("10.0.0.1", 1),
                 "headers": [(b"authorization", b"Bearer t0ken")]}  # fmt: skip
        await app(scope, receive, send)
        return int(sent[0]["status"])

    with agentops.testing.capture() as traces:
        assert asyncio.run(ask()) == 200
        assert (traces.spans[0].trace_id, traces.spans[0].parent_id) == ("a" * 32, "b" * 16)
        with agentops.serve_status(0) as server:
            assert post(server.port, json.dumps(RIGHT).encode(), None)[0] == 401
    with agentops.serve_status(0, token="t0ken") as server:
        code, said = post(server.port, json.dumps(RIGHT).encode())
        assert (code, "nothing is recorded" in said) == (400, True)
