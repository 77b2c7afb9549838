"""Notices other SDKs on the methods of the client: who records beside us is told in ``status()``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

# Where the tracing SDKs for OpenAI are known to put their wrappers.
_PLACES = (
    ("openai._base_client", ("SyncAPIClient", "AsyncAPIClient"), ("request", "_request")),
    ("openai", ("OpenAI", "AsyncOpenAI"), ("request",)),
    ("openai.resources.chat.completions", ("Completions", "AsyncCompletions"), ("create", "parse", "stream")),
    ("openai.resources.beta.chat.completions", ("Completions", "AsyncCompletions"), ("parse", "stream")),
    ("openai.resources.completions", ("Completions", "AsyncCompletions"), ("create",)),
    ("openai.resources.embeddings", ("Embeddings", "AsyncEmbeddings"), ("create",)),
    ("openai.resources.responses.responses", ("Responses", "AsyncResponses"), ("create", "parse", "stream")),
)
_OWN = "agentops_sdk"
_TRANSPARENT = ("wrapt", "functools", "_wrappers", "openai")


def wrappers() -> list[str]:
    """``"package on Class.method"`` for each method that somebody else has wrapped, in a stable order."""
    found = {
        f"{owner} on {name}.{method}"
        for name, method, value in _methods()
        if (owner := _owner(value)) not in (None, _OWN)
    }
    return sorted(found)


def _methods() -> Iterator[tuple[str, str, Any]]:
    for module_name, classes, methods in _PLACES:
        module = sys.modules.get(module_name)
        for class_name in classes:
            cls = getattr(module, class_name, None) if module is not None else None
            for method in methods:
                value = vars(cls).get(method) if isinstance(cls, type) else None
                if value is not None:
                    yield class_name, method, value


def _owner(value: Any) -> str | None:
    """The top-level package of the outermost wrapper that is not the client's own; ``None`` where there is none."""
    for _ in range(20):
        wrapper = getattr(value, "_self_wrapper", None)
        package = _package(wrapper) if wrapper is not None else _package(value)
        if package is not None and package not in _TRANSPARENT and package != _OWN:
            return package
        value = getattr(value, "__wrapped__", None)
        if value is None:
            return None
    return None


def _package(function: Any) -> str | None:
    scope = getattr(function, "__globals__", None)  # wraps() copies __module__, never the globals
    name = scope.get("__name__") if isinstance(scope, dict) else getattr(type(function), "__module__", None)
    name = name if isinstance(name, str) else None
    if name is None or name == "builtins":
        return None
    top, _, rest = name.partition(".")
    return f"{top}.{rest.partition('.')[0]}" if top in ("opentelemetry", "openinference") and rest else top
