"""The integration, tried against a service on loopback: ``pip install . pytest`` and ``pytest`` is all it takes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import acme_talk
import pytest

import agentops_sdk as agentops

TURNS = [{"who": "me", "says": "Hello?"}]
ANSWER = {"voice": "aria-1", "text": "Hi there.", "why": "done", "counted": {"in": 3, "out": 4}}
LINES = [{"voice": "aria-1"}, {"piece": "Hi "}, {"piece": "there."}, {"why": "done", "counted": {"in": 3, "out": 4}}]


class Service(BaseHTTPRequestHandler):
    """Answers whole, or a line at a time."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200 if body["voice"] == "aria" else 404)
        self.end_headers()
        answers = LINES if body.get("live") else [ANSWER]
        self.wfile.write("\n".join(json.dumps(answer) for answer in answers).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Stay quiet."""


@pytest.fixture
def client() -> Iterator[acme_talk.AcmeTalk]:
    """The real client, and a service for it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with acme_talk.AcmeTalk(f"http://127.0.0.1:{server.server_port}") as running:
            yield running
        server.shutdown()


def test_it_is_found_by_its_entry_point() -> None:
    with agentops.testing.capture():
        found = agentops.status().integrations["acme_talk"]
    assert (found.state, found.version) == ("patched", "0.1.0")


def test_an_answer(client: acme_talk.AcmeTalk) -> None:
    with agentops.testing.capture() as traces:
        reply = client.talk("aria", TURNS, longest=50)
    assert reply.text == "Hi there."
    (call,) = traces.llm_calls
    assert (call.model, call.prompt, call.text) == ("aria-1", "Hello?", "Hi there.")
    assert (call.usage.input, call.usage.output) == (3, 4)
    assert call.outcome == "ok"


def test_a_live_answer_that_is_left(client: acme_talk.AcmeTalk) -> None:
    with agentops.testing.capture() as traces:
        answer = client.talk_live("aria", TURNS)
        assert next(answer) == "Hi "
        answer.close()  # type: ignore[attr-defined]  # a generator, declared as an iterator
    (call,) = traces.llm_calls
    assert call.outcome == "abandoned"


def test_a_refusal(client: acme_talk.AcmeTalk) -> None:
    with agentops.testing.capture() as traces, pytest.raises(acme_talk.AcmeError):
        client.talk("nobody", TURNS)
    (call,) = traces.llm_calls
    assert call.outcome == "error"
