"""The application: what the page asks for, answered from the files. Every text leaves as JSON, never as markup."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from anyio import CapacityLimiter, sleep, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from agentops_sdk.errors import AgentOpsError, ConfigError
from agentops_sdk.report.page import content, html
from agentops_sdk.traces.display.step_lines import StepLines
from agentops_sdk.traces.display.terminal_text import line
from agentops_sdk.traces.figures.tables import BY
from agentops_sdk.traces.figures.trends import PERIODS, SPLITS
from agentops_sdk.traces.follower import Follower
from agentops_sdk.traces.search.attribute_condition import SHORT_NAMES
from agentops_sdk.traces.search.chosen_events import ChosenEvents
from agentops_sdk.traces.search.filters import table
from agentops_sdk.view.alignment import align
from agentops_sdk.view.feedback_file import append_feedback
from agentops_sdk.view.folder import Folder
from agentops_sdk.view.plot_data import stats_data, trends_data
from agentops_sdk.view.run_list import run_list, session_list
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
_PAGES: Final = ("/", "/sessions", "/stats", "/trends", "/compare")
_MOST_BYTES: Final = 65_536
_PAUSE: Final = 0.5
_AGES: Final = 5.0  # seconds after which what is running is told again: it has become older
_SHARE: Final = 4  # times as long as it took to tell of a run, nothing more is told of it


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
        *(Route(address, view.page) for address in _PAGES),
        Route("/assets/{name}", view.asset),
        Route("/api/runs", view.runs),
        Route("/api/sessions", view.sessions),
        Route("/api/stats", view.stats),
        Route("/api/trends", view.trends),
        Route("/api/compare", view.compare),
        Route("/api/live", view.live),
        Route("/runs/{trace_id}", view.run),
        Route("/runs/{trace_id}/live", view.run_live),
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
        """Every page but that of a run: all are drawn by the script."""
        page = (_ASSETS / "view.html").read_text(encoding="utf-8").replace("{words}", _words())
        return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _TYPES:
            raise HTTPException(404)
        return Response((_ASSETS / name).read_bytes(), media_type=_TYPES[name])

    async def run(self, request: Request) -> Response:
        """The page of ``agentops report``, which brings its own policy."""
        trace_id = request.path_params["trace_id"]

        def page() -> str:
            trace = self._folder.traces().get(trace_id)
            return html(trace, home="/", live=_live(trace))

        return HTMLResponse(await self._read(page), headers={"Content-Security-Policy": "frame-ancestors 'none'"})

    async def run_live(self, request: Request) -> Response:
        """Server-sent events: all of a run, whenever something has happened in it, until it is over."""
        wanted = request.path_params["trace_id"]
        trace_id = (await self._read(lambda: self._folder.traces().get(wanted))).trace_id
        return StreamingResponse(self._states(request, trace_id), media_type="text/event-stream")

    async def _states(self, request: Request, trace_id: str) -> AsyncIterator[str]:
        follower = await self._follower()
        yield "retry: 2000\n\n"
        due = 0.0

        def state() -> tuple[str, bool]:
            trace = self._folder.traces().get(trace_id)
            return content(trace, home="/", live=_live(trace)), bool(_live(trace))

        while not await request.is_disconnected():
            pause, began = _PAUSE, monotonic()
            events = await to_thread.run_sync(follower.events) if follower is not None else ()
            if began >= due or any(event.record.trace_id == trace_id for event in events):
                try:
                    text, goes_on = await self._read(state)
                except AgentOpsError:  # it was erased, or its files are gone
                    return
                yield f"data: {text}\n\n"
                if not goes_on:
                    return
                due = monotonic() + _AGES
                pause = max(pause, _SHARE * (monotonic() - began))
            await sleep(pause)

    async def _follower(self) -> Follower | None:
        path = self._folder.path
        return await to_thread.run_sync(Follower, path) if path is not None else None

    async def runs(self, request: Request) -> Response:
        _, filters = _asked(request)
        return JSONResponse(
            await self._read(lambda: {**run_list(self._chosen(filters)), "of": len(self._folder.traces().runs)})
        )

    async def sessions(self, request: Request) -> Response:
        words, filters = _asked(request, "one")
        return JSONResponse(await self._read(lambda: session_list(self._chosen(filters), words["one"])))

    async def stats(self, request: Request) -> Response:
        words, filters = _asked(request, "by")
        return JSONResponse(await self._read(lambda: stats_data(self._chosen(filters), words["by"] or "model")))

    async def trends(self, request: Request) -> Response:
        words, filters = _asked(request, "by", "split")
        return JSONResponse(
            await self._read(lambda: trends_data(self._chosen(filters), words["by"] or "day", words["split"]))
        )

    def _chosen(self, filters: Filters) -> Traces:
        everything = self._folder.traces()
        return everything.where(**filters) if filters else everything

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
            folder = self._folder.feedback
            if folder is None:
                raise ConfigError(
                    "feedback", told.get("name"), "a directory of traces, or a file: a store is only read"
                )
            fields = {name: told.get(name) for name in ("name", "value", "comment")}
            append_feedback(folder, self._folder.traces().get(trace_id), **fields)

        await self._read(append)
        return JSONResponse({"kept": True})

    async def live(self, request: Request) -> Response:
        """Server-sent events: a line for each step that starts or ends, and the runs that are over."""
        _, filters = _asked(request)
        return StreamingResponse(self._events(request, ChosenEvents(filters)), media_type="text/event-stream")

    async def _events(self, request: Request, chosen: ChosenEvents) -> AsyncIterator[str]:
        follower = await self._follower()
        lines, is_said = StepLines(), False
        yield "retry: 2000\n\n"
        while not await request.is_disconnected():
            events = await to_thread.run_sync(lambda: chosen.of(follower.events())) if follower is not None else ()
            for event in events:
                record = event.record
                text = lines.started(record) if event.kind == "started" else lines.ended(record)
                told = {"text": text.plain, "outcome": record.outcome, "kind": event.kind, "trace": record.trace_id}
                yield f"data: {json.dumps(told)}\n\n"
            if follower is not None and follower.sealed is not None and not is_said:
                is_said = True
                told = {
                    "text": f"lines are left out: {follower.sealed}",
                    "outcome": "error",
                    "kind": "remark",
                    "trace": "",
                }
                yield f"data: {json.dumps(told)}\n\n"
            yield ": \n\n"
            await sleep(_PAUSE)


def _live(trace: Trace) -> str:
    """Where is told how a run goes on; nothing where it is over."""
    outline = trace.outline
    goes_on = trace.outcome == "running" or any(trace.record(n).outcome == "running" for n in outline.open)
    return f"/runs/{trace.trace_id}/live" if goes_on else ""


def _asked(request: Request, *names: str) -> tuple[dict[str, str], Filters]:
    """The words of these names, and all else as filters."""
    words, filters = dict.fromkeys(names, ""), dict[str, Any]()
    rows = table()
    for name, value in request.query_params.multi_items():
        if name in words:
            words[name] = value
        elif value and name in rows and rows[name].repeats:
            filters.setdefault(name, []).append(value)
        elif value:
            filters[name] = value if name not in rows or rows[name].metavar else value == "true"
    return words, cast("Filters", filters)


@cache
def _words() -> str:
    """What may be asked for, as JSON within the page: the filters, and what figures are told apart by."""
    filters = [
        {"name": name, "help": row.help, "value": row.metavar, "repeats": row.repeats} for name, row in table().items()
    ]
    words = {"filters": filters, "by": [*BY, *SHORT_NAMES], "periods": PERIODS, "splits": SPLITS}
    return json.dumps(words).translate({ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"})
