"""Makes a run current while its body runs, so that spans opened in there nest below it.

Chains, tools and graph nodes run in a copy of the caller's context that LangChain makes for them; the run is
attached in that copy. Models and retrievers run in the caller's own context; the run is attached around each
step of theirs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import Any
from weakref import ref

from opentelemetry.context import Context, attach

from agentops_integrations.langchain import active
from agentops_integrations.langchain.runs import Run, last_started
from agentops_sdk.integration import Patches, guard, own_model_calls, release, semconv

Wrapped = Callable[..., Any]

_STEPS = ("_stream", "_stream_chat_model_events")
_ASYNC_STEPS = ("_astream", "_astream_chat_model_events")
_PROVIDERS = "langchain_"
"""Packages of LangChain's partners: their models make one provider's call for each run."""


def install(patches: Patches) -> None:
    patches.when_imported("langchain_core.runnables.config", lambda module: _chains(patches, module))
    patches.when_imported("langgraph._internal._runnable", lambda module: _chains(patches, module))
    patches.when_imported("langchain_core.language_models.chat_models", lambda module: _chat_models(patches, module))
    patches.when_imported("langchain_core.language_models.llms", lambda module: _completion_models(patches, module))
    patches.when_imported("langchain_core.retrievers", lambda module: _retrievers(patches, module))


def _chains(patches: Patches, module: ModuleType) -> None:
    patches.wrap(module, "_set_config_context", _enter_body)


def _enter_body(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    with guard("langchain.body"):
        run = active.run_of(args[0] if args else kwargs.get("config"))
        if run is not None:
            attach(run.context)  # never detached: this runs in a context of the body's own, which ends with it
    return result


class _Classes:
    """Wraps, on the classes that define them, the methods that models and retrievers are written in."""

    def __init__(self, patches: Patches, base: type) -> None:
        self._patches = patches
        self._base = base
        self._seen: set[tuple[int, str]] = set()

    def prepare(self, cls: type, names: tuple[str, ...], wrapper: Any) -> None:
        for name in names:
            owner = next((base for base in cls.__mro__ if name in vars(base)), None)
            if owner is None or owner in self._base.__mro__ or (id(owner), name) in self._seen:
                continue
            self._seen.add((id(owner), name))
            self._patches.wrap(owner, name, wrapper)


def _chat_models(patches: Patches, module: ModuleType) -> None:
    _models(patches, module.BaseChatModel, "_generate_with_cache", "_agenerate_with_cache")
    patches.wrap(module.BaseChatModel, "_convert_cached_generations", _from_cache)


def _completion_models(patches: Patches, module: ModuleType) -> None:
    _models(patches, module.BaseLLM, "_generate_helper", "_agenerate_helper")


def _models(patches: Patches, base: type, generate: str, agenerate: str) -> None:
    classes = _Classes(patches, base)

    def prepare(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with guard("langchain.prepare"):
            classes.prepare(type(instance), _STEPS, _steps)
            classes.prepare(type(instance), _ASYNC_STEPS, _async_steps)
        return wrapped(*args, **kwargs)

    for name in ("stream", "astream", "_chat_model_stream_v3", "_achat_model_stream_v3"):
        if hasattr(base, name):
            patches.wrap(base, name, prepare)
    patches.wrap(base, generate, _inside)
    patches.wrap(base, agenerate, _async_inside)


def _retrievers(patches: Patches, module: ModuleType) -> None:
    base = module.BaseRetriever
    classes = _Classes(patches, base)

    def prepare(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with guard("langchain.prepare"):
            classes.prepare(type(instance), ("_get_relevant_documents",), _inside)
            classes.prepare(type(instance), ("_aget_relevant_documents",), _async_inside)
        return wrapped(*args, **kwargs)

    patches.wrap(base, "invoke", prepare)
    patches.wrap(base, "ainvoke", prepare)


def _body(instance: Any, kwargs: dict[str, Any]) -> tuple[Run, Context] | None:
    """The run whose body is about to run, and the context it runs in."""
    runs = active.runs
    if runs is None:
        return None
    manager = kwargs.get("run_manager")
    if manager is None and kwargs.get("run_managers"):
        manager = kwargs["run_managers"][0]
    if manager is not None:
        run = runs.get(getattr(manager, "run_id", None))
    else:
        last = last_started.get()
        run = last() if last is not None else None
    if run is None or run.id not in runs.open:
        return None
    return run, run.context if _is_one_call(type(instance)) else own_model_calls(run.context)


def _is_one_call(cls: type) -> bool:
    """Whether a run of the model is one call of a provider's client; a model that a program defines may make many."""
    for name in ("_generate", "_agenerate", "_stream"):
        owner = next((base for base in cls.__mro__ if name in vars(base)), cls)
        module = owner.__module__
        if not module.startswith(_PROVIDERS):
            return False
    return True


def _inside(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    body = None
    with guard("langchain.body"):
        body = _body(instance, kwargs)
    if body is None:
        return wrapped(*args, **kwargs)
    run, context = body
    token = attach(context)
    try:
        return wrapped(*args, **kwargs)
    except BaseException as error:
        _cut_off(run, error)
        raise
    finally:
        release(token)


def _async_inside(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    async def inside() -> Any:
        body = None
        with guard("langchain.body"):
            body = _body(instance, kwargs)
        if body is None:
            return await wrapped(*args, **kwargs)
        run, context = body
        token = attach(context)
        try:
            return await wrapped(*args, **kwargs)
        except BaseException as error:
            _cut_off(run, error)
            raise
        finally:
            release(token)

    return inside()


def _from_cache(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What LangChain does with an answer that it found in a cache, inside of the run that asked."""
    with guard("langchain.cache"):
        run = active.current()
        if run is not None and run.kind == "llm":
            run.call.set(semconv.CACHED, True)
    return wrapped(*args, **kwargs)


def _cut_off(run: Run, error: BaseException) -> None:
    """LangChain does not report the end of a run that is cancelled in the middle of its body."""
    if not isinstance(error, Exception) and active.runs is not None:
        with guard("langchain.cut_off"):
            active.runs.fail(run.id, error)


def _steps(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    body = None
    with guard("langchain.body"):
        body = _body(instance, kwargs)
    return wrapped(*args, **kwargs) if body is None else _stepped(lambda: wrapped(*args, **kwargs), body[1])


def _stepped(begin: Callable[[], Iterator[Any]], context: Context) -> Iterator[Any]:
    """The same items; the run is current during each step and never across a ``yield``."""
    token = attach(context)
    try:
        items = iter(begin())
    finally:
        release(token)
    try:
        while True:
            token = attach(context)
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                release(token)
            yield item
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()


def _async_steps(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    body = None
    with guard("langchain.body"):
        body = _body(instance, kwargs)
    return wrapped(*args, **kwargs) if body is None else _async_stepped(lambda: wrapped(*args, **kwargs), body[1])


async def _async_stepped(begin: Callable[[], AsyncIterator[Any]], context: Context) -> AsyncIterator[Any]:
    token = attach(context)
    try:
        items = aiter(begin())
    finally:
        release(token)
    try:
        while True:
            token = attach(context)
            try:
                item = await anext(items)
            except StopAsyncIteration:
                return
            finally:
                release(token)
            yield item
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()


def note_started(run: Run) -> None:
    """Remember a run whose body takes no run manager."""
    last_started.set(ref(run))
