"""One form of request to a model: how it is read, and how an answer that a trace holds is written in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agentops_sdk import semconv
from agentops_sdk.testing.recordings.http_boundary import Answer

__all__ = ["Reply", "ReplyForm", "asked", "calls_in", "event_stream", "text_of"]

_JSON: Final = [("content-type", "application/json"), ("x-should-retry", "false")]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered, as a trace holds it.

    Attributes:
        id: of the answer.
        model: that answered.
        messages: in the conventions' form, one for each choice.
        usage: input and output tokens.
        error: the message of a call that failed; ``None`` where it did not.
        status: of the answer to a call that failed.
        error_type: what kind of failure it was, without the module of its class.
    """

    id: str
    model: str
    messages: list[dict[str, Any]]
    usage: tuple[int, int]
    error: str | None = None
    status: int = 500
    error_type: str = ""

    @property
    def parts(self) -> list[dict[str, Any]]:
        """What the first choice says."""
        return list(self.messages[0].get("parts") or ()) if self.messages else []


def event_stream(events: Iterator[tuple[str, Any]]) -> list[bytes]:
    """Server-sent events: the name of each, which may be empty, and its data."""
    pieces = []
    for name, data in events:
        text = data if isinstance(data, str) else json.dumps(data)
        pieces.append((f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode())
    return pieces


def _is_asked_for(_: str, body: Mapping[str, Any]) -> bool:
    return body.get("stream") is True


def _in_the_body(url: str, body: dict[str, Any], model: str) -> str:
    body["model"] = model
    return url


def _plain_error(reply: Reply) -> dict[str, Any]:
    return {"error": {"message": reply.error, "type": "replayed_error"}, "type": "error"}


@dataclass(frozen=True, slots=True)
class ReplyForm:
    """One form of request.

    Attributes:
        path: a pattern for how the path of its address ends.
        messages: what the model is given, from a request's body: instructions and messages.
        body: the answer to a request that is not streamed.
        events: the same as a stream's events: name and data; the name may be empty.
        with_system: puts other instructions into a request's body.
        streams: whether an answer is to be streamed, by the path and the body of a request.
        with_model: puts another model into a request's body, or into its address, which it returns.
        framed: the bytes of events.
        stream_type: the type of content of a stream.
        failure: the body of the answer to a call that failed.
        failure_headers: what its headers say of it.
    """

    path: str
    messages: Callable[[Mapping[str, Any]], list[Any]]
    body: Callable[[Reply], dict[str, Any]]
    events: Callable[[Reply], Iterator[tuple[str, Any]]]
    with_system: Callable[[dict[str, Any], str], None]
    streams: Callable[[str, Mapping[str, Any]], bool] = _is_asked_for
    with_model: Callable[[str, dict[str, Any], str], str] = _in_the_body
    framed: Callable[[Iterator[tuple[str, Any]]], list[bytes]] = event_stream
    stream_type: str = "text/event-stream"
    failure: Callable[[Reply], dict[str, Any]] = _plain_error
    failure_headers: Callable[[Reply], list[tuple[str, str]]] = lambda _: []

    def fits(self, path: str) -> bool:
        """Whether a request to this path is of this form."""
        return re.search(f"{self.path}$", path.rstrip("/")) is not None

    def answer(self, reply: Reply, *, stream: bool) -> Answer:
        """What the client gets."""
        if reply.error is not None:
            told = json.dumps(self.failure(reply)).encode()
            return Answer(reply.status, [*_JSON, *self.failure_headers(reply)], [told])
        if not stream:
            return Answer(200, _JSON, [json.dumps(self.body(reply)).encode()])
        return Answer(200, [("content-type", self.stream_type)], self.framed(self.events(reply)))


def asked(read: Callable[[Any], Mapping[str, Any]]) -> Callable[[Mapping[str, Any]], list[Any]]:
    """Instructions and messages of a request, from a function that reads its attributes."""

    def messages(body: Mapping[str, Any]) -> list[Any]:
        told = read(body)
        return [told.get(semconv.SYSTEM_INSTRUCTIONS) or [], told.get(semconv.INPUT_MESSAGES) or []]

    return messages


def text_of(parts: list[dict[str, Any]]) -> str:
    """All that is said in words."""
    return "".join(str(part.get("content") or "") for part in parts if part.get("type") == "text")


def calls_in(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The calls of tools."""
    return [part for part in parts if part.get("type") == "tool_call"]
