"""Where a model client's requests leave the process: watched in httpx and httpx2, only while somebody watches.

Their transports are the one place that every client built on them passes, streaming or not,
whatever the client's version. Nothing is patched unless there is a watcher.
"""

from __future__ import annotations

import ipaddress
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, Protocol

from agentops_sdk._capture.current import current_call
from agentops_sdk._host.patches import Patches

LIBRARIES: Final = ("httpx", "httpx2")

_MODEL_PATHS: Final = re.compile(
    r"/(?:chat/completions|completions|complete|responses(?:/[^/]+)*|embeddings?|messages|chat|generate|rerank"
    r"|images/(?:generations|edits|variations)|audio/(?:speech|transcriptions|translations)|moderations"
    r"|model/[^/]+/(?:invoke|converse)[^/]*)$|:(?:stream)?(?:generate|embed|predict|batchEmbed|rawPredict)\w*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a model, about to leave."""

    method: str
    url: str
    host: str
    path: str
    content_type: str
    body: bytes

    @property
    def loopback(self) -> bool:
        """Whether it stays on this machine."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, or what is given back instead; a streamed body keeps its pieces."""

    status: int
    headers: Sequence[tuple[str, str]]
    pieces: Sequence[bytes]


class Watcher(Protocol):
    """Sees every request to a model; called from any thread."""

    def answer(self, request: Request) -> Answer | None:
        """Answer in the model's place; ``None`` lets the request through. May raise."""
        ...

    def answered(self, request: Request, answer: Answer) -> None:
        """What the model answered. Only asked for if :attr:`keeps` is true."""
        ...

    @property
    def keeps(self) -> bool:
        """Whether it wants to see answers: they are then read whole before the client gets them."""
        ...


_lock = threading.Lock()
_watchers: list[Watcher] = []
_patches = Patches("testing.http")


class ChangingWatcher(Watcher, Protocol):
    """A watcher that may also have another request go out than the program made."""

    def changed(self, request: Request) -> tuple[str, bytes] | None:
        """The address and the body of what goes out instead; ``None`` leaves it as it is."""
        ...


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Show ``watcher`` every request to a model; of several, the newest is asked first."""
    with _lock:
        _watchers.append(watcher)
        if len(_watchers) == 1:
            _begin()
    try:
        yield
    finally:
        with _lock:
            _watchers.remove(watcher)
            if not _watchers:
                _patches.undo()


def _begin() -> None:
    global _patches
    _patches = Patches("testing.http")
    for name in LIBRARIES:
        _patches.when_imported(name, _patch)
    _patches.when_imported("google.genai._api_client", _without_aiohttp)


def _without_aiohttp(module: ModuleType) -> None:
    """Google's client sends asynchronous requests through aiohttp where that is installed, else through httpx."""
    _patches.wrap(module.BaseApiClient, "_use_aiohttp", lambda *_: False)


def _patch(module: ModuleType) -> None:
    def ask(wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        request = args[0] if args else kwargs["request"]
        if not _is_model(request):
            return wrapped(*args, **kwargs)
        asked = _request(request, request.read())
        answer = _from_watchers(asked)
        if answer is not None:
            return _response(module, answer)
        args, kwargs = _changed(module, asked, request, args, kwargs)
        response = wrapped(*args, **kwargs)
        if any(watcher.keeps for watcher in _watchers):
            try:
                body = response.read()
            finally:
                response.close()
            response = _kept(module, asked, response, body)
        return response

    async def ask_async(wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        request = args[0] if args else kwargs["request"]
        if not _is_model(request):
            return await wrapped(*args, **kwargs)
        asked = _request(request, await request.aread())
        answer = _from_watchers(asked)
        if answer is not None:
            return _response(module, answer)
        args, kwargs = _changed(module, asked, request, args, kwargs)
        response = await wrapped(*args, **kwargs)
        if any(watcher.keeps for watcher in _watchers):
            try:
                body = await response.aread()
            finally:
                await response.aclose()
            response = _kept(module, asked, response, body)
        return response

    _patches.wrap(module.HTTPTransport, "handle_request", ask)
    _patches.wrap(module.AsyncHTTPTransport, "handle_async_request", ask_async)


def _is_model(request: Any) -> bool:
    call = current_call()
    if call is not None and call.kind in ("llm", "embedding") and not call.ended:
        return True
    return request.method == "POST" and _MODEL_PATHS.search(request.url.path) is not None


def _request(request: Any, body: bytes) -> Request:
    url = request.url
    return Request(request.method, str(url), url.host, url.path, request.headers.get("content-type", ""), body)


def _from_watchers(asked: Request) -> Answer | None:
    for watcher in reversed(list(_watchers)):
        answer = watcher.answer(asked)
        if answer is not None:
            return answer
    return None


def _changed(
    module: ModuleType, asked: Request, request: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the transport is called with: the request as it is, or as a watcher wants it to be."""
    for watcher in reversed(list(_watchers)):
        change: Callable[[Request], tuple[str, bytes] | None] | None = getattr(watcher, "changed", None)
        changed = change(asked) if change is not None else None
        if changed is not None:
            url, body = changed
            headers = [
                (name, value) for name, value in request.headers.multi_items() if name.lower() != "content-length"
            ]
            other = module.Request(request.method, url, headers=headers, content=body, extensions=request.extensions)
            return ((other, *args[1:]), kwargs) if args else (args, {**kwargs, "request": other})
    return args, kwargs


def _kept(module: ModuleType, asked: Request, response: Any, body: bytes) -> Any:
    headers = [
        (name, value)
        for name, value in response.headers.multi_items()
        # The body is decoded and whole by now.
        if name.lower() not in ("content-encoding", "content-length", "transfer-encoding")
    ]
    answer = Answer(response.status_code, headers, [body])
    for watcher in _watchers:
        if watcher.keeps:
            watcher.answered(asked, answer)
    return _response(module, answer)


def _response(module: ModuleType, answer: Answer) -> Any:
    pieces = list(answer.pieces)

    class Body(module.SyncByteStream, module.AsyncByteStream):  # type: ignore[misc,name-defined]  # httpx or httpx2, known at run time
        """The pieces, to whoever reads them in whichever way."""

        def __iter__(self) -> Iterator[bytes]:
            yield from pieces

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

    return module.Response(answer.status, headers=list(answer.headers), stream=Body())
