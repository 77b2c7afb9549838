"""Makes a run current while its body runs, so that spans opened in there nest below it.

Chains, tools and graph nodes run in a copy of the caller's context that LangChain makes for them; the run is
attached in that copy. Models and retrievers run in the caller's own context; the run is attached around each
step of theirs.

Long because each kind of body is attached in a way of its own, in a plain and an asynchronous form.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from opentelemetry.context import Context, attach

from agentops_integrations.langchain import live_runs, retrieval
from agentops_sdk.integration import (
    Begun,
    Patches,
    around,
    around_async,
    guard,
    own_model_calls,
    refusal,
    refusal_async,
    release,
    semconv,
)
from agentops_sdk.integration.frameworks import Run

Wrapped = Callable[..., Any]

_STEPS = ("_stream", "_stream_chat_model_events")
_ASYNC_STEPS = ("_astream", "_astream_chat_model_events")
_SITE = "langchain.body"
_LIMITS = "langchain.limits"
_STOPPED = ("tool", "agent")
"""Kinds of runs that limits are asked about as their bodies begin. Those of models are where no cache has answered."""

_PROVIDERS = "langchain_"
"""Packages of LangChain's partners: their models make one provider's call for each run."""


_last_started: ContextVar[Hashable | None] = ContextVar("agentops-langchain-last-started", default=None)
"""The id of the model or retriever run that was started last in this context: its body is what runs next."""


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
    run: Run | None = None
    with guard(_SITE):
        run = live_runs.run_of(args[0] if args else kwargs.get("config"))
        if run is not None:
            attach(run.context)  # never detached: this runs in a context of the body's own, which ends with it
    if run is not None and run.kind in _STOPPED:
        _insist(run)
    return result


def _insist(run: Run) -> None:
    """Keep the body from running where a limit does not allow it; LangChain reports that as the run's failure."""
    refused = refusal(_LIMITS, run.call)
    if refused is not None:
        raise refused


async def _insist_async(run: Run) -> None:
    """The same, awaited."""
    refused = await refusal_async(_LIMITS, run.call)
    if refused is not None:
        raise refused


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
    _models(patches, module.BaseLLM, "_generate_helper", "_agenerate_helper", _batch)


def _models(patches: Patches, base: type, generate: str, agenerate: str, batch: Any = None) -> None:
    classes = _Classes(patches, base)

    def prepare(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with guard("langchain.prepare"):
            classes.prepare(type(instance), _STEPS, _steps)
            classes.prepare(type(instance), _ASYNC_STEPS, _async_steps)
        return wrapped(*args, **kwargs)

    def begun(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun | None:
        with guard("langchain.prepare"):
            classes.prepare(type(instance), ("_generate",), _asked)
            classes.prepare(type(instance), ("_agenerate",), _async_asked)
        shared = None if batch is None else batch(args, kwargs)
        return _begun(instance, args, kwargs) if shared is None else Begun(shared, args, kwargs)

    def inside(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return around(_SITE, wrapped, args, kwargs, lambda: begun(instance, args, kwargs), _told_by_callbacks)

    def async_inside(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return around_async(_SITE, wrapped, args, kwargs, lambda: begun(instance, args, kwargs), _told_by_callbacks)

    for name in ("stream", "astream", "_chat_model_stream_v3", "_achat_model_stream_v3"):
        if hasattr(base, name):
            patches.wrap(base, name, prepare)
    patches.wrap(base, generate, inside)
    patches.wrap(base, agenerate, async_inside)


def _batch(args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Body | None:
    """The first run of several prompts that go out together; what its clients call is the work of them all."""
    with guard("langchain.batch"):
        managers = kwargs.get("run_managers") or (args[2] if len(args) > 2 else ())
        first, *others = (live_runs.get(getattr(one, "run_id", None)) for one in managers) if managers else (None,)
        if first is not None and others:
            for other in others:
                if other is not None:
                    other.notes["sent_with"] = first
            return _Body(first, own_model_calls(first.context))
    return None


def _asked(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The model itself is about to be asked: no cache had the answer."""
    run: Run | None = None
    with guard(_SITE):
        run = live_runs.current()
    if run is not None and run.kind == "llm":
        _insist(run)
    return wrapped(*args, **kwargs)


async def _async_asked(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    run: Run | None = None
    with guard(_SITE):
        run = live_runs.current()
    if run is not None and run.kind == "llm":
        await _insist_async(run)
    return await wrapped(*args, **kwargs)


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


class _Body:
    """A run's body, while it runs. The run's end is the callbacks' to tell, but where it is cut off."""

    __slots__ = ("call", "context", "run")

    def __init__(self, run: Run, context: Context) -> None:
        self.run = run
        self.call = run.call if run.kind != "llm" else None
        """What limits are asked about as the body begins; a model's may find its answer in a cache."""
        self.context = context

    def attach(self) -> Any:
        return attach(self.context)

    def detach(self, token: Any) -> None:
        release(token)

    def fail(self, error: BaseException) -> None:
        """LangChain does not report the end of a run that is cancelled in the middle of its body."""
        if not isinstance(error, Exception) and live_runs.table is not None:
            with guard("langchain.cut_off"):
                live_runs.table.fail(self.run.key, error)

    def finish(self) -> bool:
        return False


def _body(instance: Any, kwargs: dict[str, Any]) -> _Body | None:
    """The run whose body is about to run."""
    manager = kwargs.get("run_manager")
    if manager is None and kwargs.get("run_managers"):
        manager = kwargs["run_managers"][0]
    if manager is not None:
        run = live_runs.get(getattr(manager, "run_id", None))
    else:
        last = _last_started.get()
        run = live_runs.get(last) if last is not None else None
    if run is None:
        return None
    if run.kind == "retriever":
        run.call.set(semconv.RETRIEVAL_TOP_K, retrieval.limit(instance, kwargs))
    return _Body(run, run.context if _is_one_call(type(instance)) else own_model_calls(run.context))


def _is_one_call(cls: type) -> bool:
    """Whether a run of the model is one call of a provider's client; a model that a program defines may make many."""
    for name in ("_generate", "_agenerate", "_stream"):
        owner = next((base for base in cls.__mro__ if name in vars(base)), cls)
        module = owner.__module__
        if not module.startswith(_PROVIDERS):
            return False
    return True


def _inside(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return around(_SITE, wrapped, args, kwargs, lambda: _begun(instance, args, kwargs), _told_by_callbacks)


def _async_inside(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return around_async(_SITE, wrapped, args, kwargs, lambda: _begun(instance, args, kwargs), _told_by_callbacks)


def _begun(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Begun | None:
    body = _body(instance, kwargs)
    return None if body is None else Begun(body, args, kwargs)


def _told_by_callbacks(body: Any, result: Any) -> bool:
    return False


def _from_cache(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What LangChain does with an answer that it found in a cache, inside of the run that asked."""
    with guard("langchain.cache"):
        run = live_runs.current()
        if run is not None and run.kind == "llm":
            run.call.set(semconv.CACHED, True)
    return wrapped(*args, **kwargs)


def _steps(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    body = None
    with guard(_SITE):
        body = _body(instance, kwargs)
    if body is not None:
        _insist(body.run)
    return wrapped(*args, **kwargs) if body is None else _stepped(lambda: wrapped(*args, **kwargs), body.context)


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
    with guard(_SITE):
        body = _body(instance, kwargs)
    return wrapped(*args, **kwargs) if body is None else _async_stepped(lambda: wrapped(*args, **kwargs), body)


async def _async_stepped(begin: Callable[[], AsyncIterator[Any]], body: _Body) -> AsyncIterator[Any]:
    await _insist_async(body.run)
    context = body.context
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
    _last_started.set(run.key)
