"""Semantic Kernel, through the spans that it makes itself: agents, rounds of tools, kernel functions, model calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentops_sdk.integration import current_call, guard, semconv

if TYPE_CHECKING:
    from types import ModuleType

    from agentops_sdk.integration import Patches

_AGENTS = "semantic_kernel.utils.telemetry.agent_diagnostics.decorators"
_MODELS = "semantic_kernel.utils.telemetry.model_diagnostics.decorators"
_FUNCTIONS = "semantic_kernel.functions.kernel_function"
_ROUNDS = "semantic_kernel.connectors.ai.chat_completion_client_base"


class SemanticKernelIntegration:
    """Adopts the spans of its modules' tracers, and turns those on that are off unless told."""

    name = "semantic_kernel"
    target = "semantic_kernel"
    distribution = "semantic-kernel"
    requires = ">=1.45,<2"

    def install(self, module: ModuleType, patches: Patches) -> None:
        """Each module has one tracer, and functions that say what is written.

        What it would write of messages into the log of the program stays as the program has set it.
        """
        from agentops_sdk.integration.frameworks import adopt

        def adopted(name: str) -> Any:
            return lambda found: adopt(patches, found.tracer, name)

        def agents(found: ModuleType) -> None:
            adopt(patches, found.tracer, _AGENTS)
            patches.wrap(found, "are_model_diagnostics_enabled", _always)
            patches.wrap(found, "_set_agent_invocation_input", _asked)
            patches.wrap(found, "_set_agent_invocation_output", _answered)

        def models(found: ModuleType) -> None:
            adopt(patches, found.tracer, _MODELS)
            patches.wrap(found, "are_model_diagnostics_enabled", _always)

        patches.when_imported(_AGENTS, agents)
        patches.when_imported(_MODELS, models)
        patches.when_imported(_ROUNDS, adopted(_ROUNDS))
        patches.when_imported(_FUNCTIONS, adopted(_FUNCTIONS))
        patches.when_imported(
            "semantic_kernel.utils.telemetry.model_diagnostics.function_tracer",
            lambda found: patches.wrap(found, "are_sensitive_events_enabled", _always),
        )


def _always(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """What is written onto a span is written: whether that has content is for our own setting to say."""
    return True


def _asked(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("semantic_kernel.asked"):
        given = args[1]
        _tell(semconv.INPUT, given if isinstance(given, list) else [given])
    return wrapped(*args, **kwargs)


def _answered(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with guard("semantic_kernel.answered"):
        _tell(semconv.OUTPUT, args[1])
    return wrapped(*args, **kwargs)


def _tell(name: str, messages: list[Any]) -> None:
    from agentops_sdk.integration.frameworks import content

    call = current_call()
    texts = [each if isinstance(each, str) else getattr(each, "content", None) for each in messages]
    said = [text for text in texts if isinstance(text, str) and text]
    if call is not None and call.kind == "agent" and said:
        call.update(content(name, said[0] if len(said) == 1 else said))


integration = SemanticKernelIntegration()
