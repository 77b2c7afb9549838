r"""Clients whose requests pass a few methods of theirs: a body in; a reply, a stream of replies or a coroutine out.

Where a client has no inner methods that tell how a request goes, what is known is what goes into one method and what
comes out of it. An integration for a client that sends ``{"model": …, "messages": …}`` through its ``Api.send(path,
body)`` and gives back an object with the JSON text in ``.text``, or a generator of them, is::

    from agentops_sdk.integration.clients import Asked, Endpoint, Endpoints, Method, MethodClient
    from agentops_sdk.integration.dialects import openai_chat as chat

    def asked(api, args, kwargs):
        path, body = args
        return Asked(path, body, url=api.base_url, model=body.get("model"))

    CHAT = Endpoint(
        path="chat",
        request=chat.chat_request,
        response=chat.response,
        fold=chat.assemble,
        end_mark=re.compile(rb'"finish_reason":\s*"'),
    )

    integration = MethodClient(
        "acme",                                  # what users write in init(integrations=[...])
        "acme_client",                           # importing this installs it
        ">=1.0,<3",
        provider="acme",
        endpoints=Endpoints([CHAT]),
        methods=[
            Method("acme_client.api", "Api", "send", asked, body=lambda reply: reply.text),
            Method("acme_client.api", "AsyncApi", "send", asked, body=lambda reply: reply.text),
        ],
    )

The caller gets the method's own object wherever that can be: a reply as it is; a coroutine that gives it; a generator
that sends, throws and closes into the client's own; around any other stream a proxy that is one for ``isinstance`` too.
An operation begins when the client's work does: a generator's with its first step, a coroutine's when it is awaited.

Long because of this example, and because one class serves plain and asynchronous methods.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import AsyncGeneratorType, CoroutineType, GeneratorType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.trace import SpanKind

from agentops_sdk import semconv
from agentops_sdk._capture.call import NULL_CALL, PROGRAM
from agentops_sdk._capture.current import enclosing_request, name_model
from agentops_sdk._capture.start import start
from agentops_sdk._host.guard import guard
from agentops_sdk._host.intercept import Begun, around, around_async
from agentops_sdk._host.patches import Patches, Wrapper
from agentops_sdk._http.endpoint import Endpoints
from agentops_sdk._http.exchange import Exchange, address
from agentops_sdk._http.reply_frame import reading
from agentops_sdk._http.reply_proxies import FileProxy, ManagerProxy, StreamProxy
from agentops_sdk._http.reply_steps import ReplySteps, json_text
from agentops_sdk._propagation.generators import NO_STEPS, driven

if TYPE_CHECKING:
    from agentops_sdk._propagation.generators import Steps

__all__ = ["Asked", "Method", "MethodClient"]


class Asked(NamedTuple):
    """What one call of a method asks for."""

    path: str
    """Finds the row in the table of endpoints."""

    body: Any = None
    """The request: a mapping, which is copied, or JSON text, which is kept as it is."""

    url: str = ""
    """Of the server, for its address; the path need not be in it."""

    method: str = "POST"
    model: str | None = None
    """For the span's name, which is there before the body is read. Otherwise ``"model"`` of a body that is a dict."""

    provider: str | None = None
    """Where it is not the integration's."""

    name: str | None = None
    """For the span's name, where the endpoint is named by something else than the model and the body is JSON text."""


def _same(reply: Any) -> Any:
    return reply


def _nothing_beside(reply: Any) -> dict[str, Any]:
    return {}


def _not_lazy(kwargs: dict[str, Any]) -> bool:
    return False


def _no_stream(reply: Any) -> str | None:
    return None


def _no_file(reply: Any) -> tuple[Any, str] | None:
    return None


@dataclass(frozen=True, slots=True)
class Method:
    """One method to patch. The functions run on the caller's thread, guarded: they look, and change nothing."""

    module: str
    """Where it is; patched when that is imported."""

    owner: str
    """The class; empty for a function of the module."""

    name: str

    asked: Callable[[Any, tuple[Any, ...], dict[str, Any]], Asked | None]
    """``asked(instance, args, kwargs)``; ``None`` for a call that is none of ours."""

    body: Callable[[Any], Any] = _same
    """A reply, or one item of a stream, to JSON text or a structure of plain values."""

    stream: Callable[[Any], str | None] = _no_stream
    """For replies that hold their stream: the key, in a reply that is a dict, under which it lies."""

    file: Callable[[Any], tuple[Any, str] | None] = _no_file
    """For replies whose body the caller reads like a file: the object that reads, and the name of its attribute with
    the file, in whose place one is put that tells what was read."""

    beside: Callable[[Any], dict[str, Any]] = _nothing_beside
    """What a reply tells beside its body, as attributes: in its headers. Where the body tells the same, that counts."""

    lazy: Callable[[dict[str, Any]], bool] = _not_lazy
    """Of the keyword arguments: whether the method but makes a generator, whose first step begins the work."""

    http: bool = False
    """What comes back is an HTTP response like httpx's, or a context manager of one: read now, or later from it."""


class MethodClient:
    """An integration for one client, by the methods that its requests pass and the table of its endpoints.

    Args:
        name: what a user writes in ``init(integrations=[...])``.
        target: import name of the library.
        requires: versions it is tested with, such as ``">=1.0,<4"``.
        provider: ``gen_ai.provider.name``.
        methods: the methods; one that a version lacks is left out, and ``status()`` says so.
        endpoints: the table of the API.
        distribution: the distribution that the versions are of, where it is not called like the target.
    """

    def __init__(
        self,
        name: str,
        target: str,
        requires: str,
        *,
        provider: str,
        methods: Iterable[Method],
        endpoints: Endpoints,
        distribution: str | None = None,
    ) -> None:
        self.name = name
        self.target = target
        self.requires = requires
        self.distribution = distribution or target
        self.endpoints = endpoints
        self._provider = provider
        self._methods = tuple(methods)

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch each method, now or once its module is imported."""
        for row in self._methods:
            patches.when_imported(row.module, partial(self._patch, patches, row))

    def _patch(self, patches: Patches, row: Method, module: ModuleType) -> None:
        owner: Any = getattr(module, row.owner, None) if row.owner else module
        if owner is None:
            patches.missing.append(f"{row.owner}.{row.name}")
        else:
            wrap = patches.wrap_below if isinstance(owner, type) else patches.wrap
            wrap(owner, row.name, self._wrapper(row))

    def _wrapper(self, row: Method) -> Wrapper:
        site = f"{self.name}.{row.name}"

        def call(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            begin = partial(self._begin, row, instance, args, kwargs)
            if inspect.isgeneratorfunction(wrapped) or inspect.isasyncgenfunction(wrapped):
                return driven(wrapped, partial(_first_step, site, row, begin), args, kwargs)
            if row.lazy is not _not_lazy and _is_lazy(site, row, kwargs):
                return _begun_later(site, row, begin, wrapped(*args, **kwargs))
            request = _Request(site, row, begin)
            if inspect.iscoroutinefunction(wrapped):
                return request.sent_async(wrapped, args, kwargs)
            return request.sent(wrapped, args, kwargs)

        return call

    def _begin(self, row: Method, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Exchange | None:
        asked = row.asked(instance, args, kwargs)
        if asked is None:
            return None
        endpoint = self.endpoints.find(asked.method, asked.path)
        model = asked.model
        if model is None and isinstance(asked.body, dict) and isinstance(asked.body.get("model"), str):
            model = asked.body["model"]
        title = model
        if endpoint.named_by != "model":
            title = asked.body.get(endpoint.named_by) if isinstance(asked.body, dict) else asked.name
        attributes = {semconv.PROVIDER_NAME: asked.provider or self._provider, semconv.REQUEST_MODEL: model}
        if asked.url:
            attributes.update(address(asked.url))
        outer = enclosing_request(endpoint.kind)
        if outer is not None and self.name in outer.reporters:  # a model call inside of another one of this client
            outer = None
        if outer is not None:
            call: Any = outer
            name_model(outer, model, over=PROGRAM)  # which has named it as it wants it
            call.update(attributes)
        else:
            call = start(
                endpoint.kind,
                endpoint.name_in(asked.path) if endpoint.name_in is not None else title,
                operation=endpoint.operation,
                attributes=attributes,
                span_name=endpoint.span_name,
                span_kind=SpanKind.CLIENT,  # whatever it is there: here it is a request
                to_vendor=True,
                reporter=self.name,
            )
        if call is NULL_CALL:
            return None
        exchange = Exchange(
            call, endpoint, method=asked.method, path=asked.path, body=None, contributes=outer is not None
        )
        if isinstance(asked.body, Mapping | bytes | str):
            with guard(f"{self.name}.request_body"):
                exchange.asked(asked.body)
        if row.http and (frame := reading.get()) is not None and frame.client == self.name:
            frame.begun(exchange)
        return exchange


def _first_step(site: str, row: Method, begin: Callable[[], Exchange | None], args: Any, kwargs: Any) -> Steps:
    """Begins the operation of a generator, as the driver takes the first step."""
    exchange: Exchange | None = None
    with guard(site):
        exchange = begin()
    if exchange is None:
        return NO_STEPS
    with guard(site):
        return ReplySteps(exchange, row.body, is_new=True)
    return NO_STEPS


def _is_lazy(site: str, row: Method, kwargs: dict[str, Any]) -> bool:
    with guard(site):
        return row.lazy(kwargs)
    return False


def _begun_later(site: str, row: Method, begin: Callable[[], Exchange | None], result: Any) -> Any:
    """A generator that has not begun, or a coroutine that gives one: nothing is recorded of one that nobody reads."""
    if type(result) is CoroutineType:
        return _begun_later_async(site, row, begin, result)

    def resume() -> Any:
        return result

    if type(result) not in (GeneratorType, AsyncGeneratorType):  # somebody else's, around it
        return _Request(site, row, begin).sent(resume, (), {})
    resume.__name__, resume.__qualname__ = result.__name__, result.__qualname__
    first_step = partial(_first_step, site, row, begin)
    return driven(resume, first_step, (), {}, is_async=type(result) is AsyncGeneratorType)


async def _begun_later_async(site: str, row: Method, begin: Callable[[], Exchange | None], awaited: Any) -> Any:
    return _begun_later(site, row, begin, await awaited)


class _Request:
    """One call of a method that is no generator itself."""

    __slots__ = ("_begin", "_exchange", "_row", "_site", "_steps")

    def __init__(self, site: str, row: Method, begin: Callable[[], Exchange | None]) -> None:
        self._site = site
        self._row = row
        self._begin = begin
        self._exchange: Exchange | None = None
        self._steps: ReplySteps | None = None

    def sent(self, wrapped: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        result = around(self._site, wrapped, args, kwargs, partial(self._begun, args, kwargs), self._accept)
        return self._passed_on(result)

    async def sent_async(self, wrapped: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        begin = partial(self._begun, args, kwargs)
        result = await around_async(self._site, wrapped, args, kwargs, begin, self._accept)
        return self._passed_on(result)

    def _begun(self, args: Any, kwargs: Any) -> Begun | None:
        self._exchange = exchange = self._begin()
        return None if exchange is None else Begun(exchange, args, kwargs)

    def _accept(self, exchange: Any, result: Any) -> bool:
        """Whether that was all; else what came back goes on, and will end the call."""
        row = self._row
        exchange.call.update(row.beside(result))
        if row.http and hasattr(result, "status_code"):
            streamed = not result.is_closed
            exchange.call.set(semconv.REQUEST_STREAM, streamed or None)
            exchange.received(result, streamed=streamed, cast_to=None)
        elif type(result) is CoroutineType or self._is_manager(result):
            return False
        elif (held := row.file(result)) is not None:
            reader, name = held
            setattr(reader, name, FileProxy(getattr(reader, name), exchange))
            self._exchange = None  # which the file ends now
            return False
        elif _is_stream(result) or self._key(result) is not None:
            self._steps = ReplySteps(exchange, row.body)
        else:
            exchange.answered(json_text(row.body(result)))
        return bool(exchange.accept(result))

    def _passed_on(self, result: Any) -> Any:
        """What the caller gets: the very result; or where it goes on, what passes it on and tells us."""
        exchange, steps = self._exchange, self._steps
        if exchange is not None:
            with guard(self._site):
                if steps is not None:
                    return self._stepped(result, steps)
                if type(result) is CoroutineType:
                    self._begin = lambda: exchange
                    return self.sent_async(lambda: result, (), {})
                if self._is_manager(result):
                    self._begin = lambda: exchange
                    return ManagerProxy(result, self.sent, self.sent_async)
        return result

    def _is_manager(self, result: Any) -> bool:
        kind = type(result)
        opens = hasattr(kind, "__enter__") or hasattr(kind, "__aenter__")
        return self._row.http and opens and not hasattr(result, "status_code")

    def _key(self, result: Any) -> str | None:
        return self._row.stream(result) if isinstance(result, dict) else None

    def _stepped(self, result: Any, steps: ReplySteps) -> Any:
        def resume() -> Any:
            return result

        if type(result) in (GeneratorType, AsyncGeneratorType):
            resume.__name__, resume.__qualname__ = result.__name__, result.__qualname__
            return driven(resume, lambda *_: steps, (), {}, is_async=type(result) is not GeneratorType)
        key = self._key(result)
        if key is None:
            return StreamProxy(result, steps)
        result[key] = StreamProxy(result[key], steps)
        return result

    def __del__(self) -> None:
        exchange = self._exchange
        if exchange is not None and exchange.live is None:  # never awaited, or never entered
            with guard(self._site):
                exchange.finish("abandoned")


def _is_stream(result: Any) -> bool:
    return hasattr(type(result), "__next__") or hasattr(type(result), "__anext__")
