"""Embeddings: LangChain has no callbacks for them, so the methods of their classes are wrapped."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from opentelemetry.context import create_key, get_current

from agentops_sdk.integration import (
    Begun,
    Call,
    Patches,
    around,
    around_async,
    semconv,
    setting,
    snapshot,
    start,
)

Wrapped = Callable[..., Any]

_INSIDE = create_key("agentops-langchain-embeddings")
_SYNC, _ASYNC = ("embed_documents", "embed_query"), ("aembed_documents", "aembed_query")
_OWN_CLIENT = "langchain_openai"
"""Its requests are recorded at OpenAI's client, each with its own figures."""
_CACHES = ("CacheBackedEmbeddings",)
"""They embed nothing themselves: what they lack they ask another one for, and that is recorded."""


def install(patches: Patches) -> None:
    patches.when_imported(
        "langchain_core.embeddings.embeddings",
        lambda module: patches.each_subclass(module.Embeddings, partial(_prepare, patches)),
    )


def _prepare(patches: Patches, cls: type) -> None:
    if cls.__module__.startswith(_OWN_CLIENT) or any(base.__name__ in _CACHES for base in cls.__mro__):
        return
    for names, wrapper in ((_SYNC, _embed), (_ASYNC, _embed_async)):
        for name in names:
            if callable(vars(cls).get(name)):
                patches.wrap(cls, name, wrapper)


def _begin(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun | None:
    around_us: Any = get_current().get(_INSIDE)
    if around_us is not None and around_us[0] is instance:
        return None  # one method of theirs that calls another
    own = getattr(instance, "__dict__", {})
    model = next((own[name] for name in ("model", "model_name", "model_id") if type(own.get(name)) is str), None)
    call = start("embedding", model or type(instance).__name__, attributes={semconv.REQUEST_MODEL: model})
    if not isinstance(call, Call):
        return None
    if setting("capture_content"):
        texts = args[0] if args else next(iter(kwargs.values()), None)
        call.set(semconv.INPUT, snapshot(texts).decode())
    if around_us is not None:  # the one around only passes on: its tokens are those of the calls that it makes
        outer: Call = around_us[1]
        outer.set(semconv.MODEL_CALLS, outer.span.attributes.get(semconv.MODEL_CALLS, 0) + 1)
    call.carry(_INSIDE, (instance, call))
    return Begun(call, args, kwargs)


def _accept(call: Any, result: Any) -> bool:
    vector = result[0] if isinstance(result, list) and result and isinstance(result[0], list) else result
    if isinstance(vector, list):
        call.set(semconv.EMBEDDINGS_DIMENSION_COUNT, len(vector))
    return True


def _embed(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return around("langchain.embed", wrapped, args, kwargs, lambda: _begin(instance, args, kwargs), _accept)


def _embed_async(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return around_async("langchain.embed", wrapped, args, kwargs, lambda: _begin(instance, args, kwargs), _accept)
