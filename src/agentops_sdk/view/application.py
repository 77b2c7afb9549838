"""The application: what the page asks for, answered from the files. Every text leaves as JSON, never as markup."""

from __future__ import annotations

import json
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from anyio import CapacityLimiter, sleep, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from agentops_sdk.errors import AgentOpsError, ConfigError
from agentops_sdk.report.page import html
from agentops_sdk.traces.display.step_lines import StepLines
from agentops_sdk.traces.display.terminal_text import line
from agentops_sdk.traces.figures import number_format
from agentops_sdk.traces.follower import Follower
from agentops_sdk.traces.search.filters import table
from agentops_sdk.view.alignment import align
from agentops_sdk.view.feedback_file import append_feedback
from agentops_sdk.view.folder import Folder
from agentops_sdk.view.visitor_check import VisitorCheck

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

    from agentops_sdk.traces.files import Traces
    from agentops_sdk.traces.search.filters import Filters
    from agentops_sdk.traces.trace import Trace

__all__ = ["application"]

T = TypeVar("T")
_ASSETS: Final = Path(__file__).with_name("assets")
_TYPES: Final = {"view.js": "text/javascript", "view.css": "text/css"}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_MOST_RUNS: Final = 500
_MOST_BYTES: Final = 65_536
_PAUSE: Final = 0.5


def application(
    path: Path | None, *, token: str, host: str = "127.0.0.1", stored: Callable[[], Traces] | None = None
) -> Starlette:
    """An ASGI application over a directory of traces, or one file, or a store.

    Args:
        path: what is shown; it need not exist yet. ``None`` with a store that is no file: it is only read.
        token: who has it may look.
        host: where the server listens; other names than this, ``localhost`` and addresses are refused.
        stored: asks a store for its runs, in place of reading what lies at ``path``.
    """
    view = _View(Folder(path, stored))
    routes = [
        Route("/", view.page),
        Route("/compare", view.page),
        Route("/assets/{name}", view.asset),
        Route("/api/runs", view.runs),
        Route("/api/compare", view.compare),
        Route("/api/live", view.live),
        Route("/runs/{trace_id}", view.run),
        Route("/runs/{trace_id}/feedback", view.feedback, methods=["POST"]),
    ]
    errors = {ConfigError: _wrong, AgentOpsError: _missing}
    return Starlette(
        routes=routes,
        middleware=[Middleware(VisitorCheck, token=token, host=host)],
        exception_handlers=cast("Any", errors),
    )


def _wrong(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": line(str(error))}, 400)


def _missing(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": line(str(error))}, 404)


class _View:
    """What is asked for. Reading runs on a thread, so that no large directory holds up the others who look."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._alone = CapacityLimiter(1)

    async def _read(self, question: Callable[[], T]) -> T:
        """Ask the files, on a thread; one question at a time, because all share what is read from them."""
        return await to_thread.run_sync(question, limiter=self._alone)

    async def page(self, _: Request) -> Response:
        """The list, or two runs side by side: both are drawn by the script."""
        page = (_ASSETS / "view.html").read_text(encoding="utf-8")
        return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _TYPES:
            raise HTTPException(404)
        return Response((_ASSETS / name).read_bytes(), media_type=_TYPES[name])

    async def run(self, request: Request) -> Response:
        """The page of ``agentops report``, which brings its own policy."""
        trace_id = request.path_params["trace_id"]
        page = await self._read(lambda: html(self._folder.traces().get(trace_id)))
        return HTMLResponse(page, headers={"Content-Security-Policy": "frame-ancestors 'none'"})

    async def runs(self, request: Request) -> Response:
        filters = _filters(request)
        return JSONResponse(await self._read(partial(self._list, filters)))

    def _list(self, filters: Filters) -> dict[str, Any]:
        everything = self._folder.traces()
        traces: Traces = everything.where(**filters) if filters else everything
        rows = [_row(trace) for trace in islice(traces, _MOST_RUNS)]
        return {
            "rows": rows,
            "count": len(traces),
            "of": len(everything),
            "remarks": [line(remark) for remark in traces.remarks],
            "filters": {name: row.help for name, row in table().items() if row.metavar},
        }

    async def compare(self, request: Request) -> Response:
        a, b = request.query_params.get("a", ""), request.query_params.get("b", "")

        def aligned() -> dict[str, Any]:
            traces = self._folder.traces()
            return align(traces.get(a), traces.get(b))

        return JSONResponse(await self._read(aligned))

    async def feedback(self, request: Request) -> Response:
        """Append what somebody thinks of a run."""
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _MOST_BYTES:
                raise HTTPException(413)
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            raise HTTPException(415)
        try:
            told = json.loads(body)
        except ValueError:
            raise HTTPException(400) from None
        if not isinstance(told, dict):
            raise HTTPException(400)
        trace_id = request.path_params["trace_id"]

        def append() -> None:
            path = self._folder.path
            if path is None:
                raise ConfigError("feedback", told.get("name"), "a directory of traces: a server is only read")
            folder = path if path.is_dir() else path.parent
            fields = {name: told.get(name) for name in ("name", "value", "comment")}
            append_feedback(folder, self._folder.traces().get(trace_id), **fields)

        await self._read(append)
        return JSONResponse({"kept": True})

    async def live(self, request: Request) -> Response:
        """Server-sent events: a line for each step that starts or ends, and the runs that are over."""
        return StreamingResponse(self._events(request), media_type="text/event-stream")

    async def _events(self, request: Request) -> AsyncIterator[str]:
        path = self._folder.path
        follower = await to_thread.run_sync(Follower, path) if path is not None else None
        lines = StepLines()
        yield "retry: 2000\n\n"
        while not await request.is_disconnected():
            for event in await to_thread.run_sync(follower.events) if follower is not None else ():
                record = event.record
                text = lines.started(record) if event.kind == "started" else lines.ended(record)
                told = {"text": text.plain, "outcome": record.outcome, "kind": event.kind, "trace": record.trace_id}
                yield f"data: {json.dumps(told)}\n\n"
            yield ": \n\n"
            await sleep(_PAUSE)


def _filters(request: Request) -> Filters:
    told: dict[str, Any] = {}
    rows = table()
    for name, value in request.query_params.multi_items():
        if not value:
            continue
        if name in rows and rows[name].repeats:
            told.setdefault(name, []).append(value)
        else:
            told[name] = value if name not in rows or rows[name].metavar else value == "true"
    return cast("Filters", told)


def _row(trace: Trace) -> dict[str, Any]:
    usage, cost = trace.sums
    return {
        "id": trace.trace_id,
        "start": f"{trace.start:%Y-%m-%d %H:%M:%S}",
        "name": line(trace.name, 300),
        "outcome": trace.outcome,
        "seconds": trace.duration,
        "took": number_format.duration(trace.duration, at_least=bool(trace.outline.open)),
        "session": line(trace.session_id or "", 200),
        "user": line(trace.user_id or "", 200),
        "models": [line(model, 100) for model in trace.models],
        "errors": len(trace.outline.errors),
        "tokens": number_format.all_tokens(usage),
        "cost": number_format.cost(cost),
        "amount": float(cost.amount),
        "feedback": line(", ".join(dict.fromkeys(f"{each.name} {each.verdict}" for each in trace.evaluations)), 200),
    }
