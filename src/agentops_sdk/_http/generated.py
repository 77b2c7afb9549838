"""Clients written by one generator (openai, anthropic, groq, together, …): all requests pass one method of theirs.

Beside it, a few methods tell how the request goes: attempts, waits, the reply, the stream over it.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping
from contextvars import Token
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

from opentelemetry.trace import SpanKind

from agentops_sdk import semconv
from agentops_sdk._capture.call import NULL_CALL, Call
from agentops_sdk._capture.current import enclosing_request, name_model
from agentops_sdk._capture.start import Form, form, start_in
from agentops_sdk._genai.providers import is_known
from agentops_sdk._host.bounded_map import BoundedMap
from agentops_sdk._host.guard import guard
from agentops_sdk._host.intercept import Begun, around, around_async
from agentops_sdk._host.patches import Patches, Wrapper, subclasses
from agentops_sdk._http.endpoint import Endpoint, Endpoints, Outgoing, Prepared
from agentops_sdk._http.exchange import Exchange, address, current
from agentops_sdk._http.stream import watch_items
from agentops_sdk._propagation.context_keys import release

__all__ = ["GeneratedClient"]

Wrapped = Callable[..., Any]
ProviderOf = Callable[[str, int | None, type], str]

_WRAPS_INSTANCES = {"logfire"}
_MOST_KNOWN = 256


class GeneratedClient:
    """An integration for one generated client, or the part of one that deals with its requests.

    Args:
        name: what a user writes in ``init(integrations=[...])``.
        target: import name of the library.
        requires: versions it is tested with, such as ``">=0.40,<3"``.
        provider: ``gen_ai.provider.name``, or what tells it from host, port and the client's class.
        endpoints: the table of its API.
        distribution: the distribution that the versions are of, where it is not called like the target.
        package: where the generated modules lie, where that is not the target itself.
    """

    def __init__(
        self,
        name: str,
        target: str,
        requires: str,
        *,
        provider: str | ProviderOf,
        endpoints: Endpoints,
        distribution: str | None = None,
        package: str | None = None,
    ) -> None:
        self.name = name
        self.target = target
        self.requires = requires
        self.distribution = distribution or target
        self.endpoints = endpoints
        self._package = package or target
        self._provider: ProviderOf = provider if callable(provider) else lambda host, port, client: provider
        self._site = f"{name}.request"
        self._known: BoundedMap[tuple[Any, ...], _Known] = BoundedMap(_MOST_KNOWN)

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Patch the client's base classes."""
        base = import_module(f"{self._package}._base_client")
        streaming = import_module(f"{self._package}._streaming")
        for client, request in ((base.SyncAPIClient, self._request), (base.AsyncAPIClient, self._request_async)):
            patches.wrap_below(client, "request", request)
            for instance in _wrapped_instances(client):
                patches.wrap(instance, "request", partial(_of_instance, instance, request))
        patches.wrap(base.SyncAPIClient, "_process_response", _process_response)
        patches.wrap(base.AsyncAPIClient, "_process_response", _process_response)
        patches.wrap(base.BaseClient, "_build_request", _build_request)
        patches.wrap(base.BaseClient, "_should_retry", _should_retry)
        patches.wrap(base.BaseClient, "_calculate_retry_timeout", _retry_timeout)
        patches.wrap(streaming.Stream, "__stream__", _stream)
        patches.wrap(streaming.AsyncStream, "__stream__", _stream)

    def _request(self, wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        begin = partial(self._begin, instance, args, kwargs)
        return around(self._site, wrapped, args, kwargs, begin, Exchange.accept)

    def _request_async(self, wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        begin = partial(self._begin, instance, args, kwargs)
        return around_async(self._site, wrapped, args, kwargs, begin, Exchange.accept)

    def _begin(self, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun | None:
        """Start the exchange of one request; its arguments are read, and copied where one is added."""
        options = kwargs.get("options", args[1] if len(args) > 1 else None)
        if options is None:
            return None
        data = options.json_data
        body = data if type(data) is dict or isinstance(data, Mapping) else {}
        model = body.get("model")
        known = self._looked_up(client, options, body, model if isinstance(model, str) else None)
        if known is None:
            return None
        endpoint = known.endpoint
        outer = enclosing_request(endpoint.kind) if current.get() is None else None
        call: Any
        if outer is not None:
            call = outer
            self._contribute(outer, known)
        else:
            call = start_in(
                known.form, endpoint.kind, known.name, None, (), attributes=known.attributes, to_vendor=True
            )
        if call is NULL_CALL:
            return None
        prepared: Prepared | None = None
        if endpoint.prepare is not None and body.get("stream") is True:
            prepared = endpoint.prepare(Outgoing(client, options, body, known.host, known.port))
        hide = prepared.hide if prepared is not None else None
        exchange = _GeneratedExchange(
            call,
            endpoint,
            method=options.method,
            path=options.url,
            body=data,
            contributes=outer is not None,
            hide=hide,
        )
        if prepared is not None:
            copy = options.model_copy(update={"json_data": prepared.body})
            if "options" in kwargs:
                kwargs = {**kwargs, "options": copy}
            else:
                args = (args[0], copy, *args[2:])
        return Begun(exchange, args, kwargs)

    def _looked_up(self, client: Any, options: Any, body: Mapping[str, Any], model: str | None) -> _Known | None:
        """What follows from where a request goes, whose it is and for which model: worked out for the first such one.

        ``None`` for what is not recorded.
        """
        base, streamed = client.base_url, body.get("stream") is True
        key = options.method, options.url, id(base), type(client), model, streamed
        known = self._known.get(key)
        if known is not None:
            return known
        endpoint = self.endpoints.find(options.method, options.url)
        if endpoint.kind == "none":
            return None
        absolute = options.url.startswith(("http://", "https://"))
        server = address(options.url if absolute else base)
        host, port = server[semconv.SERVER_ADDRESS], server[semconv.SERVER_PORT]
        attributes = {semconv.PROVIDER_NAME: self._provider(host, port, type(client)), **server}
        attributes |= {semconv.REQUEST_STREAM: streamed or None, semconv.REQUEST_MODEL: model}
        name = model if endpoint.named_by == "model" else body.get(endpoint.named_by)
        if endpoint.name_in is not None:
            name = endpoint.name_in(options.url)
        known = _Known(
            endpoint,
            base,
            host,
            port,
            name,
            # A request is a client's span, whatever it is there.
            form(endpoint.kind, name, endpoint.operation, attributes, endpoint.span_name, SpanKind.CLIENT),
            attributes,
        )
        if endpoint.named_by == "model" or endpoint.name_in is not None:  # else it is named by more of the body
            self._known[key] = known
        return known

    def _contribute(self, outer: Call, known: _Known) -> None:
        """What is known of a request that is the same operation as the one around it."""
        attributes = known.attributes.copy()
        model = attributes.pop(semconv.REQUEST_MODEL)
        is_told = semconv.PROVIDER_NAME in outer.span.attributes
        if is_told and attributes[semconv.PROVIDER_NAME] == "openai" and not is_known(known.host, known.port):
            del attributes[semconv.PROVIDER_NAME]  # a guess: who asks through this client knows whose address it is
        outer.update(attributes)
        name_model(outer, model)


class _Known(NamedTuple):
    """What is known of a request from the like of it."""

    endpoint: Endpoint
    base: Any
    """The client's base URL, kept so that no other object is known by its identity."""
    host: str
    port: int | None
    name: str | None
    form: Form
    attributes: dict[str, Any]


class _GeneratedExchange(Exchange):
    """An exchange that the client's inner methods report to: the current one while its request is sent."""

    __slots__ = ()

    def attach(self) -> tuple[Token[Exchange | None], Any]:
        return current.set(self), None if self._contributes else self.call.attach()

    def detach(self, token: tuple[Token[Exchange | None], Any]) -> None:
        release(token[0])
        if not self._contributes:
            self.call.detach(token[1])


def _wrapped_instances(client: type[Any]) -> list[Any]:
    """Clients whose own ``request`` another SDK has replaced before: their calls pass no class.

    They are found among everything that refers to their class, which takes long: only where such an SDK is loaded.
    """
    if _WRAPS_INSTANCES.isdisjoint(sys.modules):
        return []
    return [
        each
        for each in gc.get_referrers(client, *subclasses(client))
        if issubclass(type(each), client) and "request" in getattr(each, "__dict__", ())
    ]


def _of_instance(
    client: Any, request: Wrapper, wrapped: Wrapped, instance: None, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    return request(wrapped, client, args, kwargs)


# --- the inner methods: the client's own first and alone, then a guarded look ---------------------


def _build_request(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    request = wrapped(*args, **kwargs)
    exchange = current.get()
    if exchange is not None:
        with guard("http.build_request"):
            exchange.sent(request)
    return request


def _should_retry(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    answer = wrapped(*args, **kwargs)
    exchange = current.get()
    if exchange is not None:
        with guard("http.should_retry"):
            exchange.refused((args[0] if args else kwargs["response"]).status_code)
    return answer


def _retry_timeout(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    seconds = wrapped(*args, **kwargs)
    exchange = current.get()
    if exchange is not None:
        with guard("http.retry_timeout"):
            exchange.waits(seconds)
    return seconds


def _process_response(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    exchange = current.get()
    if exchange is not None:
        with guard("http.process_response"):
            exchange.received(kwargs["response"], streamed=bool(kwargs.get("stream")), cast_to=kwargs.get("cast_to"))
    return wrapped(*args, **kwargs)


def _stream(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return watch_items(wrapped(*args, **kwargs), instance.response)
