"""Requests to a service of yours as spans: middleware for ASGI and WSGI applications, such as FastAPI's and Flask's."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import Any

from opentelemetry.context import Context, attach, get_current
from opentelemetry.trace import SpanKind

from agentops_sdk import semconv
from agentops_sdk._capture.call import NULL_CALL, Call, NullCall
from agentops_sdk._capture.start import start
from agentops_sdk._host.guard import UserFunction, guard
from agentops_sdk._propagation.context_keys import release
from agentops_sdk.context import context, extract
from agentops_sdk.errors import ConfigError

__all__ = ["ASGIMiddleware", "WSGIMiddleware"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Asked = Callable[[Any], str | bytes | None]
"""Gives an id; as bytes in HTTP's encoding, as headers in an ASGI scope are."""

_SITE = "middleware"
_FAILED = 500
_BODIES = ("http.response.body", "http.response.pathsend", "http.response.zerocopysend")
"""How a reply is sent: piece by piece, or by a server that reads a file itself."""


class _Request:
    """One request: its span, and the context of whatever serves it. Every method is guarded."""

    def __init__(
        self, headers: Any, about: Any, method: str, path: str, options: _Options, *, spanned: bool = True
    ) -> None:
        self.call: Call | NullCall = NULL_CALL
        self.context: Context | None = None
        self._method = method
        self.route: Any = None
        self.replied = False
        self.complete = False
        with guard(_SITE):
            carried = extract(headers).make()
            token = attach(carried)
            try:
                given = {name: _text(name, ask, about) for name, ask in options.asked.items()}
                with context(**given):  # type: ignore[arg-type]  # session_id and user_id
                    attributes = {semconv.HTTP_REQUEST_METHOD: method, semconv.URL_PATH: path}
                    if spanned:
                        self.call = start(
                            "span", None, attributes=attributes, span_name=method, span_kind=SpanKind.SERVER
                        )
                    self.context = self.call.context if self.call.recording else get_current()
            finally:
                release(token)

    def enter(self) -> Any:
        token = None
        with guard(_SITE):
            token = attach(self.context) if self.context is not None else None
        return token

    def leave(self, token: Any) -> None:
        with guard(_SITE):
            if token is not None:
                release(token)

    def status(self, code: Any) -> None:
        with guard(_SITE):
            self.replied = True
            self.call.set(semconv.HTTP_RESPONSE_STATUS_CODE, int(code))
            if int(code) >= _FAILED:
                self.call.set(semconv.ERROR_TYPE, str(int(code)))

    def routed(self, find: Callable[[Any], Any], about: Any) -> None:
        with guard(_SITE):
            self.route = find(about)

    def end(self, error: BaseException | None = None) -> None:
        with guard(_SITE):
            route = self.route
            if type(route) is str and route:
                self.call.set(semconv.HTTP_ROUTE, route)
                self.call.rename(f"{self._method} {route}")
            if error is not None:
                self.call.fail(error)
            elif isinstance(self.call, Call) and semconv.ERROR_TYPE in self.call.span.attributes:
                self.call.finish("error")
            else:
                self.call.finish("ok" if self.complete or not self.replied else "abandoned")


class _Options:
    """What a program says of its requests."""

    def __init__(self, session_id: Asked | None, user_id: Asked | None, excluded_urls: str) -> None:
        given = {"session_id": session_id, "user_id": user_id}
        self.asked = {name: ask for name, ask in given.items() if ask is not None}
        for name, ask in self.asked.items():
            if not callable(ask):
                raise ConfigError(name, ask, "a function of the request's ASGI scope or WSGI environment")
        self._excluded = []
        for part in excluded_urls.split(",") if isinstance(excluded_urls, str) else [excluded_urls]:
            try:
                self._excluded += [re.compile(part.strip())] if part else []
            except (re.error, AttributeError):
                raise ConfigError("excluded_urls", part, "regular expressions, separated by commas") from None

    def excludes(self, path: Any) -> bool:
        """Whether a request for this path is none of ours."""
        found = False
        with guard("middleware.excluded"):
            found = any(pattern.search(str(path)) for pattern in self._excluded)
        return found


def _text(name: str, ask: Asked, about: Any) -> str | None:
    text: str | None = None
    with guard("middleware.asked"):
        with UserFunction(name):
            value = ask(about)
        text = value.decode("latin-1") if isinstance(value, bytes) else value
    return text


class ASGIMiddleware:
    """A span for each HTTP request of an ASGI application, around all that serves it.

    It continues the trace of whoever sent the request, and is over when the last piece of the reply was sent and the
    application has returned: a reply that the client does not wait for is ``abandoned``. The route is FastAPI's or
    Starlette's, where it is one of theirs, with that of what it is mounted in. A WebSocket has no span of its own: what
    runs while it is open goes on in the sender's trace, and has its session and user.

    Args:
        app: the application; ``app.add_middleware(ASGIMiddleware)`` passes it.
        session_id: gives the session's id for a request, from its ASGI scope.
        user_id: gives the user's id in the same way.
        excluded_urls: regular expressions, separated by commas, as OpenTelemetry's middleware takes them: a request in
            whose path one of them is found is served as if this were not there, such as ``"^/livez$,^/agentops/"``.

    Raises:
        ConfigError: an argument has a value that cannot work.
    """

    def __init__(
        self, app: Any, *, session_id: Asked | None = None, user_id: Asked | None = None, excluded_urls: str = ""
    ) -> None:
        self.app = app
        self._options = _Options(session_id, user_id, excluded_urls)

    async def __call__(
        self,
        scope: Scope,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope.get("type") not in ("http", "websocket") or self._options.excludes(scope.get("path", "")):
            await self.app(scope, receive, send)
            return
        request = _Request(
            scope.get("headers") or (),
            scope,
            str(scope.get("method", "HTTP")),
            str(scope.get("path", "")),
            self._options,
            spanned=scope["type"] == "http",
        )

        async def sent(message: Message) -> None:
            if message.get("type") == "http.response.start":
                request.status(message.get("status", 0))
            await send(message)
            if message.get("type") in _BODIES and not message.get("more_body", False):
                request.complete = True

        token = request.enter()
        try:
            await self.app(scope, receive, sent)
        except BaseException as error:
            request.leave(token)
            request.routed(_route, scope)
            request.end(error)
            raise
        request.leave(token)
        request.routed(_route, scope)
        request.end()


def _route(scope: Scope) -> Any:
    """The route's path, with that of what it is mounted in."""
    route = scope.get("route")
    path, root, own = getattr(route, "path", None), scope.get("root_path"), scope.get("app_root_path")
    if type(path) is not str or type(root) is not str or type(own) is not str:
        return path
    named = {str(value): f"{{{name}}}" for name, value in (scope.get("path_params") or {}).items()}
    mounted = "/".join(named.get(part, part) for part in root.removeprefix(own).split("/"))
    return mounted if hasattr(route, "routes") else mounted + path  # of a mount itself, which found nothing in it


class WSGIMiddleware:
    """A span for each request of a WSGI application, around all that serves it, up to the last piece of its reply.

    Args:
        app: the application, such as ``app.wsgi_app`` of Flask's.
        session_id: gives the session's id for a request, from its WSGI environment.
        user_id: gives the user's id in the same way.
        excluded_urls: regular expressions, separated by commas, as OpenTelemetry's middleware takes them: a request in
            whose path one of them is found is served as if this were not there, such as ``"^/livez$,^/agentops/"``.

    Raises:
        ConfigError: an argument has a value that cannot work.
    """

    def __init__(
        self, app: Any, *, session_id: Asked | None = None, user_id: Asked | None = None, excluded_urls: str = ""
    ) -> None:
        self.app = app
        self._options = _Options(session_id, user_id, excluded_urls)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self._options.excludes(environ.get("PATH_INFO", "")):
            reply: Iterable[bytes] = self.app(environ, start_response)
            return reply
        request = _Request(
            environ,
            environ,
            str(environ.get("REQUEST_METHOD", "HTTP")),
            str(environ.get("PATH_INFO", "")),
            self._options,
        )

        def started(status: str, *rest: Any, **more: Any) -> Any:
            request.status(status[:3])
            request.routed(_rule, environ)  # Flask lets go of its request before the reply is read
            return start_response(status, *rest, **more)

        token = request.enter()
        try:
            reply = self.app(environ, started)
        except BaseException as error:
            request.leave(token)
            request.end(error)
            raise
        request.leave(token)
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(reply, (list, tuple)) or (isinstance(wrapper, type) and isinstance(reply, wrapper)):
            request.complete = True  # all of it is there; what the server does with it is not seen
            request.end()
            return reply
        return _Reply(reply, request)


def _rule(environ: dict[str, Any]) -> Any:
    return getattr(getattr(environ.get("werkzeug.request"), "url_rule", None), "rule", None)


class _Reply:
    """The pieces of a reply, which may be made while they are read, each inside the request's context."""

    def __init__(self, reply: Iterable[bytes], request: _Request) -> None:
        self._reply = reply
        self._pieces: Iterator[bytes] | None = None
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        request = self._request
        token = request.enter()
        try:
            if self._pieces is None:
                self._pieces = iter(self._reply)
            piece = next(self._pieces)
        except StopIteration:
            request.leave(token)
            request.complete = True
            request.end()
            raise
        except BaseException as error:
            request.leave(token)
            request.end(error)
            raise
        request.leave(token)
        return piece

    def close(self) -> None:
        """The server is done, whether or not it has read everything."""
        token = self._request.enter()
        try:
            close = getattr(self._reply, "close", None)
            if close is not None:
                close()
        finally:
            self._request.leave(token)
            self._request.end()
