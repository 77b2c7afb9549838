"""The local page, served on loopback by the server that the command uses."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from typing import TYPE_CHECKING, Any

from tests.traces.samples import agent, chat, message, tool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentops_sdk.traces import SpanRecord, Traces

TOKEN = "t0ken"
HOUR = 3_600_000
PAGES = (
    ("/", "document.querySelectorAll('tbody tr').length === 24"),
    ("/sessions", "document.querySelectorAll('tbody tr').length === 8"),
    ("/sessions?one=conversation+7", "document.querySelectorAll('.turns li').length === 3"),
    ("/stats", "document.querySelectorAll('tbody tr').length === 3"),
    ("/trends?by=week&split=model", "document.querySelectorAll('.plot').length === 6"),
    (f"/compare?a={1:032x}&b={20:032x}", "document.querySelector('tr.first')"),
)
"""The pages over :func:`days`, and what is true when each is there."""


class Site:
    """A running server and one who has the token."""

    def __init__(self, folder: Path, stored: Callable[[], Traces] | None = None) -> None:
        import uvicorn

        from agentops_sdk.view import application

        self.folder = folder
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        app = application(folder, token=TOKEN, stored=stored)
        config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]})
        self._thread.start()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        self._listener.close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/?token={TOKEN}"

    def ask(
        self, path: str, method: str = "GET", body: str | None = None, **headers: str
    ) -> tuple[int, http.client.HTTPMessage, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        own = {"Cookie": f"agentops_view_{self.port}={TOKEN}"}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {**own, **names})
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, content

    def json(self, path: str) -> Any:
        status, _, content = self.ask(path)
        assert status == 200, content
        return json.loads(content)


def write(path: Path, records: list[SpanRecord]) -> None:
    path.write_text("".join(record.model_dump_json(exclude_unset=True) + "\n" for record in records))


def days() -> list[SpanRecord]:
    """Twenty-four runs of two agents over eight days, three of them in each session; the last days are dearer."""
    records = []
    for number in range(24):
        trace_id, at = f"{number + 1:032x}", number * 8 * HOUR
        late, name = number >= 16, ("support", "billing")[number % 2]
        top = agent(name, took=2_000 + 400 * (number % 5) + 1_500 * late, at=at, trace_id=trace_id, attributes={
            "session.id": f"conversation {number // 3}", "user.id": f"user-{number // 3 % 4}",
            "agentops.input": f"question {number}", "agentops.output": f"answer {number}",
        }, status="error" if number % 7 == 6 else "unset")  # fmt: skip
        asked = {
            "gen_ai.input.messages": json.dumps([message("user", f"question {number}")]),
            "gen_ai.output.messages": json.dumps([message("assistant", f"answer {number}")]),
        }
        model = "gpt-4o" if late else "gpt-4o-mini"
        records += [
            top,
            chat(
                top,
                at=at + 20,
                took=900,
                trace_id=trace_id,
                model=model,
                cost=0.004 if late else 0.0003,
                attributes=asked,
            ),
            tool("search", top, at=at + 1_000, took=300, trace_id=trace_id),
        ]
    return records
