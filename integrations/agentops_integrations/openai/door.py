"""The one door every request passes, and the few places behind it where the client tells how it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from agentops_integrations.openai import endpoints, exchange, providers, realtime
from agentops_integrations.openai.exchange import Exchange
from agentops_integrations.openai.tap import tap_of
from agentops_integrations.openai.watchers import AsyncWatched, Watched
from agentops_sdk.integration import (
    NULL_CALL,
    Begun,
    Patches,
    around,
    around_async,
    enclosing_llm_call,
    guard,
    semconv,
    setting,
    start,
)

_SITE = "openai.request"


def install(module: ModuleType, patches: Patches) -> None:
    """Patch the client's base classes."""
    from openai import _base_client as base
    from openai import _streaming as streaming

    # Another SDK that wrapped a client class on top of us and left since has put a wrapper of ours there, which sleeps.
    for client in (module.OpenAI, module.AsyncOpenAI):
        if getattr(vars(client).get("request"), "_self_agentops", False):
            del client.request
    patches.wrap(base.SyncAPIClient, "request", _request)
    patches.wrap(base.AsyncAPIClient, "request", _request_async)
    patches.wrap(base.SyncAPIClient, "_process_response", _process_response)
    patches.wrap(base.AsyncAPIClient, "_process_response", _process_response)
    patches.wrap(base.BaseClient, "_build_request", _build_request)
    patches.wrap(base.BaseClient, "_should_retry", _should_retry)
    patches.wrap(base.BaseClient, "_calculate_retry_timeout", _retry_timeout)
    patches.wrap(streaming.Stream, "__stream__", _stream)
    patches.wrap(streaming.AsyncStream, "__stream__", _stream_async)
    realtime.install(patches)


Wrapped = Callable[..., Any]


def _request(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return around(_SITE, wrapped, args, kwargs, lambda: _begin(instance, args, kwargs), _accept)


def _request_async(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return around_async(_SITE, wrapped, args, kwargs, lambda: _begin(instance, args, kwargs), _accept)


def _accept(call: Any, result: Any) -> bool:
    return bool(call.accept(call, result))


def _begin(client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun | None:
    """Start the exchange of one request; its arguments are read, and copied where one is added."""
    options = kwargs.get("options", args[1] if len(args) > 1 else None)
    if options is None:
        return None
    endpoint = endpoints.find(options.method, options.url)
    absolute = options.url.startswith(("http://", "https://"))
    where = exchange.address(options.url if absolute else client.base_url)
    provider = providers.provider_of(where[semconv.SERVER_ADDRESS], where[semconv.SERVER_PORT], type(client))
    body = options.json_data if isinstance(options.json_data, Mapping) else {}
    outer = enclosing_llm_call() if exchange.current.get() is None else None
    contributes = outer is not None and endpoint.kind == "llm"
    attributes = {semconv.PROVIDER_NAME: provider, **where}
    if body.get("stream") is True:
        attributes[semconv.REQUEST_STREAM] = True
    if outer is not None and contributes:
        call: Any = outer
        call.update(attributes)
    else:
        model = body.get("model")
        model = model if isinstance(model, str) else None
        call = start(
            endpoint.kind,
            endpoints.data_source(options.url) if endpoint.kind == "retriever" else model,
            operation=endpoint.operation,
            attributes={**attributes, semconv.REQUEST_MODEL: model},
            span_name=endpoint.span_name,
            to_vendor=True,
        )
    if call is NULL_CALL:
        return None
    opened = Exchange(call, endpoint, options, injected=False, contributes=contributes)
    if endpoint.takes_stream_options and _wants_usage(options, body, where, client):
        copy = options.model_copy(update={"json_data": {**body, "stream_options": {"include_usage": True}}})
        opened.injected = True
        if "options" in kwargs:
            kwargs = {**kwargs, "options": copy}
        else:
            args = (args[0], copy, *args[2:])
    return Begun(opened, args, kwargs)  # type: ignore[arg-type]


def _wants_usage(options: Any, body: Mapping[str, Any], where: Mapping[str, Any], client: Any) -> bool:
    """Whether to ask for usage: a stream, the caller said nothing of it, and the provider takes the question."""
    if body.get("stream") is not True or "stream_options" in body or not setting("stream_usage"):
        return False
    extra = options.extra_json or {}
    if "stream_options" in extra or "data_sources" in extra or "data_sources" in body:
        return False
    query = {**getattr(client, "_custom_query", {}), **dict(options.params or {})}
    return providers.takes_stream_options(where[semconv.SERVER_ADDRESS], where[semconv.SERVER_PORT], query)


# --- behind the door: the client's own method first and alone, then a guarded look ----------------


def _build_request(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    request = wrapped(*args, **kwargs)
    opened = exchange.current.get()
    if opened is not None:
        with guard("openai.build_request"):
            opened.sent(request)
    return request


def _should_retry(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    answer = wrapped(*args, **kwargs)
    opened = exchange.current.get()
    if opened is not None:
        with guard("openai.should_retry"):
            opened.refused((args[0] if args else kwargs["response"]).status_code)
    return answer


def _retry_timeout(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    seconds = wrapped(*args, **kwargs)
    opened = exchange.current.get()
    if opened is not None:
        with guard("openai.retry_timeout"):
            opened.waits(seconds)
    return seconds


def _process_response(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    opened = exchange.current.get()
    if opened is not None:
        with guard("openai.process_response"):
            opened.received(kwargs["response"], streamed=bool(kwargs.get("stream")), cast_to=kwargs.get("cast_to"))
    return wrapped(*args, **kwargs)


def _stream(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _watched(wrapped(*args, **kwargs), instance, Watched)


def _stream_async(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _watched(wrapped(*args, **kwargs), instance, AsyncWatched)


def _watched(iterator: Any, stream: Any, watcher: Callable[[Any, Any], Any]) -> Any:
    with guard("openai.stream"):
        tap = tap_of(stream.response)
        if tap is not None:
            return watcher(iterator, tap)
    return iterator
