"""Where the processor stands: beside the program's own, also where the program replaces all of them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any
from weakref import WeakSet

from agentops_integrations.openai_agents.trace_processor import TraceProcessor
from agentops_sdk.integration import Patches, guard

Wrapped = Callable[..., Any]


def register(tracing: ModuleType, patches: Patches) -> TraceProcessor:
    """Add a processor the way the SDK has for it; the undo takes it out, and ends what is open.

    The SDK's provider is not made for it before the program needs one: that would make an HTTP client.
    """
    processor = TraceProcessor()
    providers: WeakSet[Any] = WeakSet()

    def add(provider: Any) -> None:
        if provider not in providers:
            providers.add(provider)
            provider.register_processor(processor)

    def created(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = wrapped(*args, **kwargs)
        with guard("openai_agents.provider"):
            add(instance)
        return result

    def set_processors(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """``set_trace_processors()`` is how programs stop the export to OpenAI: they do not mean us."""
        result = wrapped(*args, **kwargs)
        with guard("openai_agents.set_processors"):
            providers.discard(instance)
            add(instance)
        return result

    def set_provider(wrapped: Wrapped, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = wrapped(*args, **kwargs)
        with guard("openai_agents.set_provider"):
            add(kwargs["provider"] if "provider" in kwargs else args[0])
        return result

    def undo() -> None:
        for provider in list(providers):
            with guard("openai_agents.undo"):
                _take_out(provider, processor)
        processor.close()

    patches.on_undo(undo)
    setup, provider = import_module("agents.tracing.setup"), import_module("agents.tracing.provider")
    if setup.GLOBAL_TRACE_PROVIDER is not None:
        add(setup.GLOBAL_TRACE_PROVIDER)
    patches.wrap(provider.DefaultTraceProvider, "__init__", created)
    patches.wrap(provider.DefaultTraceProvider, "set_processors", set_processors)
    patches.wrap(tracing, "set_trace_provider", set_provider)
    return processor


def _take_out(provider: Any, processor: TraceProcessor) -> None:
    processors = getattr(provider, "_multi_processor", None)  # there is no public way out
    if processors is not None:
        with processors._lock:  # noqa: SLF001 - the same
            processors._processors = tuple(each for each in processors._processors if each is not processor)  # noqa: SLF001 - the same
