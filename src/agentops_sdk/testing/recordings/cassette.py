"""One exchange with a model, as a recording holds it: readable, and without secrets."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from agentops_sdk._scrub.redact import Redactor, is_secret_name
from agentops_sdk.testing.recordings.http_boundary import Answer, Request
from agentops_sdk.testing.recordings.pieces import scrub_pieces

# Of the answer's headers, those that clients act on; of the request's, none: keys are among them.
_HEADERS: Final = ("content-type", "x-request-id", "request-id", "retry-after", "retry-after-ms", "x-should-retry")
_SECRET_PARAMETERS: Final = re.compile(r"(?:^|[-_])(?:key|token|sig|signature|secret|password)$", re.IGNORECASE)
_EVENT_STREAM: Final = "text/event-stream"
_LOCAL: Final = re.compile(r"https?://(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])(?:[:/]|$)")
_redactor = Redactor()


@dataclass(slots=True)
class Exchange:
    """``request`` and ``response`` are what the file holds."""

    request: dict[str, Any]
    response: dict[str, Any]
    used: bool = False

    @classmethod
    def of(cls, request: Request, answer: Answer) -> Exchange:
        """What is to be kept of an exchange that took place."""
        headers = {name.lower(): value for name, value in answer.headers if name.lower() in _HEADERS}
        response: dict[str, Any] = {"status": answer.status, "headers": headers}
        body = b"".join(answer.pieces)
        if headers.get("content-type", "").startswith(_EVENT_STREAM):
            response["events"] = list(_events(body.decode("utf-8", "replace")))
            scrub_pieces(response["events"])
        else:
            response["body"] = _scrubbed_stream(_readable(body))
        return cls(asked(request), scrubbed(response))

    def answer(self) -> Answer:
        """What the client gets."""
        response = self.response
        headers = list(response.get("headers", {}).items())
        if "events" in response:
            return Answer(response["status"], headers, [_sent(event) for event in response["events"]])
        return Answer(response["status"], headers, [_bytes(response.get("body"))])


def asked(request: Request) -> dict[str, Any]:
    """What a recording holds of a request, and what two requests are compared by."""
    body = request.body
    if "boundary=" in request.content_type:  # it is another one each time
        boundary = request.content_type.partition("boundary=")[2].partition(";")[0].strip('"')
        body = body.replace(boundary.encode(), b"boundary")
    description: dict[str, Any] = {"method": request.method, "url": _url(request.url), "body": _readable(body)}
    return scrubbed(description)


def compared(recorded: dict[str, Any], now: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both requests without what does not matter.

    That is the token counts that capturing asks streams for; and, where a server on this machine
    stood in for the real one, the address.
    """
    local = _LOCAL.match(recorded["url"]) or _LOCAL.match(now["url"])
    return _essence(recorded, bare=local is not None), _essence(now, bare=local is not None)


def _essence(request: dict[str, Any], *, bare: bool) -> dict[str, Any]:
    body, url = request["body"], request["url"]
    if isinstance(body, dict) and body.get("stream_options") == {"include_usage": True}:
        body = {name: value for name, value in body.items() if name != "stream_options"}
    if bare:
        url = urlunsplit(urlsplit(url)._replace(scheme="", netloc=""))
    return {**request, "url": url, "body": body}


def _url(url: str) -> str:
    parts = urlsplit(url)
    query = [
        (name, "[redacted:secret]" if _SECRET_PARAMETERS.search(name) or is_secret_name(name) else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    host = parts.netloc.rpartition("@")[2]  # never a name and password
    return urlunsplit(parts._replace(netloc=host, query=urlencode(query, safe="[]:")))


def _scrubbed_stream(body: Any) -> Any:
    """A body that holds a stream without saying so: a list of chunks, or a chunk on each line."""
    if isinstance(body, list):
        scrub_pieces(body)
    if not (isinstance(body, dict) and body.keys() == {"$text"}):
        return body
    lines = [(line, *_chunk(line)) for line in body["$text"].split("\n")]
    chunks = [chunk for _, _, chunk in lines if chunk is not None]
    if len(chunks) < 2 or not scrub_pieces(chunks):
        return body
    written = [
        line if chunk is None else prefix + json.dumps(chunk, ensure_ascii=False) for line, prefix, chunk in lines
    ]
    return {"$text": "\n".join(written)}


def _chunk(line: str) -> tuple[str, Any]:
    prefix = line[: len(line) - len(line.lstrip())] if not line.startswith("data:") else line[: line.find("{")]
    try:
        chunk = json.loads(line[len(prefix) :])
    except ValueError:
        return prefix, None
    return prefix, chunk if isinstance(chunk, dict) else None


def _readable(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        pass
    try:
        return {"$text": body.decode()}
    except UnicodeDecodeError:
        return {"$base64": base64.b64encode(body).decode()}


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, dict) and len(body) == 1:
        if "$text" in body:
            return str(body["$text"]).encode()
        if "$base64" in body:
            return base64.b64decode(body["$base64"])
    return json.dumps(body, ensure_ascii=False).encode()


def _events(text: str) -> Iterator[dict[str, Any]]:
    """Server-sent events, their data parsed where it is JSON."""
    for block in re.split(r"\r?\n\r?\n", text):
        event: dict[str, Any] = {}
        data: list[str] = []
        for line in block.splitlines():
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                data.append(value)
            elif name:
                event[name] = value
        if data:
            whole = "\n".join(data)
            try:
                event["data"] = json.loads(whole)
            except ValueError:
                event["data"] = {"$text": whole}
        if event:
            yield event


def _sent(event: dict[str, Any]) -> bytes:
    lines = [f"{name}: {value}" for name, value in event.items() if name != "data"]
    if "data" in event:
        data = event["data"]
        text = data["$text"] if isinstance(data, dict) and data.keys() == {"$text"} else json.dumps(data)
        lines += [f"data: {line}" for line in text.split("\n")]
    return ("\n".join(lines) + "\n\n").encode()


def scrubbed(value: dict[str, Any]) -> dict[str, Any]:
    """Secrets replaced as they are in spans: the same rules, on the JSON text."""
    clean: dict[str, Any] = json.loads(_redactor.text(json.dumps(value, ensure_ascii=False))[0])
    return clean
